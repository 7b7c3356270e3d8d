"""Pulling only while there is room: before it, during it, and what it brought."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from workloadd.core.errors import Transient, WorkloaddError
from workloadd.core.prune import LocalImage
from workloadd.core.room import DiskFacts, Low, disk_low, short_of
from workloadd.host.disks import disks_of
from workloadd.host.podman import PodmanInfo

log = logging.getLogger(__name__)

# Seconds between two looks at the disk while something is pulled.
_LOOK = 0.5


class PodmanView(Protocol):
    """What this needs of Podman."""

    async def info(self) -> PodmanInfo: ...


class ImageList(Protocol):
    """What images there are."""

    async def local(self) -> tuple[LocalImage, ...]: ...


class Ours(Protocol):
    """Where it is noted which images were pulled."""

    async def ours(self) -> Collection[str]: ...

    async def pulled(self, image: str, names: Collection[str], at: float) -> None: ...


class Pruning(Protocol):
    """What makes room."""

    def pulling(self) -> AbstractAsyncContextManager[None]: ...

    async def make_room(self) -> None: ...


Disks = Callable[[PodmanInfo], tuple[DiskFacts, ...]]


class Room:
    """Watches over pulls; `low` is how much has to be free for one to begin."""

    def __init__(
        self,
        podman: PodmanView,
        images: ImageList,
        ours: Ours,
        pruner: Pruning,
        low: Low,
        *,
        clock: Callable[[], float],
        disks: Disks = disks_of,
    ) -> None:
        self._podman = podman
        self._images = images
        self._ours = ours
        self._pruner = pruner
        self._low = low
        self._clock = clock
        self._disks = disks
        self._info: PodmanInfo | None = None

    async def pull(self, reference: str, pull: Callable[[], Awaitable[str]]) -> None:
        """Pull an image by `pull` (which returns its ID), and note it as ours if it is new.

        Raises:
            Transient: there is too little room, or it ran out meanwhile (`DiskLow`).
        """
        await self._begin(reference)
        async with self._pruner.pulling():
            before = {image.id: image for image in await self._images.local()}
            image = await self._watched(reference, pull)
            await self._note(image, before.get(image))

    async def _begin(self, reference: str) -> None:
        """See that there is room, and make some where there is not."""
        if not await self._short(self._low):
            return
        await self._pruner.make_room()
        if short := await self._short(self._low):
            raise _error(reference, short[0], self._low, stopped=False)

    async def _watched(self, reference: str, pull: Callable[[], Awaitable[str]]) -> str:
        """The pull, ended before it fills the disk."""
        low = self._low.while_pulling
        task = asyncio.ensure_future(pull())
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
                if short := await self._short(low):
                    raise _error(reference, short[0], low, stopped=True)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _short(self, low: Low) -> tuple[DiskFacts, ...]:
        if self._info is None:
            self._info = await self._podman.info()
        return short_of(await asyncio.to_thread(self._disks, self._info), low)

    async def _note(self, image: str, before: LocalImage | None) -> None:
        """Note what a pull brought; an image that was there already stays whosever it was."""
        try:
            if before is not None and image not in await self._ours.ours():
                return
            there = {one.id: one for one in await self._images.local()}
            if found := there.get(image):
                names = found.names - (before.names if before else frozenset())
                if names or before is None:
                    await self._ours.pulled(image, names, self._clock())
        except WorkloaddError as error:
            log.warning("cannot note that %s was pulled: %s", image[:12], error.problem.message)


def _error(reference: str, disk: DiskFacts, low: Low, *, stopped: bool) -> Transient:
    problem = disk_low(reference, disk, low, stopped=stopped)
    return Transient(problem.reason, problem.message, problem.hint)
