"""Which cgroup controllers the user manager was given (cgroups(7), user@.service Delegate=)."""

from pathlib import Path

_SELF = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")


def delegated_controllers(self_file: Path = _SELF, root: Path = _ROOT) -> frozenset[str] | None:
    """The controllers that our user manager may set limits with; None where that is not known.

    Blocks. The manager's group is the part of our own path up to `user@UID.service`.
    """
    try:
        paths = [line.partition("::")[2] for line in self_file.read_text().splitlines()]
        path = next(p for p in paths if p)
        parts = Path(path).parts
        depth = next(i for i, part in enumerate(parts) if part.startswith("user@"))
    except (OSError, StopIteration):
        return None
    return _controllers(root.joinpath(*parts[1 : depth + 1]))


def controllers_of(uid: int, root: Path = _ROOT) -> frozenset[str] | None:
    """The controllers that the manager of a user was given; None where that is not known. Blocks.

    It is the same for all that a user runs, but there only while the manager does.
    """
    return _controllers(root / f"user.slice/user-{uid}.slice/user@{uid}.service")


def _controllers(group: Path) -> frozenset[str] | None:
    try:
        return frozenset((group / "cgroup.controllers").read_text().split())
    except OSError:
        return None
