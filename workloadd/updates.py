"""Asking registries, now and then, what the tags that workloads go by stand for.

One question at a time for each registry, spread over the interval. What is learnt is kept in
memory: after a restart of the daemon it is asked for anew.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Protocol

from workloadd.core.backoff import delay
from workloadd.core.errors import WorkloaddError
from workloadd.core.memory import Latest
from workloadd.host.registry import TooMany

log = logging.getLogger(__name__)

# Seconds before a check that failed is tried again: the first time, and at the most.
_RETRY_BASE, _RETRY_CEILING = 60.0, 3600.0


class Asker(Protocol):
    """What checking needs of registries."""

    async def digest(self, reference: str) -> str: ...


class Updates:
    """What registries are known to have, by image reference.

    `interval` is in seconds; each check comes up to a `jitter` share of it earlier or later, the
    first one soon, but not all at once.
    """

    def __init__(
        self,
        registry: Asker,
        *,
        interval: float,
        jitter: float,
        clock: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._interval = interval
        self._jitter = jitter
        self._clock = clock
        self._wake = wake
        self._latest: dict[str, Latest] = {}
        self._failures: dict[str, int] = {}
        self._asking: set[str] = set()

    def view(self) -> Mapping[str, Latest]:
        """What is known."""
        return {ref: one for ref, one in self._latest.items() if one.checked_at}

    def follow(
        self, wanted: Mapping[str, float], named: Collection[str], tasks: asyncio.TaskGroup
    ) -> float | None:
        """Have what is due checked; `wanted` says since when an answer is wanted, 0.0 for in its
        time. What is not `named` any more is forgotten. Returns when the next one is due (seconds
        since the epoch)."""
        now = self._clock()
        self._latest = {ref: one for ref, one in self._latest.items() if ref in named}
        for reference, since in wanted.items():
            known = self._latest.setdefault(reference, Latest(next_at=now + self._first()))
            due = now >= known.next_at or known.checked_at < since
            if due and reference not in self._asking:
                self._asking.add(reference)
                tasks.create_task(self._check(reference), name=f"check {reference}")
        return min((self._latest[ref].next_at for ref in wanted), default=None)

    async def check_now(self, references: Collection[str]) -> None:
        """Ask about all of them, and wait for the answers."""
        due = [ref for ref in references if ref not in self._asking]
        self._asking.update(due)
        await asyncio.gather(*(self._check(ref) for ref in due))

    def _first(self) -> float:
        return random.random() * min(self._interval * self._jitter, 30.0)  # noqa: S311 - no secret

    async def _check(self, reference: str) -> None:
        before = self._latest.get(reference, Latest())
        try:
            digest = await self._registry.digest(reference)
        except WorkloaddError as error:
            found = replace(before, problem=error.problem, next_at=self._again(reference, error))
            log.log(
                logging.INFO if before.problem != error.problem else logging.DEBUG,
                "%s",
                error.problem,
            )
        else:
            self._failures.pop(reference, None)
            spread = self._interval * self._jitter * random.uniform(-1, 1)  # noqa: S311
            found = Latest(digest, next_at=self._clock() + self._interval + spread)
            if before.digest and before.digest != digest:
                log.info("%s is now %s", reference, digest)
        finally:
            self._asking.discard(reference)
        self._latest[reference] = replace(found, checked_at=self._clock())
        self._wake()

    def _again(self, reference: str, error: WorkloaddError) -> float:
        count = self._failures[reference] = self._failures.get(reference, 0) + 1
        pause = delay(count, _RETRY_BASE, _RETRY_CEILING, random.random())  # noqa: S311 - jitter
        if isinstance(error, TooMany):
            pause = max(pause, error.seconds)
        return self._clock() + pause
