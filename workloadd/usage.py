"""Looking, time and again, at what workloads use of the host."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from workloadd.core.usage import Look, Meter, Target
from workloadd.core.usage_details import Details
from workloadd.slices import in_slices

# Seconds that what stopped is remembered, so that its counters go on if it is only restarted.
_REST = 900.0


class Usage:
    """Follows all workloads that run; `meters` are those by name.

    `read` blocks for a moment, and so does `details`, of one that somebody asks for; `targets` are
    what runs just now, `clock` gives seconds since the epoch. Workloads are looked at every
    `interval` seconds, and never where that is 0.
    """

    def __init__(
        self,
        read: Callable[[Target, float], Look],
        targets: Callable[[], Mapping[str, Target]],
        clock: Callable[[], float],
        interval: float,
        details: Callable[[Target], Details] = lambda target: Details(),
    ) -> None:
        self._read = read
        self._targets = targets
        self._clock = clock
        self.interval = interval
        self._details = details
        self.meters: Mapping[str, Meter] = MappingProxyType({})
        self._resting: dict[str, Meter] = {}

    async def run(self) -> None:
        """Look for ever."""
        while self.interval:
            await self.look()
            await asyncio.sleep(self.interval)

    async def look(self) -> None:
        """Look once. What does not run just now is not shown, and soon forgotten."""
        looks = await asyncio.to_thread(self._looks, self._targets())
        known = {**self._resting, **self.meters}
        meters = dict(await in_slices(_counted(known, looks)))
        since = self._clock() - _REST
        self._resting = {name: one for name, one in known.items() if one.total.at >= since}
        self.meters = MappingProxyType(meters)

    async def details(self, workload: str) -> Details:
        """What is looked up of one workload when somebody asks."""
        target = self._targets().get(workload) if self.interval else None
        return await asyncio.to_thread(self._details, target) if target else Details()

    def _looks(self, targets: Mapping[str, Target]) -> dict[str, Look]:
        return {name: self._read(target, self._clock()) for name, target in targets.items()}


def _counted(known: dict[str, Meter], looks: Mapping[str, Look]) -> Iterator[tuple[str, Meter]]:
    """The meters of what runs, each with its look added; they are taken out of `known`."""
    for name, look in looks.items():
        meter = known.pop(name, None) or Meter()
        meter.add(look)
        yield name, meter
