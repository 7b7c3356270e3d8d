"""Looking, time and again, at what workloads use of the host."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from workloadd.core.usage import Look, Meter, Target


class Usage:
    """Follows all workloads that run; `meters` are those by name.

    `read` blocks for a moment, `targets` are what runs just now, `clock` gives seconds since the
    epoch. Workloads are looked at every `interval` seconds, and never where that is 0.
    """

    def __init__(
        self,
        read: Callable[[Target, float], Look],
        targets: Callable[[], Mapping[str, Target]],
        clock: Callable[[], float],
        interval: float,
    ) -> None:
        self._read = read
        self._targets = targets
        self._clock = clock
        self.interval = interval
        self.meters: Mapping[str, Meter] = MappingProxyType({})

    async def run(self) -> None:
        """Look for ever."""
        while self.interval:
            await self.look()
            await asyncio.sleep(self.interval)

    async def look(self) -> None:
        """Look once. What runs no longer is forgotten."""
        looks = await asyncio.to_thread(self._looks, self._targets())
        meters = {name: self.meters.get(name) or Meter() for name in looks}
        for name, look in looks.items():
            meters[name].add(look)
        self.meters = MappingProxyType(meters)

    def _looks(self, targets: Mapping[str, Target]) -> dict[str, Look]:
        return {name: self._read(target, self._clock()) for name, target in targets.items()}
