"""What control groups and network namespaces say of what workloads use (cgroup v2, proc(5)).

Files come and go with the containers: what is not there is not known, and no error.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from workloadd.core.names import SLICE
from workloadd.core.usage import Group, Look, Network, Target
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
        with suppress(OSError):
            directory = self._group() / SLICE
            groups = {unit: found for unit in target.units if (found := _group(directory / unit))}
        for pid in target.pids:
            with suppress(OSError, ValueError):
                inode = (self._proc / str(pid) / "ns/net").stat().st_ino
                if inode not in networks and inode != self._own():
                    networks[inode] = _network(_text(self._proc / str(pid) / "net/dev"))
        return Look(at, groups, networks)

    def _own(self) -> int:
        """The host's: what is counted there is everybody's."""
        return (self._proc / "self/ns/net").stat().st_ino


def _group(directory: Path) -> Group | None:
    """What a control group uses; None where there is none."""
    if not (used := _numbers(_try(directory / "cpu.stat"))):
        return None
    read, written = _blocks(_try(directory / "io.stat"))
    return Group(
        cpu=used["usage_usec"] / 1_000_000 if "usage_usec" in used else None,
        memory=_number(_try(directory / "memory.current")),
        limit=_limit(directory),
        pids=_number(_try(directory / "pids.current")),
        read=read,
        written=written,
    )


def _limit(directory: Path) -> int | None:
    """The limit of memory: that of the container, which crun sets on a group within the unit's."""
    text = _try(directory / "memory.max")
    if text is None or text.strip() != "max":
        return _number(text)
    with suppress(OSError):
        payload = next(directory.glob("libpod-payload-*"), directory)
        return _number(_try(payload / "memory.max"))
    return None


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


def _numbers(text: str | None) -> dict[str, int]:
    """The lines of a file of keys and numbers."""
    pairs: Iterable[list[str]] = (line.split() for line in (text or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _number(text: str | None) -> int | None:
    """One number; None where there is none, as in `max`."""
    return int(text) if text and text.strip().isdecimal() else None


def _try(path: Path) -> str | None:
    try:
        return _text(path)
    except OSError:
        return None


def _text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return os.read(descriptor, _MAX).decode("ascii", "replace")
    finally:
        os.close(descriptor)
