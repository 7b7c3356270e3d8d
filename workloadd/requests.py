"""Runs that people asked for: kept until the loop has begun them, or cannot."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from workloadd.core.errors import Declined, WorkloaddError
from workloadd.core.hands import Answer, Ask, Hand
from workloadd.core.status import WorkloadStatus

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


class HandsStore(Protocol):
    """Where wishes are kept."""

    async def set(self, hand: Hand) -> None: ...


class HasHands(Protocol):
    """The history, as far as wishes go."""

    @property
    def hands(self) -> HandsStore: ...


class UpdateRequests:
    """Newer images that people ask for: kept until they are rolled out, or there are none."""

    def __init__(
        self, history: HasHands, clock: Callable[[], float], wake: Callable[[], None]
    ) -> None:
        self._history = history
        self._clock = clock
        self._wake = wake

    async def ask(self, workload: WorkloadStatus, ask: Ask) -> Answer:
        """Let newer images of a workload in.

        Raises:
            Declined: nothing of it can have a newer one.
        """
        kinds = {hand.kind for hand in workload.by_hand}
        if "update" in kinds:
            return Answer("an update was asked for already", changed=False)
        if kept := kinds & {"pause", "stop", "hold"}:
            said = {"pause": "paused", "stop": "stopped", "hold": "held at a revision"}
            why = ", ".join(sorted(said[kind] for kind in kept))
            hint = f"go on with workloadctl resume {workload.name}"
            raise Declined("HeldBack", f"cannot update {workload.name}: it is {why}", hint)
        if not workload.enabled or workload.current is None:
            raise Declined("NotDeployed", f"cannot update {workload.name}: it is not deployed")
        if not workload.tagged:
            message = f"cannot update {workload.name}: its image goes by a digest, and never moves"
            raise Declined("Pinned", message, "change the digest in its file")
        hand = Hand(workload.name, "update", ask.by, self._clock(), ask.reason)
        await self._history.hands.set(hand)
        self._wake()
        return Answer("newer images are rolled out, if there are any")
