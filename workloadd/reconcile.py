"""The loop: wake up, read the world anew, plan, have the plan carried out, publish the status."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from workloadd.board import Board
from workloadd.core.assess import Knowledge, assess, newer_image, restarted
from workloadd.core.desired import Declared, Desired
from workloadd.core.drain import look
from workloadd.core.errors import Problem, Transient, WorkloaddError
from workloadd.core.fleetlock import Look
from workloadd.core.hands import without
from workloadd.core.memory import Memory, Question
from workloadd.core.observed import Observed
from workloadd.core.plan import plan
from workloadd.core.probe_targets import targets
from workloadd.core.prune import Needed, needed_images
from workloadd.core.resolve import resolve
from workloadd.core.revision import Revision, spec_key
from workloadd.core.rollout import Policy
from workloadd.core.shared_status import assess_networks, assess_volumes
from workloadd.core.socket_units import from_texts
from workloadd.core.status import (
    ElsewhereStatus,
    PassStatus,
    SharedStatus,
    Status,
    WorkloadStatus,
    moment,
)
from workloadd.core.updates import Outdated, outdated, to_check
from workloadd.core.upkeep import Upkeep, kept_of, plan_upkeep
from workloadd.core.versions import questions, references
from workloadd.execute import Executor
from workloadd.fleetlock import FleetLock
from workloadd.history import History
from workloadd.observe import Observer
from workloadd.prober import Prober
from workloadd.pulls import Pulls
from workloadd.requests import RunRequests
from workloadd.settings.model import ReconcileSettings
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.ports import HostPort
from workloadd.updates import Updates
from workloadd.upkeep import Keeper

log = logging.getLogger(__name__)

# Seconds that one look at the host may take. It bounds a pass, and so the silence that the
# watchdog has to bear.
LOOK_TIMEOUT = 45.0
# Seconds until the next pass after one that could not look at the host.
_RETRY = 2.0
# A pass is followed by a pause of this many times its own length: under a storm of events the
# loop takes at most a quarter of its core, and Podman, which lists all containers for each pass,
# no more: both are needed for what caused the storm.
_PAUSE_FACTOR = 3.0
# … and of at most as many seconds: a pass that was long because it had to wait is no storm.
_PAUSE = 1.0
# Seconds that a pass waits at the most for services that are between two containers.
_SWITCH = 0.4


class Source(Protocol):
    """Where the declared workloads come from; blocks, and is called in a thread."""

    def load(self, holders: Mapping[HostPort, str], running: Mapping[str, str]) -> Desired: ...


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since the epoch, and monotonic seconds."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Reconciler:
    """Runs passes. `wake` asks for one; why is of no interest."""

    def __init__(
        self,
        source: Source,
        observer: Observer,
        executor: Executor,
        keeper: Keeper,
        requests: RunRequests,
        pulls: Pulls,
        updates: Updates,
        history: History,
        locks: FleetLock,
        board: Board,
        policy: Policy,
        timing: ReconcileSettings,
        clock: Clock,
        *,
        prober: Prober,
        on_pass: Callable[[Status], None] = lambda status: None,
        heartbeat: float = 20.0,
        problems: Callable[[], tuple[Problem, ...]] = tuple,
    ) -> None:
        self._prober = prober
        self._source = source
        self._observer = observer
        self._executor = executor
        self._keeper = keeper
        self._requests = requests
        self._pulls = pulls
        self._updates = updates
        self._history = history
        self._locks = locks
        self._board = board
        self._policy = policy
        self._timing = timing
        self._clock = clock
        self._on_pass = on_pass
        self._heartbeat = heartbeat
        self._problems = problems
        self._woken = asyncio.Event()
        self._observed = Observed()
        self._needed = Needed()
        self._knowledge: Knowledge | None = None
        self._source_problems: tuple[Problem, ...] = ()
        self._elsewhere: tuple[ElsewhereStatus, ...] = ()
        self._networks: tuple[SharedStatus, ...] = ()
        self._volumes: tuple[SharedStatus, ...] = ()

    @property
    def needed_images(self) -> Needed:
        """What images were needed for at the last look; before the first it is not known."""
        return self._needed

    def wake(self) -> None:
        """Have a pass run soon."""
        self._woken.set()

    def key_of(self, workload: str) -> str:
        """The key of a workload's file as the last pass read it, "" where it has no valid one."""
        declared, _ = self.wanted(workload) or (None, None)
        return spec_key(declared.spec) if declared and declared.spec else ""

    def wanted(self, workload: str) -> tuple[Declared, Revision | None] | None:
        """A workload's file as the last pass read it, and the revision that it comes to."""
        known = self._knowledge
        declared = known.desired.workloads.get(workload) if known else None
        if known is None or declared is None:
            return None
        return declared, resolve(declared, known.observed, known.memory, known.now).revision

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Run passes for ever; actions and pulls become tasks of `tasks`."""
        while True:
            # What a look at the host costs is needed more for what is down for a moment.
            await self._executor.calm(_SWITCH)
            self._woken.clear()
            began = self._clock.monotonic()
            wake_at = await self._pass(tasks)
            ended = self._clock.monotonic()
            await self._rest(wake_at)
            # A loop that has rested already looks as soon as the changes have settled.
            rested = self._clock.monotonic() - ended
            pause = min(_PAUSE_FACTOR * (ended - began), _PAUSE)
            await asyncio.sleep(max(self._timing.debounce, pause - rested))

    async def _rest(self, wake_at: float | None) -> None:
        """Wait until somebody wakes us or it is time, beating the board's heart meanwhile."""
        spread = self._timing.interval * self._timing.jitter
        until = self._clock.monotonic() + self._timing.interval + random.uniform(-spread, spread)  # noqa: S311
        if wake_at is not None:
            until = min(until, self._clock.monotonic() + wake_at - self._clock.now())
        while (left := until - self._clock.monotonic()) > 0:
            self._board.beat()
            self._on_pass(self._board.status)
            try:
                async with asyncio.timeout(min(left, self._heartbeat)):
                    await self._woken.wait()
                return
            except TimeoutError:
                continue
        self._observer.forget()

    async def _pass(self, tasks: asyncio.TaskGroup) -> float | None:
        """One pass; returns when to have the next at the latest (seconds since the epoch)."""
        began = self._clock.monotonic()
        now = self._clock.now()
        try:
            knowledge = await self._look_in_time(now)
        except WorkloaddError as error:
            self._locks.looked(None)
            again = self._board.status.passes.problem == str(error.problem)
            log.log(logging.DEBUG if again else logging.WARNING, "%s", error.problem)
            self._publish(self._board.status.workloads, began, now, str(error.problem))
            return now + _RETRY
        self._executor.submit(knowledge.plan, knowledge.memory, tasks)
        self._locks.looked(_what_is_seen(knowledge))
        self._keeper.submit(_upkeep(knowledge), tasks)
        for workload in knowledge.plan.workloads.values():
            for pull in workload.pulls:
                self._pulls.request(pull, tasks)
        self._pulls.forget(self._references(knowledge.desired))
        self._knowledge = knowledge
        check_at = self._updates.follow(
            to_check(_enabled(knowledge.desired), knowledge.memory), self._questions(), tasks
        )
        desired = knowledge.desired
        self._source_problems = (*desired.unreadable, *desired.problems)
        self._elsewhere = tuple(
            ElsewhereStatus(name=one.name, source=one.path, reason=one.reason)
            for one in desired.elsewhere
        )
        failures = {key: failure.problem for key, failure in self._keeper.failures.items()}
        self._networks = assess_networks(desired, knowledge.observed, failures)
        self._volumes = assess_volumes(desired, knowledge.observed, failures)
        before = {w.name: w for w in self._board.status.workloads}
        self._executor.forget_attempts(knowledge.plan, now)
        workloads = assess(knowledge, before)
        self._publish(workloads, began, now, "")
        await self._record(before, workloads, now)
        wakes = (knowledge.plan.wake_at, self._keeper.wake_at, check_at)
        return min((w for w in wakes if w), default=None)

    def _questions(self) -> set[Question]:
        """What registries may be asked, of all workloads."""
        known = self._knowledge
        specs = _enabled(known.desired).values() if known else ()
        return {question for spec in specs for question in questions(spec).values()}

    async def outdated(self) -> list[Outdated]:
        """Ask the registries now, and say what each workload runs that is not the newest."""
        await self._updates.check_now(self._questions())
        self.wake()
        known = self._knowledge
        if known is None:
            return []
        memory = replace(known.memory, registry=self._updates.view())
        return outdated(_enabled(known.desired), known.observed, memory)

    async def _record(
        self, before: Mapping[str, WorkloadStatus], after: Iterable[WorkloadStatus], now: float
    ) -> None:
        """Note in the history what systemd put right by itself, and what there is to roll out."""
        for workload in after:
            old, name = before.get(workload.name), workload.name
            if message := restarted(old, workload):
                log.info("%s: %s", name, message, extra={"workload": name})
                with suppress(Transient):  # a full disk is said by the host's conditions
                    await self._history.note(name, now, "restarted", message)
            if message := newer_image(old, workload):
                log.info("%s: %s", name, message, extra={"workload": name})
                with suppress(Transient):
                    await self._history.note_news(name, now, "newer-image", message)

    async def _look(self, now: float) -> Knowledge:
        """Everything a plan is made of, and the plan."""
        if not self._observed.workloads:
            # Who holds which port is known only from what runs.
            self._observed = await self._observe(Desired())
        known = self._observed
        desired = await asyncio.to_thread(self._source.load, port_holders(known), files_of(known))
        # What is busy now may be done by the time we look: it is planned for in the next pass.
        busy = dict(self._executor.busy)
        self._observed = observed = await self._observe(desired)
        self._prober.follow(targets(observed))
        self._needed = needed_images(desired, observed, self._references(desired))
        bad, rollouts, last = await self._history.memory()
        attempts = dict(self._executor.attempts)
        bad = {**self._executor.bad, **bad}
        runs = await self._history.runs.recent()
        run_now = self._requests.wanted()
        hands = without(await self._history.hands.all(), self._executor.cleared)
        relapses = await self._history.relapses.recent()
        # Without a pause from here to the submitting of the plan: who asks for a reboot meanwhile
        # is answered by what this pass begins.
        memory = Memory(
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
        planned = plan(desired, observed, memory, self._policy, now)
        for name in busy:
            planned.workloads.pop(name, None)
        return Knowledge(desired, observed, memory, planned, busy, now)

    def _references(self, desired: Desired) -> set[str]:
        """The images that matter, as far as is known of what serves and of newer ones."""
        return references(_enabled(desired), self._observed, self._updates.view())

    async def _observe(self, desired: Desired) -> Observed:
        return await self._observer.observe(
            desired.workloads, self._references(desired), objects=_needs_objects(desired)
        )

    async def _look_in_time(self, now: float) -> Knowledge:
        try:
            async with asyncio.timeout(LOOK_TIMEOUT):
                return await self._look(now)
        except TimeoutError:
            raise Transient(
                "HostSilent",
                f"cannot look at the host: no answer within {LOOK_TIMEOUT:.0f} s",
                "see journalctl --user -u podman.service and systemctl --user status",
            ) from None

    def _publish(
        self, workloads: Iterable[WorkloadStatus], began: float, now: float, problem: str
    ) -> None:
        old = self._board.status
        failing_since = old.passes.failing_since or moment(now)
        passed = PassStatus(
            count=old.passes.count + (0 if problem else 1),
            last=moment(now),
            duration=round(self._clock.monotonic() - began, 4),
            problem=problem,
            failing_since=failing_since if problem else None,
        )
        problems = tuple(str(p) for p in (*self._source_problems, *self._problems()))
        self._board.publish(
            old.model_copy(
                update={
                    "passes": passed,
                    "workloads": tuple(workloads),
                    "elsewhere": self._elsewhere,
                    "networks": self._networks,
                    "volumes": self._volumes,
                    "problems": problems,
                    "reboot": self._locks.status(),
                }
            )
        )
        self._board.beat()
        self._on_pass(self._board.status)


def _needs_objects(desired: Desired) -> bool:
    """Whether anything declared needs more of Podman than containers and images."""
    if desired.networks or desired.volumes:
        return True
    return any(
        one.needs.networks or one.needs.volumes or any(i.secrets for i in one.inputs.values())
        for one in desired.workloads.values()
    )


def _what_is_seen(k: Knowledge) -> Look:
    return look(k.desired, k.observed, k.memory, k.plan, k.busy)


def _upkeep(knowledge: Knowledge) -> tuple[Upkeep, ...]:
    """What to do besides the workloads' own plans."""
    planned = (name for name, plan in knowledge.plan.workloads.items() if plan.actions)
    active = {*knowledge.busy, *planned}
    return plan_upkeep(knowledge.desired, kept_of(knowledge.observed), active)


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


def _enabled(desired: Desired) -> dict[str, WorkloadSpec]:
    """The specs of what is to run."""
    return {n: d.spec for n, d in desired.workloads.items() if d.spec and d.spec.enabled}
