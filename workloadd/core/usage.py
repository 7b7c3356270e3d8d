"""What workloads use of the host: totals that only grow, and their growth by the second. Pure.

Counters of control groups and of network namespaces end with these, at every restart; what is
counted here goes on over that.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from workloadd.core.names import unit_name
from workloadd.core.observed import Seen

# Samples that are kept of each workload.
KEPT = 90

_Key = TypeVar("_Key")
_One = TypeVar("_One")
_Count = TypeVar("_Count", int, float)


@dataclass(frozen=True, slots=True)
class Process:
    """The main process of a container: its unit, the container's full ID, its number."""

    unit: str
    container: str
    pid: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where to read what a workload uses: its units that run, and its containers' processes."""

    units: tuple[str, ...]
    processes: tuple[Process, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The control group of a unit: processor time in seconds, blocks in bytes, processes.

    `memory` (bytes) and its `limit` are those of the container in it, without what Podman's helper
    processes use, which is no matter of the limit: `helpers`. None where the controller is not
    there; `limit` is None also where there is none.
    """

    cpu: float | None = None
    memory: int | None = None
    limit: int | None = None
    pids: int | None = None
    read: int | None = None
    written: int | None = None
    helpers: int | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A network namespace of containers: bytes that came in, that went out, and that went over its
    loopback: between its processes, and from this host by a published port (pasta(1), splice)."""

    received: int
    sent: int
    loopback: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at one moment (`at`, seconds since the epoch): control groups by unit, network
    namespaces by inode."""

    at: float
    groups: Mapping[str, Group]
    networks: Mapping[int, Network]


@dataclass(frozen=True, slots=True)
class Total:
    """What a workload has used since it was first looked at, and uses; units as in `Group`."""

    at: float
    cpu: float | None = None
    memory: int | None = None
    limit: int | None = None
    pids: int | None = None
    read: int | None = None
    written: int | None = None
    received: int | None = None
    sent: int | None = None
    loopback: int | None = None
    helpers: int | None = None


# What is kept of each look.
_FIELDS = ("at", "cpu", "memory", "read", "written", "received", "sent", "loopback")
# Looks beyond those that are kept, so that not each one moves all of them.
_SLACK = 10
# Networks that are remembered besides those that are seen: each restart makes another one.
_REMEMBERED = 4
COUNTERS = ("cpu", "read", "written", "received", "sent", "loopback")
"""Those that only grow."""


class Meter:
    """Follows one workload from look to look: `total` is its newest, `before` the one before."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._then = self._now = Look(0.0, {}, {})
        # What was seen last of each: one that could not be read once has not begun anew.
        self._groups: dict[str, Group] = {}
        self._networks: dict[int, Network] = {}
        self._series = array("d")
        self.total = Total(0.0)
        self.before = Total(0.0)

    def add(self, look: Look) -> None:
        """Count on from a further look."""
        before = Look(self._now.at, self._groups, self._networks)
        self.before, self.total = self.total, _advanced(self.total, before, look)
        self._then, self._now = self._now, look
        self._groups.update(look.groups)
        known = {k: one for k, one in self._networks.items() if k not in look.networks}
        self._networks = {**dict(list(known.items())[-_REMEMBERED:]), **look.networks}
        self._series.extend(_number(getattr(self.total, name)) for name in _FIELDS)
        if len(self._series) > (self._kept + _SLACK) * len(_FIELDS):
            del self._series[: -self._kept * len(_FIELDS)]

    @property
    def series(self) -> dict[str, list[float | None]]:
        """By field of `Total`, its newest values, the oldest first."""
        size = len(_FIELDS)
        start = max(0, len(self._series) - self._kept * size)
        return {
            name: [None if math.isnan(x) else x for x in self._series[start + i :: size]]
            for i, name in enumerate(_FIELDS)
        }

    def rate(self, counter: str) -> float | None:
        """The growth by the second between the newest two looks."""
        then, now = self.before, self.total
        found = rates((then.at or None, now.at), (getattr(then, counter), getattr(now, counter)))
        return found[-1]

    def share(self, unit: str) -> float | None:
        """The processors that a unit used between the newest two looks."""
        then, now = self._then.groups.get(unit), self._now.groups.get(unit)
        if then is None or now is None:
            return None
        return rates((self._then.at, self._now.at), (then.cpu, now.cpu))[-1]

    def group(self, unit: str) -> Group:
        """What a unit was found to use last."""
        return self._now.groups.get(unit, Group())


def targets(seen: Mapping[str, Seen]) -> dict[str, Target]:
    """Where to read what those workloads use that run."""
    return {name: found for name, one in seen.items() if (found := _target(name, one)).units}


def rates(times: Sequence[float | None], counts: Sequence[float | None]) -> list[float | None]:
    """By how much a counter grew by the second up to each moment; None where it is not known."""
    found: list[float | None] = [None] * min(1, len(times))
    for (then, at), (old, new) in zip(pairwise(times), pairwise(counts), strict=True):
        if then is None or at is None or old is None or new is None or at <= then:
            found.append(None)
        else:
            found.append(max(0.0, new - old) / (at - then))
    return found


def _target(name: str, seen: Seen) -> Target:
    units = tuple(unit_name(name, part) for part, unit in seen.units.items() if unit.active)
    record = seen.file.record if seen.file else None
    parts = {container: part for part, container in (record.running if record else ())}
    processes = tuple(
        Process(unit_name(name, parts.get(one.id, one.container)), one.id, one.pid)
        for one in seen.containers
        if one.running and one.pid
    )
    return Target(units, processes)


def _advanced(total: Total, before: Look, now: Look) -> Total:
    """The totals after a further look."""
    groups = now.groups.values()
    return Total(
        now.at,
        memory=_sum(g.memory for g in groups),
        limit=_limit(groups),
        helpers=_sum(g.helpers for g in groups),
        pids=_sum(g.pids for g in groups),
        cpu=_grown(total.cpu, before.groups, now.groups, lambda g: g.cpu),
        read=_grown(total.read, before.groups, now.groups, lambda g: g.read),
        written=_grown(total.written, before.groups, now.groups, lambda g: g.written),
        received=_grown(total.received, before.networks, now.networks, lambda n: n.received),
        sent=_grown(total.sent, before.networks, now.networks, lambda n: n.sent),
        loopback=_grown(total.loopback, before.networks, now.networks, lambda n: n.loopback),
    )


def _grown(
    total: _Count | None,
    before: Mapping[_Key, _One],
    now: Mapping[_Key, _One],
    get: Callable[[_One], _Count | None],
) -> _Count | None:
    """A total and what came to it; a count that is smaller than before has begun anew."""
    for key, one in now.items():
        if (count := get(one)) is None:
            continue
        old = get(before[key]) if key in before else None
        grown = count if old is None or count < old else count - old
        total = grown if total is None else total + grown
    return total


def _limit(groups: Iterable[Group]) -> int | None:
    """The limits of all containers together; None where one of them has none."""
    limits = [group.limit for group in groups if group.memory is not None]
    return None if None in limits else _sum(limits)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
