"""Rights, confinement and devices in a container's specification."""

from typing import Any

from workloadd.spec.devices import DevicesSpec
from workloadd.spec.process import KEEP_GROUPS
from workloadd.spec.security import SecuritySpec, Selinux

# crun's annotation for it; `podman create --group-add keep-groups` sets the same.
_KEEP_GROUPS = {"run.oci.keep_original_groups": "1"}
# What else `podman create --security-opt label=nested` asks for.
_NESTED = {"run.oci.mount_context_type": "rootcontext"}
_SELINUXFS = "/sys/fs/selinux"


def render_security(spec: SecuritySpec) -> dict[str, Any]:
    """The part of the specification that says what the container may do."""
    rendered: dict[str, Any] = {
        "privileged": spec.privileged,
        "no_new_privileges": spec.no_new_privileges,
        "cap_add": list(spec.cap_add),
        "cap_drop": list(spec.cap_drop),
        "groups": [group for group in spec.group_add if group != KEEP_GROUPS],
        "umask": None if spec.umask is None else f"{spec.umask:04o}",
        "seccomp_profile_path": spec.seccomp,
        "apparmor_profile": spec.apparmor,
        "selinux_opts": _labels(spec.selinux),
        "label_nested": spec.selinux.nested,
        "mask": list(spec.mask),
        "unmask": [*spec.unmask, *((_SELINUXFS, "/proc") if spec.selinux.nested else ())],
        "read_only_filesystem": spec.read_only,
        # /tmp, /run and /var/tmp writable in memory, as `podman run --read-only` has it.
        "read_write_tmpfs": spec.read_only and spec.read_only_tmpfs,
    }
    return {key: value for key, value in rendered.items() if value}


def security_annotations(spec: SecuritySpec) -> dict[str, str]:
    """What the OCI runtime is told besides, and by what `podman inspect` shows the rest."""
    labels = [f"label={option}" for option in _labels(spec.selinux)]
    shown = {
        "io.podman.annotations.seccomp": spec.seccomp,
        "io.podman.annotations.apparmor": spec.apparmor,
        # Podman puts the first label= before it itself.
        "io.podman.annotations.label": ",".join(labels).removeprefix("label="),
    }
    return {
        **{key: value for key, value in shown.items() if value},
        **(_KEEP_GROUPS if KEEP_GROUPS in spec.group_add else {}),
        **(_NESTED if spec.selinux.nested else {}),
    }


def render_devices(spec: DevicesSpec) -> dict[str, Any]:
    """The devices; Podman reads a path as `podman create --device` does."""
    return {"devices": [{"path": device} for device in spec.devices]} if spec.devices else {}


def nested_mounts(selinux: Selinux) -> list[dict[str, Any]]:
    """What containers inside the container need to label their files."""
    place = {"source": _SELINUXFS, "destination": _SELINUXFS}
    return [{"type": "bind", **place}] if selinux.nested else []


def _labels(selinux: Selinux) -> list[str]:
    if selinux.disable:
        return ["disable"]
    labels = {"type": selinux.type, "level": selinux.level, "filetype": selinux.filetype}
    return [f"{key}:{value}" for key, value in labels.items() if value]
