"""One daemon-reload for all the workloads of a pass that changed a unit systemd has loaded."""

import asyncio
from collections.abc import Awaitable, Callable

from workloadd.core.errors import WorkloaddError

# Seconds that those who are ready wait for one that is still creating its container.
PATIENCE = 3.0


class ReloadGate:
    """Where the tasks of one pass meet before their units are restarted.

    `expected` tasks will either `pass_through()` (they wrote a unit) or `leave()` (they failed
    before). When the last of them is there, one reload is done for all. A laggard does not hold
    the others for longer than `patience` seconds; it causes a reload of its own.
    """

    def __init__(
        self, reload: Callable[[], Awaitable[None]], expected: int, patience: float = PATIENCE
    ) -> None:
        self._reload = reload
        self._missing = expected
        self._patience = patience
        self._waiting: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._full = asyncio.Event()

    async def pass_through(self) -> None:
        """Wait for the pass's reload; raises what the reload raised."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append(done)
        self._missing -= 1
        if self._timer is None:
            self._timer = loop.call_later(self._patience, self._full.set)
        if self._missing <= 0:
            self._full.set()
        if self._waiting[0] is done:
            await self._lead()
        await done

    def leave(self) -> None:
        """A task that was expected will not come."""
        self._missing -= 1
        if self._missing <= 0:
            self._full.set()

    async def _lead(self) -> None:
        """The first to arrive reloads for all who are there by then."""
        await self._full.wait()
        waiting, self._waiting = self._waiting, []
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._full.clear()
        if self._missing <= 0:
            self._full.set()
        try:
            await self._reload()
        except WorkloaddError as error:
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for future in waiting:
            if not future.done():
                future.set_result(None)
