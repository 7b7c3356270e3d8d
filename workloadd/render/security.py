"""Rights, confinement and devices in a container's specification."""

from typing import Any

from workloadd.spec.devices import DevicesSpec
from workloadd.spec.process import KEEP_GROUPS
from workloadd.spec.security import SecuritySpec, Selinux

# crun's annotation for it; `podman create --group-add keep-groups` sets the same.
_KEEP_GROUPS = {"run.oci.keep_original_groups": "1"}


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
        "mask": list(spec.mask),
        "unmask": list(spec.unmask),
        "read_only_filesystem": spec.read_only,
        # /tmp, /run and /var/tmp writable in memory, as `podman run --read-only` has it.
        "read_write_tmpfs": spec.read_only and spec.read_only_tmpfs,
        **_selinux(spec.selinux),
    }
    return {key: value for key, value in rendered.items() if value}


def security_annotations(spec: SecuritySpec) -> dict[str, str]:
    """What the OCI runtime is told besides."""
    return dict(_KEEP_GROUPS) if KEEP_GROUPS in spec.group_add else {}


def render_devices(spec: DevicesSpec) -> dict[str, Any]:
    """The devices; Podman reads a path as `podman create --device` does."""
    return {"devices": [{"path": device} for device in spec.devices]} if spec.devices else {}


def _selinux(selinux: Selinux) -> dict[str, Any]:
    labels = {"type": selinux.type, "level": selinux.level, "filetype": selinux.filetype}
    options = [f"{key}:{value}" for key, value in labels.items() if value]
    return {
        "selinux_opts": ["disable"] if selinux.disable else options,
        "label_nested": selinux.nested,
    }
