"""The board: the latest status, written by the loop alone and read by everybody.

A status is immutable, so a reader never sees half of one and nobody needs a lock.
"""

import asyncio
from collections.abc import Callable

from workloadd.core.status import Status


class Board:
    """Holds the newest `Status`, and when the loop last made progress (seconds, monotonic)."""

    def __init__(self, first: Status, monotonic: Callable[[], float]) -> None:
        self._status = first
        self._monotonic = monotonic
        self._beat = monotonic()
        self._changed = asyncio.Event()

    @property
    def status(self) -> Status:
        """The newest status."""
        return self._status

    def publish(self, status: Status) -> None:
        """Put up a new status and tell those who wait for one."""
        self._status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed(self) -> Status:
        """Wait for the next status."""
        await self._changed.wait()
        return self._status

    def beat(self) -> None:
        """The loop has made progress."""
        self._beat = self._monotonic()

    def silence(self) -> float:
        """Seconds since the loop last made progress."""
        return self._monotonic() - self._beat
