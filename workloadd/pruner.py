"""Removing images that were pulled for workloads and that nobody needs any more.

From time to time, when disk space is low, and when somebody asks for it. One image after the
other, none while a pull is on: what a pull finds to be there already must not go under its hands.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from workloadd.core.errors import Problem, Transient, WorkloaddError
from workloadd.core.prune import Doomed, LocalImage, Needed, OurImage, prunable, used_images
from workloadd.core.room import size_text
from workloadd.host.podman import ContainerList
from workloadd.settings.model import PruneSettings

log = logging.getLogger(__name__)

# Share of the interval by which it varies at random, so that hosts do not march in step.
_JITTER = 0.2
# Seconds until the first look at the most: a host that is often restarted is looked at as well.
_FIRST = 600.0


class ImageStore(Protocol):
    """What pruning needs of Podman."""

    async def local(self) -> tuple[LocalImage, ...]: ...

    async def mounted(self, container: str) -> frozenset[str]: ...

    async def remove(self, name: str) -> bool: ...


class Containers(Protocol):
    """Who else needs images."""

    async def containers(self) -> ContainerList: ...


class Ours(Protocol):
    """What is known of the images that were pulled."""

    async def ours(self) -> Mapping[str, OurImage]: ...

    async def used(self, images: set[str], at: float) -> None: ...

    async def forget(self, images: set[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, or would be; `at` is in seconds since the epoch."""

    images: tuple[Doomed, ...]
    at: float
    problem: Problem | None = None

    @property
    def size(self) -> int:
        """Bytes of what was removed; layers that others share may have stayed."""
        return sum(image.size for image in self.images)


class Pruner:
    """Removes images. `last` is what was removed the last time that there was anything."""

    def __init__(
        self,
        podman: Containers,
        store: ImageStore,
        ours: Ours,
        settings: PruneSettings,
        *,
        needed: Callable[[], Needed],
        clock: Callable[[], float],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._podman = podman
        self._store = store
        self._ours = ours
        self._settings = settings
        self._needed = needed
        self._clock = clock
        self._told = told
        self._lock = asyncio.Lock()
        self._pulls = 0
        self.last: Pruned | None = None

    async def run(self) -> None:
        """Look from time to time, for ever."""
        interval = min(self._settings.interval, _FIRST)
        while True:
            await asyncio.sleep(interval * (1 + random.uniform(-_JITTER, _JITTER)))  # noqa: S311
            if self._settings.images:
                with suppress(WorkloaddError):  # said in the log, and tried again
                    await self.prune(self._settings.keep)
            interval = self._settings.interval

    @asynccontextmanager
    async def pulling(self) -> AsyncIterator[None]:
        """While a pull is on: nothing is removed."""
        async with self._lock:
            self._pulls += 1
        try:
            yield
        finally:
            self._pulls -= 1

    async def make_room(self) -> None:
        """Remove whatever nobody needs just now, however short it has been so."""
        if self._settings.images:
            with suppress(WorkloaddError):  # then there is no more room than there is
                await self.prune(0.0)

    async def prune(self, keep: float = 0.0, *, dry_run: bool = False) -> Pruned:
        """Remove what has been unused for so many seconds; with `dry_run` say what that would be.

        Raises:
            Transient: Podman or the history could not be asked.
        """
        async with self._lock:
            try:
                found = await self._look(keep)
            except WorkloaddError as error:
                log.warning("cannot look for unused images: %s", error.problem.message)
                raise
            now = self._clock()
            if dry_run or not found:
                return Pruned(found, now, self._obstacle())
            removed = [image for image in found if await self._remove(image)]
        pruned = Pruned(tuple(removed), now, self._obstacle())
        if removed:
            self.last = pruned
            log.info("removed %d unused images, %s", len(removed), size_text(pruned.size))
            self._told()
        return pruned

    async def survey(self) -> tuple[tuple[LocalImage, ...], frozenset[str], frozenset[str]]:
        """All local images; of these, by ID, what was pulled for workloads, and what nobody needs.

        Raises:
            Transient: Podman or the history could not be asked.
        """
        async with self._lock:
            unused = await self._look(0.0)
            ours = await self._ours.ours()
            return await self._store.local(), frozenset(ours), frozenset(one.id for one in unused)

    async def _look(self, keep: float) -> tuple[Doomed, ...]:
        """What may be removed; on the way, remember what is in use and forget what is gone."""
        ours = await self._ours.ours()
        if not ours:
            return ()
        local = await self._store.local()
        await self._ours.forget(ours.keys() - {image.id for image in local})
        containers = (await self._podman.containers()).images
        used, needed, now = set(containers.values()), self._needed(), self._clock()

        def unused() -> tuple[Doomed, ...]:
            return prunable(local, ours, needed, used, keep=keep, now=now)

        if not self._obstacle() and unused():
            # What is mounted is not in the list: it is asked for where it matters.
            for container in containers:
                used |= await self._store.mounted(container)
        await self._ours.used(used_images(local, needed, used) & ours.keys(), now)
        return () if self._obstacle() else unused()

    async def _remove(self, image: Doomed) -> bool:
        """Remove one, if it is still not needed; Podman refuses what a container uses."""
        needed = self._needed()
        if image.id in needed.ids or needed.names & set(image.names) or self._obstacle():
            return False
        try:
            for name in image.names or (image.id,):
                await self._store.remove(name)
        except WorkloaddError as error:
            log.info("kept the image %s: %s", image.label, error.problem.message)
            return False
        log.info("removed the unused image %s, %s", image.label, size_text(image.size))
        with suppress(Transient):
            await self._ours.forget({image.id})
        return True

    def _obstacle(self) -> Problem | None:
        """Why nothing may be removed just now, if that is so."""
        if self._pulls:
            return Problem(
                "Pulling", "cannot remove images: a pull is on, and may need their layers"
            )
        if not self._needed().sure:
            return Problem(
                "NotSure", "cannot remove images: not all workload files can be read just now"
            )
        return None
