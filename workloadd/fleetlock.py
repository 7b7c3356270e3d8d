"""The lock for reboots of the host: who may reboot it, and when the workloads are stopped for that.

The loop stops and starts workloads by what `lock` says; this part answers the client, and lets the
lock go when its time is over.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from workloadd.core.backoff import delay
from workloadd.core.errors import Declined, WorkloaddError
from workloadd.core.fleetlock import (
    NO_LOCK,
    TABLE,
    Client,
    Event,
    Lock,
    Look,
    Move,
    Stage,
    apply,
    asked,
    refusal,
    released,
)
from workloadd.core.status import RebootStatus, moment
from workloadd.history.reboot_lock import LockRow

log = logging.getLogger(__name__)

# Seconds that who asks is kept waiting for workloads to stop; a connection may take ten in all.
PATIENCE = 8.0
# Seconds before the upstream server is told again of a release: the first time, and at the most.
_RETRY_BASE, _RETRY_CEILING = 5.0, 300.0


class UpstreamLock(Protocol):
    """What is needed of a server elsewhere."""

    async def lock(self, client: Client) -> None: ...

    async def release(self, client: Client) -> None: ...


class FleetLock:
    """Keeps the lock. `boot` names this boot of the host, `wake` has the loop look."""

    def __init__(
        self,
        row: LockRow,
        *,
        timeout: float,
        boot: str,
        clock: Callable[[], float],
        wake: Callable[[], None],
        upstream: UpstreamLock | None = None,
        enabled: bool = True,
    ) -> None:
        self._row = row
        self._timeout = timeout
        self._boot = boot
        self._clock = clock
        self._wake = wake
        self._upstream = upstream
        self._enabled = enabled
        self._lock = NO_LOCK
        self._look: Look | None = None
        self._looked = asyncio.Event()
        self._changed = asyncio.Event()
        # One question at a time, and no end of the lock in the midst of one.
        self._turn = asyncio.Lock()

    @property
    def lock(self) -> Lock:
        """The lock as it is now."""
        return self._lock if self._enabled else NO_LOCK

    async def open(self) -> None:
        """Take up what was kept; the host may have been rebooted since."""
        try:
            kept = await self._row.read()
        except WorkloaddError as error:
            log.warning("%s", error.problem)
            return
        self._lock = kept
        if kept.boot != self._boot and kept.stage is not Stage.FREE:
            await self._ended(Event.BOOTED)

    def looked(self, look: Look | None) -> None:
        """A pass has looked at the workloads; None where it could not."""
        self._look = look
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    async def ask(self, client: Client) -> None:
        """Ask for a reboot: returns where it is granted.

        Raises:
            Declined: it is not, or not yet.
            Transient: the lock cannot be kept, or the upstream server not be asked.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while True:
            looked = self._looked
            async with self._turn:
                event, move = await self._ask(client)
            if move is Move.GRANT:
                return
            problem = refusal(self._lock, event, self._look)
            if move not in (Move.DRAIN, Move.AWAIT) or loop.time() >= until:
                log.info("reboot for %s: %s", client.id, problem)
                raise Declined(problem.reason, problem.message, problem.hint)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await looked.wait()

    async def release(self, client: Client) -> None:
        """All is well: forget the lock, and start what was stopped. Released twice is fine.

        Raises:
            Declined, Transient: the upstream server has yet to be told; that is tried again.
        """
        async with self._turn:
            event = released(self._lock, client)
            if event is Event.RELEASED and self._lock.stage is not Stage.FREE:
                await self._ended(event)
            if self._upstream is None:
                return
            if self._is_free:
                # It may know of a lock that we forgot.
                await self._set(replace(self._lock, client=client, owed=True))
            await self._upstream.release(client)
            await self._settled()

    async def keep(self) -> None:
        """Let the lock go when its time is over, and tell the upstream server of releases."""
        failed = 0
        while True:
            self._changed.clear()
            wait = self._left
            if self._owes:
                wait = delay(failed, _RETRY_BASE, _RETRY_CEILING, random.random())  # noqa: S311
                wait = wait if failed else 0.0
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()
                    continue
            async with self._turn:
                if (left := self._left) is not None and left <= 0:
                    log.warning(
                        "the reboot of %s is undone: neither a reboot nor another question for"
                        " %.0f s; workloads start again",
                        self._lock.client.id,
                        self._timeout,
                    )
                    await self._ended(Event.EXPIRED)
                failed = failed + 1 if self._owes and not await self._pay() else 0

    def status(self) -> RebootStatus | None:
        """What is told of it; None where it is not enabled."""
        if not self._enabled:
            return None
        lock = self._lock
        return RebootStatus(
            state=_STATES[lock.stage],
            client=lock.client.id,
            since=moment(lock.at),
            message=self._message(),
        )

    def _message(self) -> str:
        lock = self._lock
        match lock.stage:
            case Stage.FREE if lock.undone and lock.boot == self._boot:
                return f"workloads were started again: {lock.undone}"
            case Stage.FREE:
                return ""
            case Stage.REBOOTED:
                return f"the host was rebooted; {lock.client.id} has yet to say steady-state"
        known = self._look is not None and self._look.began == lock.began
        progress = f": {self._look.progress}" if self._look and known else ""
        words = "granted to" if lock.stage is Stage.GRANTED else "asked for by"
        return f"{words} {lock.client.id}{progress}"

    @property
    def _is_free(self) -> bool:
        return self._lock.stage is Stage.FREE

    @property
    def _owes(self) -> bool:
        return self._lock.owed and self._is_free and self._upstream is not None

    @property
    def _left(self) -> float | None:
        """Seconds until the lock is over, if it is held."""
        return None if self._is_free else self._lock.at + self._timeout - self._clock()

    async def _ask(self, client: Client) -> tuple[Event, Move]:
        event = asked(self._lock, client, self._look)
        move = TABLE[self._lock.stage][event].move
        if move is Move.DRAIN and self._upstream:
            await self._upstream.lock(client)
            # It took a while.
            event = asked(self._lock, client, self._look)
            move = TABLE[self._lock.stage][event].move
            if move is not Move.DRAIN:
                await self._set(replace(self._lock, client=client, owed=True))
                return event, move
        if move in (Move.DRAIN, Move.AWAIT, Move.GRANT):
            if move is Move.DRAIN:
                log.info("reboot for %s: stopping the workloads", client.id)
            await self._set(apply(self._lock, event, self._clock(), self._boot, client))
        elif move is Move.ABANDON:
            await self._ended(event)
        return event, move

    async def _ended(self, event: Event) -> None:
        """Workloads are started again, whether or not that can be kept."""
        lock = apply(self._lock, event, self._clock(), self._boot)
        owes = self._upstream is not None and lock.stage is Stage.FREE
        log.info("reboot for %s: %s", lock.client.id, event.value)
        lock = replace(lock, owed=owes)
        try:
            await self._set(lock)
        except WorkloaddError as error:
            log.warning("%s", error.problem)
            self._take(lock)

    async def _set(self, lock: Lock) -> None:
        if lock != self._lock:
            await self._row.keep(lock)
            self._take(lock)

    def _take(self, lock: Lock) -> None:
        self._lock = lock
        self._changed.set()
        self._wake()

    async def _pay(self) -> bool:
        """Tell the upstream server of a release."""
        if self._upstream is None:
            return True
        try:
            await self._upstream.release(self._lock.client)
            await self._settled()
        except WorkloaddError as error:
            log.warning("%s", error.problem)
            return False
        return True

    async def _settled(self) -> None:
        if self._is_free:
            await self._set(replace(self._lock, owed=False))


_STATES = {
    Stage.FREE: "free",
    Stage.DRAINING: "draining",
    Stage.GRANTED: "granted",
    Stage.REBOOTED: "rebooted",
}
