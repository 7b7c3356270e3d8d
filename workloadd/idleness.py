"""Watching whether anybody uses the workloads that are to be stopped when nobody does."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from workloadd.core.idle import Activity, Idle, watch
from workloadd.core.names import unit_name
from workloadd.core.observed import Container, Seen
from workloadd.core.on_demand import idle_timeout
from workloadd.core.socket_units import from_texts
from workloadd.spec.sockets import Socket

log = logging.getLogger(__name__)


class Connections(Protocol):
    """What is known of the host's connections at one moment."""

    accepted: int

    def count(self, sockets: Iterable[Socket]) -> int: ...


class Idleness:
    """Remembers, from look to look, since when each workload has been idle.

    `connections` takes a look at the host's, `processor_time` tells that of a unit in seconds;
    both raise `OSError` where that is not known.
    """

    def __init__(
        self,
        connections: Callable[[], Connections],
        processor_time: Callable[[str], float],
        clock: Callable[[], float],
    ) -> None:
        self._connections = connections
        self._processor_time = processor_time
        self._clock = clock
        self._known: dict[str, Idle] = {}

    def look(self, seen: Mapping[str, Seen]) -> dict[str, float]:
        """Since when (seconds since the epoch) workloads have been idle. Blocks.

        Only those are looked at that run and have an idle timeout; without any this costs nothing.
        """
        watched = {name: ours for name, one in seen.items() if (ours := _watched(one))}
        try:
            table = self._connections() if watched else None
        except OSError as error:
            log.warning("cannot tell who is connected: %s", error)
            table = None
        before, self._known = self._known, {}
        for name, parts in watched.items() if table else ():
            if table and (activity := self._activity(name, seen[name], parts, table)):
                self._known[name] = watch(before.get(name), activity)
        return {n: idle.since for n, idle in self._known.items() if idle.since is not None}

    def _activity(
        self, name: str, seen: Seen, parts: Mapping[str, Container], table: Connections
    ) -> Activity | None:
        sockets: list[Socket] = []
        processor = 0.0
        for part, container in parts.items():
            sockets += from_texts(container.params.sockets if container.params else ())
            try:
                processor += self._processor_time(unit_name(name, part))
            except OSError:
                return None  # it has ended since we asked
        return Activity(
            at=self._clock(),
            since=max(seen.unit_of(part).active_since for part in parts),
            connections=table.count(sockets),
            accepted=table.accepted,
            processor=processor,
            unix=any(socket.kind == "unix" for socket in sockets),
        )


def _watched(seen: Seen) -> dict[str, Container]:
    """The running containers of a workload that has an idle timeout, by part."""
    record = seen.file.record if seen.file else None
    here = {part: seen.by_id(one) for part, one in (record.containers if record else ())}
    ours = {p: c for p, c in here.items() if c and c.running and seen.unit_of(p).active}
    return ours if idle_timeout(c.params for c in ours.values()) else {}
