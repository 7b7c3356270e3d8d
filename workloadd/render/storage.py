"""What is mounted into a container, in its specification."""

from collections.abc import Iterable
from typing import Any

from workloadd.core.names import volume_name
from workloadd.spec.volumes import BindVolume, NamedVolume, TmpfsVolume, Volume


def render_storage(workload: str, volumes: Iterable[Volume]) -> dict[str, Any]:
    """The mounts and the Podman volumes of a container of `workload`."""
    mounts: list[dict[str, Any]] = []
    named: list[dict[str, Any]] = []
    for volume in volumes:
        match volume:
            case BindVolume():
                mounts.append(_bind(volume))
            case TmpfsVolume():
                mounts.append(_tmpfs(volume))
            case NamedVolume():
                name = volume_name(workload, volume.source)
                named.append({"Name": name, "Dest": volume.target, "Options": _options(volume)})
    return {"mounts": mounts, "volumes": named}


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
