"""The loop: wake up, read the world anew, plan, have the plan carried out, publish the status."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from workloadd.board import Board
from workloadd.core.actions import Plan
from workloadd.core.assess import Knowledge, assessments, newer_image, restarted
from workloadd.core.desired import Declared
from workloadd.core.drain import look
from workloadd.core.errors import Problem, Transient, WorkloaddError
from workloadd.core.plan import plan, plans
from workloadd.core.revision import Revision, spec_key
from workloadd.core.rollout import Policy
from workloadd.core.shared_status import assess_networks, assess_volumes
from workloadd.core.status import (
    ElsewhereStatus,
    PassStatus,
    Status,
    WorkloadStatus,
    moment,
)
from workloadd.core.updates import Outdated, outdated, to_check
from workloadd.core.upkeep import Upkeep, kept_of, plan_upkeep
from workloadd.core.usage import Target, targets
from workloadd.core.world import World
from workloadd.execute import Executor
from workloadd.fleetlock import FleetLock
from workloadd.gather import Gatherer, all_questions, enabled
from workloadd.history import History
from workloadd.metrics import Metrics
from workloadd.pulls import Pulls
from workloadd.settings.model import ReconcileSettings
from workloadd.slices import breathe, in_slices
from workloadd.updates import Updates
from workloadd.upkeep import Keeper

log = logging.getLogger(__name__)

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
# Plans made with pauses in between, before one is made without.
_PLANS = 2


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since the epoch, and monotonic seconds."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


class Reconciler:
    """Runs passes. `wake` asks for one; why is of no interest."""

    def __init__(
        self,
        gatherer: Gatherer,
        executor: Executor,
        keeper: Keeper,
        pulls: Pulls,
        updates: Updates,
        history: History,
        locks: FleetLock,
        board: Board,
        policy: Policy,
        timing: ReconcileSettings,
        clock: Clock,
        metrics: Metrics,
        *,
        on_pass: Callable[[Status], None] = lambda status: None,
        heartbeat: float = 20.0,
        problems: Callable[[], tuple[Problem, ...]] = tuple,
    ) -> None:
        self._gatherer = gatherer
        self._executor = executor
        self._keeper = keeper
        self._pulls = pulls
        self._updates = updates
        self._history = history
        self._locks = locks
        self._board = board
        self._policy = policy
        self._timing = timing
        self._clock = clock
        self._metrics = metrics
        self._on_pass = on_pass
        self._heartbeat = heartbeat
        self._problems = problems
        self._woken = asyncio.Event()
        self._woken_at = 0.0
        self._world: World | None = None

    def wake(self) -> None:
        """Have a pass run soon."""
        if not self._woken.is_set():
            self._woken_at = self._clock.monotonic()
            self._woken.set()

    def key_of(self, workload: str) -> str:
        """The key of a workload's file as the last pass read it, "" where it has no valid one."""
        declared, _ = self.wanted(workload) or (None, None)
        return spec_key(declared.spec) if declared and declared.spec else ""

    def wanted(self, workload: str) -> tuple[Declared, Revision | None] | None:
        """A workload's file as the last pass read it, and the revision that it comes to."""
        world = self._world
        declared = world.desired.workloads.get(workload) if world else None
        return (declared, world.resolution(workload).revision) if world and declared else None

    def targets(self) -> dict[str, Target]:
        """Where to read what the workloads use that ran at the last look."""
        return targets(self._world.observed.workloads) if self._world else {}

    @property
    def world(self) -> World | None:
        """The workloads as the last pass knew them; None before there was one."""
        return self._world

    def log_drivers(self, workload: str) -> dict[str, str]:
        """Where the output of each container of a workload goes, by its file."""
        declared, _ = self.wanted(workload) or (None, None)
        containers = declared.spec.containers_by_name if declared and declared.spec else {}
        return {name: one.logging.driver for name, one in containers.items()}

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Run passes for ever; actions and pulls become tasks of `tasks`."""
        while True:
            # What a look at the host costs is needed more for what is down for a moment.
            await self._executor.calm(_SWITCH)
            began = self._clock.monotonic()
            if self._woken.is_set():
                self._metrics.lagged(began - self._woken_at)
            self._woken.clear()
            wake_at = await self._pass(tasks)
            ended = self._clock.monotonic()
            self._metrics.passed(ended - began, ok=not self._board.status.passes.problem)
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
            self._told()
            try:
                async with asyncio.timeout(min(left, self._heartbeat)):
                    await self._woken.wait()
                return
            except TimeoutError:
                continue
        self._gatherer.forget()

    async def _pass(self, tasks: asyncio.TaskGroup) -> float | None:
        """One pass; returns when to have the next at the latest (seconds since the epoch)."""
        began = self._clock.monotonic()
        now = self._clock.now()
        try:
            world, busy = await self._gatherer.world(now)
        except WorkloaddError as error:
            self._metrics.erred("reconcile", error.problem)
            self._locks.looked(None)
            again = self._board.status.passes.problem == str(error.problem)
            log.log(logging.DEBUG if again else logging.WARNING, "%s", error.problem)
            self._board.publish(self._passed(self._board.status, began, now, str(error.problem)))
            self._told()
            return now + _RETRY
        world, planned = await self._plan(world)
        for name in busy:
            planned.workloads.pop(name, None)
        known = Knowledge(world, planned, busy)
        self._executor.submit(planned, world.memory, tasks)
        # What has just begun is told as such: it may be over by the next pass.
        begun = {**busy, **self._executor.busy}
        self._locks.looked(look(world, planned, busy))
        self._world = world
        await breathe()
        check_at = await self._submit(known, tasks)
        known = replace(known, busy=begun)
        before = {w.name: w for w in self._board.status.workloads}
        workloads = tuple(await in_slices(assessments(known, before)))
        status = self._passed(self._status(known, workloads), began, now, "")
        self._board.publish(status)
        self._told()
        await self._record(before, status.workloads, now)
        wakes = (planned.wake_at, self._keeper.wake_at, check_at)
        return min((w for w in wakes if w), default=None)

    async def _plan(self, world: World) -> tuple[World, Plan]:
        """The plan, and the world that it is for: the loop goes on while it is made.

        Who asks for a reboot meanwhile is answered by what this pass begins, so that counts; who
        asks all the time does not keep it from being made.
        """
        for _ in range(_PLANS):
            planned = Plan(dict(await in_slices(plans(world, self._policy))))
            if (lock := self._locks.lock) == world.memory.lock:
                return world, planned
            memory = replace(world.memory, lock=lock)
            world = World(world.desired, world.observed, memory, world.now)
        return world, plan(world, self._policy)

    async def _submit(self, known: Knowledge, tasks: asyncio.TaskGroup) -> float | None:
        """Have done what a pass wants besides; returns when a registry is to be asked next."""
        world, planned = known.world, known.plan
        self._keeper.submit(_upkeep(known), tasks)
        for workload in planned.workloads.values():
            for pull in workload.pulls:
                self._pulls.request(pull, tasks)
        self._pulls.forget(self._gatherer.needed_images.names)
        self._executor.forget_attempts(planned, world.now)
        await breathe()
        wanted = to_check(enabled(world.desired), world.memory)
        return self._updates.follow(wanted, all_questions(world.desired), tasks)

    def _status(self, known: Knowledge, workloads: tuple[WorkloadStatus, ...]) -> Status:
        """The status after a pass."""
        desired, observed = known.world.desired, known.world.observed
        failures = {key: failure.problem for key, failure in self._keeper.failures.items()}
        elsewhere = tuple(
            ElsewhereStatus(name=one.name, source=one.path, reason=one.reason)
            for one in desired.elsewhere
        )
        problems = (*desired.unreadable, *desired.problems, *self._problems())
        return self._board.status.model_copy(
            update={
                "workloads": workloads,
                "elsewhere": elsewhere,
                "networks": assess_networks(desired, observed, failures),
                "volumes": assess_volumes(desired, observed, failures),
                "problems": tuple(map(str, problems)),
                "reboot": self._locks.status(),
            }
        )

    async def outdated(self) -> list[Outdated]:
        """Ask the registries now, and say what each workload runs that is not the newest."""
        if self._world is None:
            return []
        await self._updates.check_now(all_questions(self._world.desired))
        self.wake()
        world = self._world
        memory = replace(world.memory, registry=self._updates.view())
        return outdated(enabled(world.desired), world.observed, memory)

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

    def _passed(self, status: Status, began: float, now: float, problem: str) -> Status:
        """A status with the pass counted, or what it failed of."""
        old = status.passes
        failing_since = old.failing_since or moment(now)
        passed = PassStatus(
            count=old.count + (0 if problem else 1),
            last=moment(now),
            duration=round(self._clock.monotonic() - began, 4),
            problem=problem,
            failing_since=failing_since if problem else None,
        )
        return status.model_copy(update={"passes": passed, "reboot": self._locks.status()})

    def _told(self) -> None:
        """The loop is alive, and there is news."""
        self._board.beat()
        self._on_pass(self._board.status)


def _upkeep(knowledge: Knowledge) -> tuple[Upkeep, ...]:
    """What to do besides the workloads' own plans."""
    planned = (name for name, plan in knowledge.plan.workloads.items() if plan.actions)
    active = {*knowledge.busy, *planned}
    return plan_upkeep(knowledge.world.desired, kept_of(knowledge.world.observed), active)
