"""The time in the fakes: real, or moved by a test."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Seconds since the epoch, and timers."""

    def now(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], None]) -> None: ...


class RealClock:
    """The machine's time and the loop's timers."""

    def now(self) -> float:
        return time.time()

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(delay, callback)


class ManualClock:
    """Time that stands still until a test moves it; timers of no delay run at once."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        if delay <= 0:
            asyncio.get_running_loop().call_soon(callback)
        else:
            heapq.heappush(self._timers, (self._now + delay, next(self._order), callback))

    def advance(self, seconds: float) -> None:
        """Move on, running the timers that become due in their order."""
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            self._now, _, callback = heapq.heappop(self._timers)
            callback()
        self._now = end
