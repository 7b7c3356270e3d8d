"""Carrying out what is planned for networks, volumes, secrets and kept files."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workloadd.core import upkeep as u
from workloadd.core.backoff import delay
from workloadd.core.errors import Permanent, Problem, Transient, WorkloaddError
from workloadd.core.needs import network_differs, network_taken, volume_differs, volume_taken
from workloadd.core.objects import (
    NeededNetwork,
    NeededVolume,
    Needs,
    Objects,
    made_of,
    object_labels,
)
from workloadd.core.observed import StoredFiles
from workloadd.host.fates import FateFile
from workloadd.host.filestore import FileStore
from workloadd.host.podman_objects import PodmanObjects
from workloadd.render.network import render_network
from workloadd.render.volume import render_volume

log = logging.getLogger(__name__)

# Seconds before a failed step is tried again: the first time, and at the most.
_RETRY_BASE, _RETRY_CEILING = 2.0, 300.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed: how often, why, and when (seconds since the epoch) it may be tried."""

    count: int
    problem: Problem
    next_at: float


class Keeper:
    """Makes and removes what containers need besides images.

    `failures` are the steps that failed, by what they are about. One task does the steps of a pass
    in order; until it is done, no other is begun.
    """

    def __init__(
        self,
        objects: PodmanObjects,
        files: FileStore,
        fates: FateFile,
        *,
        user: str,
        clock: Callable[[], float],
        wake: Callable[[], None],
        failed: Callable[[Problem], None] = lambda problem: None,
    ) -> None:
        self._objects = objects
        self._files = files
        self._fates = fates
        self._user = user
        self._clock = clock
        self._wake = wake
        self._told = failed
        self._lock = asyncio.Lock()
        self._busy = False
        self._last: Objects | None = None
        self.failures: dict[str, Failure] = {}

    async def look(self, *, needed: bool) -> tuple[Objects, StoredFiles, dict[str, str]]:
        """What there is. Podman is asked where somebody needs it, and while anything is ours."""
        if needed or self._last is None or _has_ours(self._last):
            self._last = await self._objects.look()
        files, fates = await asyncio.to_thread(lambda: (self._files.look(), self._fates.look()))
        return self._last, files, fates

    def submit(self, actions: tuple[u.Upkeep, ...], tasks: asyncio.TaskGroup) -> None:
        """Begin to do what is due; does not wait."""
        about = {str(action): action for action in actions}
        self.failures = {key: f for key, f in self.failures.items() if key in about}
        now = self._clock()
        due = {k: a for k, a in about.items() if k not in self.failures or self.next_at(k) <= now}
        if due and not self._busy:
            self._busy = True
            tasks.create_task(self._carry_out(due), name="upkeep")

    def next_at(self, key: str) -> float:
        """When a failed step may be tried again."""
        return self.failures[key].next_at

    @property
    def wake_at(self) -> float | None:
        """When to look again for the sake of a step that failed."""
        return min((failure.next_at for failure in self.failures.values()), default=None)

    async def ensure(self, needs: Needs) -> None:
        """See that networks and volumes are there and as they have to be."""
        for network in needs.networks:
            await self.ensure_network(network)
        for volume in needs.volumes:
            await self.ensure_volume(volume)

    async def ensure_network(self, needed: NeededNetwork) -> None:
        """Make a network that is missing; one that differs is made anew if nothing uses it."""
        labels = object_labels(self._user, needed.owner, needed.spec)
        document = render_network(needed.name, needed.spec, labels)
        # Of two that look and then make, the second would find what the first has made.
        async with self._lock:
            found = await self._objects.network(needed.name)
            if found is not None and found.workload != needed.owner:
                raise _as_error(network_taken(needed.name))
            if found is not None and found.made_of == made_of(needed.spec):
                return
            if found is not None:
                try:
                    await self._objects.remove_network(needed.name)
                except Transient as error:
                    if error.problem.reason != "NetworkInUse":
                        raise
                    raise _as_error(network_differs(needed.name, ())) from error
            await self._objects.create_network(document)

    async def ensure_volume(self, needed: NeededVolume) -> None:
        """Make a volume that is missing; none is made anew, whatever is in it."""
        labels = object_labels(self._user, needed.owner, needed.spec)
        document = render_volume(needed.name, needed.spec, labels)
        async with self._lock:
            found = await self._objects.volume(needed.name)
            if found is None:
                await self._objects.create_volume(document)
            elif found.workload is None and needed.owner:
                return
            elif found.workload != needed.owner:
                raise _as_error(volume_taken(needed.name))
            elif found.made_of != made_of(needed.spec):
                raise _as_error(volume_differs(needed.name))

    async def _carry_out(self, due: Mapping[str, u.Upkeep]) -> None:
        try:
            for key, action in due.items():
                try:
                    await self._do(action)
                except WorkloaddError as error:
                    self._failed(key, error.problem)
                else:
                    self.failures.pop(key, None)
                    log.info("%s", key)
        finally:
            self._busy = False
            self._wake()

    async def _do(self, action: u.Upkeep) -> None:
        match action:
            case u.EnsureNetwork():
                await self.ensure_network(action.needed)
            case u.EnsureVolume():
                await self.ensure_volume(action.needed)
            case u.DropNetwork():
                await self._objects.remove_network(action.name)
            case u.DropVolume():
                await self._objects.remove_volume(action.name)
            case u.DropSecrets():
                for name in action.names:
                    await self._objects.remove_secret(name)
            case u.DropFiles():
                await asyncio.to_thread(self._files.remove, action.stored, action.live)
            case u.KeepFates():
                await asyncio.to_thread(self._fates.keep, action.fates)

    def _failed(self, key: str, problem: Problem) -> None:
        self._told(problem)
        last = self.failures.get(key)
        count = last.count + 1 if last else 1
        again = last is not None and last.problem == problem
        log.log(logging.DEBUG if again else logging.WARNING, "%s", problem)
        pause = delay(count, _RETRY_BASE, _RETRY_CEILING, random.random())  # noqa: S311 - jitter
        self.failures[key] = Failure(count, problem, self._clock() + pause)


def _has_ours(objects: Objects) -> bool:
    owners = [network.workload for network in objects.networks.values()]
    owners += [volume.workload for volume in objects.volumes.values()]
    return bool(objects.secrets) or any(owner is not None for owner in owners)


def _as_error(problem: Problem) -> Permanent:
    return Permanent(problem.reason, problem.message, problem.hint)
