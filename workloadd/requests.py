"""Runs that people asked for: kept until the loop has begun them, or cannot."""

import asyncio
from collections.abc import Callable

from workloadd.core.errors import WorkloaddError

# Seconds that who asks is kept waiting, and after which a run that could not begin is given up.
_PATIENCE = 6.0
_KEPT = 60.0


class RunRequests:
    """Which jobs are to be run now. `wake` has the loop look at them."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: dict[str, asyncio.Future[int | None]] = {}
        self._until: dict[str, float] = {}

    def wanted(self) -> frozenset[str]:
        """The jobs to start."""
        now = asyncio.get_running_loop().time()
        for workload in [w for w in self._waiting if now > self._until[w]]:
            self.done(workload, None)
        return frozenset(self._waiting)

    async def ask(self, workload: str) -> int | None:
        """Have a job run now: the ID of the run, None where it has yet to begin.

        Who asks twice before it began asks for the same run.

        Raises:
            WorkloaddError: it could not be started.
        """
        future = self._waiting.get(workload)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[workload] = loop.create_future()
            self._until[workload] = loop.time() + _KEPT
        self._wake()
        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.shield(future)
        except TimeoutError:
            return None

    def done(self, workload: str, run: int | None) -> None:
        """A run was begun, or is on already."""
        if (future := self._waiting.pop(workload, None)) and not future.done():
            future.set_result(run)

    def failed(self, workload: str, error: WorkloaddError) -> None:
        """It cannot be started: that is told, and not tried again."""
        if (future := self._waiting.pop(workload, None)) and not future.done():
            future.set_exception(error)
            # Nobody may be waiting any more.
            future.exception()
