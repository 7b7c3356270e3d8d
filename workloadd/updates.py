"""Asking registries, now and then, what the tags that workloads go by stand for.

One question at a time for each registry, spread over the interval. What is learnt is kept in
memory: after a restart of the daemon it is asked for anew.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from workloadd.core.backoff import delay
from workloadd.core.errors import WorkloaddError
from workloadd.core.memory import Latest, Question
from workloadd.host.registry import TooMany
from workloadd.metrics import Metrics
from workloadd.spec.versions import newest_in_range

log = logging.getLogger(__name__)

# Seconds before a check that failed is tried again: the first time, and at the most.
_RETRY_BASE, _RETRY_CEILING = 60.0, 3600.0


class Asker(Protocol):
    """What checking needs of registries."""

    async def digest(self, reference: str) -> str: ...

    async def tags(self, reference: str) -> Sequence[str]: ...


class Updates:
    """What registries are known to have, by what they were asked.

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
        metrics: Metrics,
    ) -> None:
        self._registry = registry
        self._interval = interval
        self._jitter = jitter
        self._clock = clock
        self._wake = wake
        self._metrics = metrics
        self._latest: dict[Question, Latest] = {}
        self._failures: dict[Question, int] = {}
        self._asking: set[Question] = set()

    def view(self) -> Mapping[Question, Latest]:
        """What is known."""
        return {asked: one for asked, one in self._latest.items() if one.checked_at}

    def follow(
        self,
        wanted: Mapping[Question, float],
        named: Collection[Question],
        tasks: asyncio.TaskGroup,
    ) -> float | None:
        """Have what is due checked; `wanted` says since when an answer is wanted, 0.0 for in its
        time. What is not `named` any more is forgotten. Returns when the next one is due (seconds
        since the epoch)."""
        now = self._clock()
        self._latest = {asked: one for asked, one in self._latest.items() if asked in named}
        for question, since in wanted.items():
            known = self._latest.setdefault(question, Latest(next_at=now + self._first()))
            due = now >= known.next_at or known.checked_at < since
            if due and question not in self._asking:
                self._asking.add(question)
                tasks.create_task(self._check(question), name=f"check {question.reference}")
        return min((self._latest[one].next_at for one in wanted), default=None)

    async def check_now(self, questions: Collection[Question]) -> None:
        """Ask about all of them, and wait for the answers."""
        due = [one for one in questions if one not in self._asking]
        self._asking.update(due)
        await asyncio.gather(*(self._check(one) for one in due))

    def _first(self) -> float:
        return random.random() * min(self._interval * self._jitter, 30.0)  # noqa: S311 - no secret

    async def _check(self, question: Question) -> None:
        before = self._latest.get(question, Latest())
        try:
            reference = await self._newest(question)
            digest = await self._registry.digest(reference)
        except WorkloaddError as error:
            self._metrics.erred("registry", error.problem)
            found = replace(before, problem=error.problem, next_at=self._again(question, error))
            log.log(
                logging.INFO if before.problem != error.problem else logging.DEBUG,
                "%s",
                error.problem,
            )
        else:
            self._failures.pop(question, None)
            spread = self._interval * self._jitter * random.uniform(-1, 1)  # noqa: S311
            found = Latest(reference, digest, next_at=self._clock() + self._interval + spread)
            if before.digest and (before.reference, before.digest) != (reference, digest):
                log.info("%s is now %s", reference, digest)
        finally:
            self._asking.discard(question)
        self._latest[question] = replace(found, checked_at=self._clock())
        self._wake()

    async def _newest(self, question: Question) -> str:
        """The newest image in the range of a question; without a range the one asked about."""
        if not question.versions:
            return question.reference
        tags = await self._registry.tags(question.reference)
        return newest_in_range(question.reference, question.versions, tags)

    def _again(self, question: Question, error: WorkloaddError) -> float:
        count = self._failures[question] = self._failures.get(question, 0) + 1
        pause = delay(count, _RETRY_BASE, _RETRY_CEILING, random.random())  # noqa: S311 - jitter
        if isinstance(error, TooMany):
            pause = max(pause, error.seconds)
        return self._clock() + pause
