"""The libpod container specification of a revision.

Field names are those of Podman's `SpecGenerator` (pkg/specgen/specgen.go), which the API's
`POST /libpod/containers/create` reads as JSON.
"""

from collections.abc import Mapping
from typing import Any

from workloadd.core.names import (
    LABEL_CONTAINER,
    LABEL_REVISION,
    LABEL_UNIT,
    LABEL_USER,
    LABEL_WORKLOAD,
    candidate_name,
    volume_name,
)
from workloadd.core.revision import Revision
from workloadd.spec.container import ContainerSpec, Resources
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.signals import signal_number
from workloadd.spec.volumes import BindVolume, NamedVolume, TmpfsVolume

# Microseconds of the CFS period over which a CPU quota is dealt out; Podman's own default.
_CPU_PERIOD = 100_000


def render_container(revision: Revision, user: str) -> dict[str, Any]:
    """The specification to post; it holds environment values, so it is for Podman alone.

    `user` is the name of the host's user whose container it is.
    """
    spec = revision.spec
    rendered: dict[str, Any] = {
        "name": candidate_name(revision.workload, revision.digest),
        # By ID: the tag may move before Podman looks at it.
        "image": revision.image_id,
        "raw_image_name": spec.image,
        "labels": {**spec.labels, **_labels(revision, user)},
        "env": _environment(revision),
        "hostname": spec.hostname or revision.workload,
        # The unit's own control group and conmon as its main process: systemd supervises.
        "cgroups_mode": "split",
        "sdnotifyMode": "conmon",
        "restart_policy": "no",
        "stop_timeout": -int(-spec.stop_timeout // 1),
        "log_configuration": {"driver": "journald", "options": {"tag": revision.workload}},
        "portmappings": [
            {
                "host_ip": port.host_ip,
                "host_port": port.host_port,
                "container_port": port.container_port,
                "protocol": port.protocol,
            }
            for port in spec.ports
        ],
        **_process(spec),
        **_storage(revision),
    }
    if limits := _limits(spec.resources):
        rendered["resource_limits"] = limits
    return rendered


def render_volumes(revision: Revision, user: str) -> dict[str, dict[str, str]]:
    """The Podman volumes that a revision mounts, by name, with the labels that make them ours."""
    return {
        volume_name(revision.workload, volume.source): {
            LABEL_WORKLOAD: revision.workload,
            LABEL_USER: user,
        }
        for volume in revision.spec.volumes
        if isinstance(volume, NamedVolume)
    }


def _labels(revision: Revision, user: str) -> dict[str, str]:
    return {
        LABEL_WORKLOAD: revision.workload,
        LABEL_CONTAINER: MAIN_CONTAINER,
        LABEL_REVISION: revision.digest,
        LABEL_USER: user,
        LABEL_UNIT: revision.params.to_label(),
    }


def _environment(revision: Revision) -> dict[str, str]:
    """Files first, in order, then what the workload file says itself, as Compose has it."""
    merged: dict[str, str] = {}
    for file in revision.env_files:
        merged.update(file.variables)
    merged.update(revision.spec.environment)
    return merged


def _process(spec: ContainerSpec) -> dict[str, Any]:
    """What runs, and as whom; what the file leaves out is left to the image."""
    optional: Mapping[str, Any] = {
        "command": None if spec.command is None else list(spec.command),
        "entrypoint": None if spec.entrypoint is None else list(spec.entrypoint),
        "work_dir": spec.working_dir,
        "user": spec.user,
        "stop_signal": signal_number(spec.stop_signal) if spec.stop_signal else None,
        "cap_add": list(spec.cap_add) or None,
        "cap_drop": list(spec.cap_drop) or None,
    }
    return {key: value for key, value in optional.items() if value is not None}


def _storage(revision: Revision) -> dict[str, Any]:
    spec = revision.spec
    mounts: list[dict[str, Any]] = []
    volumes: list[dict[str, Any]] = []
    for volume in spec.volumes:
        match volume:
            case BindVolume():
                mounts.append(_bind(volume))
            case TmpfsVolume():
                mounts.append(_tmpfs(volume))
            case NamedVolume():
                name = volume_name(revision.workload, volume.source)
                volumes.append({"Name": name, "Dest": volume.target, "Options": _options(volume)})
    storage: dict[str, Any] = {"mounts": mounts, "volumes": volumes}
    if spec.read_only:
        # With /tmp, /run and /var/tmp writable in memory, as `podman run --read-only` has it.
        storage |= {"read_only_filesystem": True, "read_write_tmpfs": True}
    return storage


def _options(volume: BindVolume | NamedVolume) -> list[str]:
    options = ["ro"] if volume.read_only else ["rw"]
    return [*options, volume.selinux] if volume.selinux else options


def _bind(volume: BindVolume) -> dict[str, Any]:
    options = ["rbind", *_options(volume)]
    if volume.propagation:
        options.append(volume.propagation)
    return {
        "type": "bind",
        "source": volume.source,
        "destination": volume.target,
        "options": options,
    }


def _tmpfs(volume: TmpfsVolume) -> dict[str, Any]:
    options = ["ro"] if volume.read_only else ["rw"]
    if volume.size is not None:
        options.append(f"size={volume.size}")
    if volume.mode is not None:
        options.append(f"mode={volume.mode:04o}")
    return {
        "type": "tmpfs",
        "source": "tmpfs",
        "destination": volume.target,
        "options": [*options, "nosuid", "nodev"],
    }


def _limits(resources: Resources) -> dict[str, Any]:
    """Limits in the OCI runtime specification's form (LinuxResources)."""
    limits: dict[str, Any] = {}
    if resources.memory is not None:
        limits["memory"] = {"limit": resources.memory}
    if resources.cpus is not None:
        limits["cpu"] = {"quota": int(resources.cpus * _CPU_PERIOD), "period": _CPU_PERIOD}
    if resources.pids is not None:
        limits["pids"] = {"limit": resources.pids}
    return limits
