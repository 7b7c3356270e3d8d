"""Probes running containers, each in its own time, and keeps what they have said.

The daemon's loop says which containers there are, and is woken when a verdict turns: what a try
came to is of interest to it only then.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from workloadd.core.errors import WorkloaddError
from workloadd.core.health import Health, Outcome, Watch, turned
from workloadd.core.probe_targets import Target
from workloadd.core.probe_times import counts, first_try, next_try, sooner
from workloadd.core.probes import Probe, ProbeKind
from workloadd.host.probes import Failed
from workloadd.metrics import Metrics
from workloadd.slots import Slots

log = logging.getLogger(__name__)

# Tries at the same time: of connections, and of commands, each of which is a process of Podman's.
_CONNECTIONS, _COMMANDS = 64, 4


class Carrier(Protocol):
    """Carries one try out; see `host.probes.Probes`."""

    async def try_once(self, target: Target, probe: Probe) -> None: ...


class Prober:
    """Follows containers. `clock` is in seconds since the epoch."""

    def __init__(
        self,
        carrier: Carrier,
        clock: Callable[[], float],
        wake: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._carrier = carrier
        self._metrics = metrics
        self._clock = clock
        self._wake = wake
        self._followed: dict[str, _Followed] = {}
        self._connections = Slots(_CONNECTIONS)
        self._commands = Slots(_COMMANDS)

    def follow(self, targets: Iterable[Target]) -> None:
        """Probe these from now on, and no others; a run that is followed already goes on."""
        wanted = {target.id: target for target in targets}
        for container, followed in list(self._followed.items()):
            if wanted.get(container) != followed.target:
                followed.stop()
                del self._followed[container]
        for container, target in wanted.items():
            if container not in self._followed:
                self._followed[container] = followed = _Followed(self, target)
                followed.go_on()

    def view(self) -> Mapping[str, Health]:
        """How each container that is followed is, by its full ID."""
        return {one: followed.watch.health for one, followed in self._followed.items()}

    @property
    def waiting(self) -> int:
        """How many tries wait for their turn."""
        return self._connections.waiting + self._commands.waiting

    async def close(self) -> None:
        """Probe nothing any more."""
        tasks = [task for one in self._followed.values() for task in one.stop()]
        self._followed.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    async def outcome(self, target: Target, probe: Probe) -> Outcome | None:
        """What one try came to; None where it could not be tried."""
        async with self._commands if probe.exec else self._connections:
            try:
                with self._metrics.probing(probe.kind):
                    await self._carrier.try_once(target, probe)
            except Failed as failed:
                said = failed.problem
                return Outcome(False, self._clock(), said.reason, said.message)
            except (WorkloaddError, OSError) as error:
                log.debug("%s: no word of its %s probe: %s", target.label, probe.kind, error)
                return None
            return Outcome(True, self._clock())

    def told(self, target: Target, before: Health, watch: Watch) -> None:
        """After a try: say what has turned, in the log and to the loop."""
        if not turned(before, watch.health):
            return
        for status in watch.health.results:
            was = before.of(status.kind)
            if status.verdict is None or (was and was.verdict is status.verdict):
                continue
            level = logging.INFO if status.verdict else logging.WARNING
            words = "succeeds" if status.verdict else f"fails: {status.message}"
            extra = {"workload": target.workload}
            log.log(level, "%s: the %s probe %s", target.label, status.kind, words, extra=extra)
        self._wake()


class _Followed:
    """One run of a container, with a timer or a task for each probe that is asked just now."""

    def __init__(self, prober: Prober, target: Target) -> None:
        self.target = target
        self.watch = Watch(target.probes, target.began)
        self._prober = prober
        self._phase = zlib.crc32(target.id.encode()) / 2**32
        self._timers: dict[ProbeKind, asyncio.TimerHandle] = {}
        self._tasks: dict[ProbeKind, asyncio.Task[None]] = {}

    def go_on(self) -> None:
        """Have every probe that is asked now tried in its time."""
        for probe in self.watch.asked:
            if probe.kind not in self._timers and probe.kind not in self._tasks:
                now = self._prober.now()
                self._plan(probe, first_try(probe, self.target.began, now, self._phase))

    def stop(self) -> list["asyncio.Task[None]"]:
        """Try nothing any more; the tasks that end now."""
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks.values():
            task.cancel()
        return list(self._tasks.values())

    def _plan(self, probe: Probe, at: float) -> None:
        delay = max(0.0, at - self._prober.now())
        loop = asyncio.get_running_loop()
        self._timers[probe.kind] = loop.call_later(delay, self._begin, probe)

    def _begin(self, probe: Probe) -> None:
        del self._timers[probe.kind]
        self._tasks[probe.kind] = asyncio.create_task(self._try(probe), name=f"probe {probe.kind}")

    async def _try(self, probe: Probe) -> None:
        tried, began = self._prober.now(), self.target.began
        outcome = await self._prober.outcome(self.target, probe)
        del self._tasks[probe.kind]
        coming_up = self.watch.status(probe.kind).verdict is None
        coming_up = coming_up and not counts(probe, began, tried)
        if outcome and (outcome.ok or not coming_up):
            before = self.watch.health
            self.watch = self.watch.after(probe.kind, outcome)
            self._prober.told(self.target, before, self.watch)
        if any(one.kind == probe.kind for one in self.watch.asked):
            now = self._prober.now()
            soon = coming_up and not (outcome and outcome.ok)
            later = next_try(probe, tried, now, self._phase)
            self._plan(probe, sooner(probe, began, now) if soon else later)
        self.go_on()
