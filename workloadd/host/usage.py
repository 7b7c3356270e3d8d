"""What control groups and network namespaces say of what workloads use (cgroup v2, proc(5)).

Files come and go with the containers: what is not there is not known, and no error.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from workloadd.core.names import SLICE
from workloadd.core.usage import Group, Look, Network, Process, Target
from workloadd.host.cgroups import manager_group

_PROC = Path("/proc")
# Bytes read of a file: a line of `io.stat` for each device, of `net/dev` for each interface.
_MAX = 1 << 16


class UsageReader:
    """Reads what one user's workloads use."""

    def __init__(self, group: Callable[[], Path] = manager_group, proc: Path = _PROC) -> None:
        self._group = group
        self._proc = proc

    def read(self, target: Target, at: float) -> Look:
        """What a workload uses at this moment. Blocks, for a fraction of a millisecond."""
        groups: dict[str, Group] = {}
        networks: dict[int, Network] = {}
        inside = {one.unit: one.container for one in target.processes}
        with suppress(OSError):
            directory = self._group() / SLICE
            for unit in target.units:
                if found := _group(directory / unit, inside.get(unit)):
                    groups[unit] = found
        for process in target.processes:
            with suppress(OSError, ValueError):
                self._network(process, networks)
        return Look(at, groups, networks)

    def _network(self, process: Process, networks: dict[int, Network]) -> None:
        """Add the network that a process is in, unless that is the host's: it is everybody's.

        Raises:
            OSError: it is gone.
            ValueError: what is read is no table.
        """
        directory = os.open(self._proc / str(process.pid), os.O_RDONLY | os.O_DIRECTORY)
        try:
            # What is opened below this directory is of this process, whoever gets its number next.
            if process.container not in _text("cgroup", directory):
                return
            inode = os.stat("ns/net", dir_fd=directory).st_ino
            if inode not in networks and inode != self._own():
                networks[inode] = _network(_text("net/dev", directory))
        finally:
            os.close(directory)

    def _own(self) -> int:
        return (self._proc / "self/ns/net").stat().st_ino


def _group(directory: Path, container: str | None) -> Group | None:
    """What the control group of a unit uses, with a container in it; None where there is none."""
    if not (used := numbers(attempt(directory / "cpu.stat"))):
        return None
    read, written = _blocks(attempt(directory / "io.stat"))
    whole = _number(attempt(directory / "memory.current"))
    # The file's limits are set in there; one of the whole unit is a drop-in's.
    payload = payload_of(directory, container or "")
    memory = _number(attempt(payload / "memory.current")) if container else None
    limits = [_number(attempt(one / "memory.max")) for one in (directory, payload)]
    return Group(
        cpu=used["usage_usec"] / 1_000_000 if "usage_usec" in used else None,
        memory=memory,
        limit=min((limit for limit in limits if limit is not None), default=None),
        pids=_number(attempt(directory / "pids.current")),
        read=read,
        written=written,
        helpers=None if whole is None else max(0, whole - (memory or 0)),
    )


def _blocks(text: str | None) -> tuple[int | None, int | None]:
    """Bytes read and written of all devices; None where nothing tells."""
    if text is None:
        return None, None
    pairs = [pair.partition("=") for line in text.splitlines() for pair in line.split()[1:]]
    return (
        sum(int(value) for key, _, value in pairs if key == "rbytes"),
        sum(int(value) for key, _, value in pairs if key == "wbytes"),
    )


def _network(text: str) -> Network:
    """The sums of all interfaces, and the loopback's apart (proc_pid_net(5))."""
    lines = [line.partition(":") for line in text.splitlines() if ":" in line]
    counts = {name.strip(): found.split() for name, _, found in lines}
    # What is sent there is received there.
    loopback = int(counts.pop("lo", ["0"])[0])
    return Network(
        sum(int(c[0]) for c in counts.values()), sum(int(c[8]) for c in counts.values()), loopback
    )


def numbers(text: str | None) -> dict[str, int]:
    """The lines of a file of keys and numbers."""
    pairs: Iterable[list[str]] = (line.split() for line in (text or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _number(text: str | None) -> int | None:
    """One number; None where there is none, as in `max`."""
    return int(text) if text and text.strip().isdecimal() else None


def payload_of(directory: Path, container: str) -> Path:
    """The group of a container, by its full ID, in that of a unit: where Podman splits it."""
    return directory / f"libpod-payload-{container}"


def attempt(path: Path) -> str | None:
    """What is in a file of the kernel's; None where it is not there."""
    try:
        return _text(path)
    except OSError:
        return None


def _text(path: Path | str, directory: int | None = None) -> str:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, dir_fd=directory)
    try:
        return os.read(descriptor, _MAX).decode("ascii", "replace")
    finally:
        os.close(descriptor)
