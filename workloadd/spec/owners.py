"""IDs in a container as IDs of the user namespace that Podman makes for the user.

There 0 is the user itself, and 1 the first of its subordinate IDs.
"""

from workloadd.spec.idmaps import ranges
from workloadd.spec.namespaces import NamespacesSpec


def outside(spec: NamespacesSpec, uid: int, gid: int) -> tuple[int, int] | None:
    """Who a user and a group of the container are; None where that is known only when it runs."""
    if spec.uid_map:
        users = _mapped(spec.uid_map, uid)
        groups = _mapped(spec.gid_map or spec.uid_map, gid)
        return (users, groups) if users is not None and groups is not None else None
    mode, _, rest = (spec.userns_mode or "host").partition(":")
    options = dict(option.partition("=")[::2] for option in rest.split(",") if option)
    match mode:
        case "host":
            return uid, gid
        case "nomap":
            return uid + 1, gid + 1
        case "keep-id" if "uid" in options and "gid" in options:
            return _kept(uid, int(options["uid"])), _kept(gid, int(options["gid"]))
    return None


def _mapped(mapping: tuple[str, ...], wanted: int) -> int | None:
    for inside, first, size in ranges(mapping):
        if inside <= wanted < inside + size:
            return first + wanted - inside
    return None


def _kept(wanted: int, kept: int) -> int:
    """With keep-id the user has one ID of the container, and all others move past it."""
    if wanted == kept:
        return 0
    return wanted + 1 if wanted < kept else wanted
