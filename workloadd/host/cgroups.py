"""The control groups of the user manager (cgroups(7), user@.service Delegate=)."""

from pathlib import Path

from workloadd.core.names import SLICE

_SELF = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")


def delegated_controllers(self_file: Path = _SELF, root: Path = _ROOT) -> frozenset[str] | None:
    """The controllers that our user manager may set limits with; None where that is not known.

    Blocks.
    """
    try:
        group = manager_group(self_file, root)
    except OSError:
        return None
    return _controllers(group)


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


def processor_time(unit: str, self_file: Path = _SELF, root: Path = _ROOT) -> float:
    """Seconds of processor time that a workload's unit has used since it was started. Blocks.

    Raises:
        OSError: it is not running.
    """
    statistics = manager_group(self_file, root) / SLICE / unit / "cpu.stat"
    used = dict(line.split(maxsplit=1) for line in statistics.read_text().splitlines())
    return int(used["usage_usec"]) / 1_000_000


def manager_group(self_file: Path = _SELF, root: Path = _ROOT) -> Path:
    """The manager's group: the part of our own path up to `user@UID.service`. Blocks.

    Raises:
        OSError: we do not run below a user manager.
    """
    paths = [line.partition("::")[2] for line in self_file.read_text().splitlines()]
    parts = Path(next((path for path in paths if path), "/")).parts
    depth = next((i for i, part in enumerate(parts) if part.startswith("user@")), None)
    if depth is None:
        raise FileNotFoundError(0, "not below a user manager", str(self_file))
    return root.joinpath(*parts[1 : depth + 1])
