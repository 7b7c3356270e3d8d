"""What one pass goes by: the files as they are, the host as it is, and what is remembered."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from workloadd.core.desired import Desired
from workloadd.core.errors import Transient
from workloadd.core.hands import without
from workloadd.core.memory import Memory, Question
from workloadd.core.observed import Observed
from workloadd.core.probe_targets import targets
from workloadd.core.prune import Needed, needed_images
from workloadd.core.socket_units import from_texts
from workloadd.core.versions import questions, references
from workloadd.core.world import World
from workloadd.execute import Executor
from workloadd.fleetlock import FleetLock
from workloadd.history import History
from workloadd.observe import Observer
from workloadd.prober import Prober
from workloadd.pulls import Pulls
from workloadd.requests import RunRequests
from workloadd.slices import breathe
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.ports import HostPort
from workloadd.updates import Updates

# Seconds that one look at the host may take. It bounds a pass, and so the silence that the
# watchdog has to bear.
LOOK_TIMEOUT = 45.0


class Source(Protocol):
    """Where the declared workloads come from; blocks, and is called in a thread."""

    def load(self, holders: Mapping[HostPort, str], running: Mapping[str, str]) -> Desired: ...


class Gatherer:
    """Gathers the world of a pass from all that know a part of it."""

    def __init__(
        self,
        source: Source,
        observer: Observer,
        history: History,
        executor: Executor,
        requests: RunRequests,
        pulls: Pulls,
        updates: Updates,
        locks: FleetLock,
        prober: Prober,
    ) -> None:
        self._source = source
        self._observer = observer
        self._history = history
        self._executor = executor
        self._requests = requests
        self._pulls = pulls
        self._updates = updates
        self._locks = locks
        self._prober = prober
        self._observed = Observed()
        self._needed = Needed()

    @property
    def needed_images(self) -> Needed:
        """What images were needed for at the last look; before the first it is not known."""
        return self._needed

    def forget(self) -> None:
        """Look at what hardly ever changes anew the next time."""
        self._observer.forget()

    async def world(self, now: float) -> tuple[World, dict[str, str]]:
        """The world at a time, and who was busy, with what, when the look at the host began.

        Raises:
            Transient: the host does not answer, at the latest after `LOOK_TIMEOUT`.
        """
        try:
            async with asyncio.timeout(LOOK_TIMEOUT):
                return await self._look(now)
        except TimeoutError:
            raise Transient(
                "HostSilent",
                f"cannot look at the host: no answer within {LOOK_TIMEOUT:.0f} s",
                "see journalctl --user -u podman.service and systemctl --user status",
            ) from None

    async def _look(self, now: float) -> tuple[World, dict[str, str]]:
        if not self._observed.workloads:
            # Who holds which port is known only from what runs.
            self._observed = await self._observe(Desired())
        known = self._observed
        desired = await asyncio.to_thread(self._source.load, port_holders(known), files_of(known))
        # What is busy now may be done by the time we look: it is planned for in the next pass.
        busy = dict(self._executor.busy)
        self._observed = observed = await self._observe(desired)
        self._prober.follow(targets(observed))
        await breathe()
        self._needed = needed_images(desired, observed, self._references(desired))
        return World(desired, observed, await self._memory(), now), busy

    async def _memory(self) -> Memory:
        bad, rollouts, last = await self._history.memory()
        attempts = dict(self._executor.attempts)
        bad = {**self._executor.bad, **bad}
        runs = await self._history.runs.recent()
        run_now = self._requests.wanted()
        hands = without(await self._history.hands.all(), self._executor.cleared)
        relapses = await self._history.relapses.recent()
        return Memory(
            bad,
            rollouts,
            last,
            self._pulls.view(),
            attempts,
            runs,
            run_now,
            health=self._prober.view(),
            hands=hands,
            relapses=relapses,
            registry=self._updates.view(),
            lock=self._locks.lock,
        )

    def _references(self, desired: Desired) -> set[str]:
        """The images that matter, as far as is known of what serves and of newer ones."""
        shown = {i for n in enabled(desired) for i in desired.workloads[n].needs.images}
        return shown | references(enabled(desired), self._observed, self._updates.view())

    async def _observe(self, desired: Desired) -> Observed:
        return await self._observer.observe(
            desired.workloads, self._references(desired), objects=_needs_objects(desired)
        )


def enabled(desired: Desired) -> dict[str, WorkloadSpec]:
    """The specs of what is to run."""
    return {n: d.spec for n, d in desired.workloads.items() if d.spec and d.spec.enabled}


def all_questions(desired: Desired) -> set[Question]:
    """What registries may be asked, of all workloads."""
    specs = enabled(desired).values()
    return {question for spec in specs for question in questions(spec).values()}


def _needs_objects(desired: Desired) -> bool:
    """Whether anything declared needs more of Podman than containers and images."""
    if desired.networks or desired.volumes:
        return True
    return any(
        one.needs.networks or one.needs.volumes or any(i.secrets for i in one.inputs.values())
        for one in desired.workloads.values()
    )


def port_holders(observed: Observed) -> dict[HostPort, str]:
    """Which workload's current deployment has which host port."""
    holders: dict[HostPort, str] = {}
    for name, seen in observed.workloads.items():
        record = seen.file.record if seen.file else None
        for _, container_id in record.containers if record else ():
            container = seen.by_id(container_id)
            sockets = container.params.sockets if container and container.params else ()
            for port in (
                (*container.ports, *(s.host for s in from_texts(sockets))) if container else ()
            ):
                holders[port] = name
    return holders


def files_of(observed: Observed) -> dict[str, str]:
    """From which workload file each workload that is deployed came."""
    seen = observed.workloads.items()
    return {name: one.file.record.source for name, one in seen if one.file and one.file.record}
