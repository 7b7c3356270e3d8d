"""Carrying plans out: each workload's actions in order, all workloads side by side.

One task a workload, in the daemon's task group: while it runs, further passes leave that workload
alone. Podman's creates and systemd's start jobs are bounded apart from each other, so that some
containers are prepared while others start.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, assert_never

from workloadd.core import actions as a
from workloadd.core.backoff import delay
from workloadd.core.errors import Permanent, Problem, Transient, WorkloaddError
from workloadd.core.hands import Hand
from workloadd.core.memory import Attempt, Bad, Memory, OpenRollout
from workloadd.core.names import WHOLE, made_as, unit_name
from workloadd.core.observed import Ids
from workloadd.core.revision import Revision
from workloadd.history import History
from workloadd.host.journal_reader import podman_lines
from workloadd.host.podman import Podman
from workloadd.host.systemd import Systemd
from workloadd.host.units import UnitDirectory
from workloadd.metrics import SUPERSEDED, Metrics
from workloadd.prepare import Preparation
from workloadd.reload import ReloadGate
from workloadd.render.container import render_container
from workloadd.render.pod import render_pod
from workloadd.render.unit import render_units
from workloadd.requests import RunRequests
from workloadd.runs import Runner
from workloadd.slots import Slots
from workloadd.spec.names import MAIN_CONTAINER

log = logging.getLogger(__name__)

# Last log lines of a failed container that are kept in the history.
LOG_LINES = 20
# Stops cost no CPU, only patience: many may wait at once.
_STOPS = 64
# Seconds that a stop job may take here: systemd ends it itself, by the unit's TimeoutStopSec=.
_STOP_PATIENCE = 86_400.0
# Seconds before a failed step is tried again: the first time, and at the most.
_RETRY_BASE, _RETRY_CEILING = 2.0, 300.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at once: containers created, and start jobs of systemd in flight."""

    creates: int
    jobs: int


@dataclass(slots=True)
class _Run:
    """One workload's plan while it is carried out."""

    workload: str
    revision: str
    rollout: int = 0
    began: float = 0.0
    open: OpenRollout | None = None
    created: dict[str, str] = field(default_factory=dict)
    reloaded: bool = False
    committed: bool = False

    def filled(self, ids: Ids) -> Ids:
        """The same parts, with the containers that were created for them."""
        return tuple((part, one or self.created[made_as(part)]) for part, one in ids)


class Executor:
    """Does what plans say.

    `busy` maps the workloads whose actions are being carried out to the step they are at,
    `attempts` those with a failed step to when it may be tried again. `bad` are the revisions
    found bad since the daemon started, and `cleared` the wishes that were done, should the history
    not be able to keep that.
    """

    def __init__(
        self,
        podman: Podman,
        systemd: Systemd,
        units: UnitDirectory,
        history: History,
        preparation: Preparation,
        requests: RunRequests,
        keep: Callable[[Revision, float], Awaitable[None]],
        *,
        user: str,
        runtime_dir: Path,
        limits: Limits,
        clock: Callable[[], float],
        wake: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._podman = podman
        self._systemd = systemd
        self._units = units
        self._history = history
        self._preparation = preparation
        self._keep = keep
        self._user = user
        self._runtime_dir = runtime_dir
        self._clock = clock
        self._wake = wake
        self._metrics = metrics
        self._creates = Slots(limits.creates)
        self._jobs = Slots(limits.jobs)
        self._stops = Slots(_STOPS)
        self._restarts = Slots(limits.jobs)
        self._runner = Runner(podman, systemd, history, requests, starts=self._jobs, clock=clock)
        self._switching = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self.busy: dict[str, str] = {}
        self.attempts: dict[str, Attempt] = {}
        self.bad: dict[tuple[str, str], Bad] = {}
        self.cleared: set[Hand] = set()

    async def calm(self, timeout: float) -> None:
        """Wait until no service is between two containers; `timeout` seconds at the most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._calm.wait()

    def waiting(self, kind: Literal["create", "start", "stop"]) -> int:
        """How many steps of a kind wait for their turn."""
        if kind == "start":
            return self._jobs.waiting + self._restarts.waiting
        return (self._creates if kind == "create" else self._stops).waiting

    def submit(self, plan: a.Plan, memory: Memory, tasks: asyncio.TaskGroup) -> None:
        """Begin to carry out a pass's plan; workloads that are busy are left alone."""
        due = {n: p for n, p in plan.workloads.items() if p.actions and n not in self.busy}
        reloads = sum(1 for p in due.values() if _reloads(p))
        gate = ReloadGate(self._systemd.reload, reloads)
        for name, workload in due.items():
            self.busy[name] = workload.why
            run = _Run(name, workload.revision)
            run.open = memory.rollouts.get(name)
            if run.open and run.open.revision == run.revision:
                run.rollout, run.began = run.open.id, run.open.started_at
            tasks.create_task(self._carry_out(run, workload, gate), name=f"workload {name}")

    def forget_bad(self, workload: str) -> None:
        """Try again what failed: somebody says that it may go well by now."""
        self.bad = {key: bad for key, bad in self.bad.items() if key[0] != workload}
        self.attempts.pop(workload, None)

    def forget_attempts(self, plan: a.Plan, now: float) -> None:
        """Drop failed tries of workloads that need nothing any more: it came right by itself."""
        for name, attempt in list(self.attempts.items()):
            planned = plan.workloads.get(name)
            if name not in self.busy and now >= attempt.next_at and (not planned or planned.empty):
                del self.attempts[name]

    async def _carry_out(self, run: _Run, plan: a.WorkloadPlan, gate: ReloadGate) -> None:
        extra = {"workload": run.workload, "revision": run.revision}
        log.info("%s: %s", run.workload, plan.why, extra=extra)
        try:
            for action in plan.actions:
                log.debug("%s: %s", run.workload, action, extra=extra)
                await self._do(action, run, gate)
            self.attempts.pop(run.workload, None)
        except WorkloaddError as error:
            await self._failed(run, plan, error)
        finally:
            if _reloads(plan) and not run.reloaded:
                gate.leave()
            del self.busy[run.workload]
            self._wake()

    async def _failed(self, run: _Run, plan: a.WorkloadPlan, error: WorkloaddError) -> None:
        """Remember a failed step, and when to try again; end a rollout that Podman rejected."""
        extra = {"workload": run.workload, "revision": run.revision}
        log.warning("%s: %s", run.workload, error.problem, extra=extra)
        self._metrics.erred("workload", error.problem)
        now = self._clock()
        last = self.attempts.get(run.workload)
        count = last.count + 1 if last and last.revision == run.revision else 1
        pause = delay(count, _RETRY_BASE, _RETRY_CEILING, random.random())  # noqa: S311 - jitter
        self.attempts[run.workload] = Attempt(
            run.revision, count, error.problem, now + pause, plan.kind
        )
        if run.rollout and not run.committed and isinstance(error, Permanent):
            await self._noted(run, self._end(run, now, "failed", error.problem))

    async def _do(self, action: a.Action, run: _Run, gate: ReloadGate) -> None:
        match action:
            case a.BeginRollout() | a.EndRollout() | a.MarkBad() | a.Note() | a.ClearHand():
                await self._noted(run, self._record(action, run))
            case a.ReplaceFiles():
                await self._preparation.replace(action)
            case a.CreateContainers():
                await self._create(action, run)
            case a.RenameContainer() | a.StopContainer():
                await self._container(action)
            case a.RemoveContainer() | a.RemovePod() | a.RemoveVolumes() | a.RemoveNetworks():
                await self._dispose(action, run)
            case a.WriteUnits():
                await self._write_units(action, run)
            case a.RemoveUnits():
                await asyncio.to_thread(self._units.remove, run.workload)
            case a.DaemonReload():
                run.reloaded = True
                await gate.pass_through()
            case a.StartUnit() | a.RestartUnit() | a.StopUnit():
                await self._unit_job(action, run)
            case a.StartTimer() | a.StopTimer() | a.StartRun() | a.NoteRun() | a.EndRun():
                await self._runner.do(action, run.workload, run.created.get(MAIN_CONTAINER, ""))
            case a.StartSockets() | a.StopSockets():
                await self._socket_jobs(action)
            case a.ResetUnit():
                await self._systemd.reset_failed(unit_name(run.workload, action.part))
            case _:
                assert_never(action)

    async def _noted(self, run: _Run, write: Awaitable[None]) -> None:
        """Write to the history; a full disk must not keep a rollback from happening."""
        try:
            await write
        except Transient as error:
            self._metrics.erred("history", error.problem)
            log.warning("%s: not recorded: %s", run.workload, error.problem)

    async def _record(
        self,
        action: a.BeginRollout | a.EndRollout | a.MarkBad | a.Note | a.ClearHand,
        run: _Run,
    ) -> None:
        now = self._clock()
        match action:
            case a.BeginRollout():
                run.rollout = await self._history.begin(
                    run.workload, action.revision, action.from_revision, action.cause, now
                )
                run.began = now
                if run.open:
                    self._metrics.rolled_out(SUPERSEDED, now - run.open.started_at)
                if action.content:
                    await self._keep(action.content, now)
            case a.EndRollout():
                lines = await self._last_lines(run, action.container) if action.container else ()
                await self._end(run, now, action.outcome, action.problem, lines)
                log.info(
                    "%s: rollout ended %s%s",
                    run.workload,
                    action.outcome,
                    f": {action.problem.message}" if action.problem else "",
                    extra={"workload": run.workload, "revision": action.revision},
                )
            case a.MarkBad():
                key = (run.workload, action.revision)
                self.bad[key] = Bad(action.revision, action.problem, now)
                await self._history.mark_bad(run.workload, action.revision, action.problem, now)
            case a.Note():
                await self._history.note(run.workload, now, action.kind, action.message)
            case a.ClearHand():
                self.cleared.add(action.hand)
                await self._history.clear_hand(action.hand)

    async def _end(
        self,
        run: _Run,
        now: float,
        outcome: a.Outcome,
        problem: Problem | None,
        lines: tuple[str, ...] = (),
    ) -> None:
        """End the rollout; it counts once the history has that, or it would be ended again."""
        await self._history.end(run.rollout, now, outcome, problem, lines)
        run.open = None
        if run.rollout:
            self._metrics.rolled_out(outcome, now - run.began, problem)

    async def _last_lines(self, run: _Run, container: str) -> tuple[str, ...]:
        """What the container said last, and what podman said when it could not be started."""
        unit = unit_name(run.workload)
        said = await asyncio.to_thread(podman_lines, unit, run.began, LOG_LINES)
        try:
            lines = await self._podman.logs(container, LOG_LINES)
        except WorkloaddError as error:
            lines = (f"(no log: {error.problem.message})",)
        return (*lines, *said)[-LOG_LINES:]

    async def _create(self, action: a.CreateContainers, run: _Run) -> None:
        """Create what the revision needs; a pod before its containers."""
        revision, pod = action.revision, action.pod
        async with self._creates:
            for name in action.parts:
                part = revision.part(name)
                files = await self._preparation.prepare(revision, part)
                if part.spec is None:
                    document = render_pod(revision, self._user, self._runtime_dir)
                    pod, run.created[name] = await self._podman.create_pod(document)
                    continue
                run.created[name] = await self._podman.create(
                    render_container(revision, part, self._user, pod, files)
                )
        await self._step(run, "prepared", f"container {', '.join(run.created.values())}")

    async def _container(self, action: a.RenameContainer | a.StopContainer) -> None:
        match action:
            case a.RenameContainer():
                await self._podman.rename(action.container, action.name)
            case a.StopContainer():
                async with self._stops:
                    await self._podman.stop(action.container, int(action.timeout) + 1)

    async def _dispose(
        self,
        action: a.RemoveContainer | a.RemovePod | a.RemoveVolumes | a.RemoveNetworks,
        run: _Run,
    ) -> None:
        match action:
            case a.RemoveContainer():
                await self._podman.remove(action.container)
            case a.RemovePod():
                await self._podman.remove_pod(action.pod)
            case a.RemoveVolumes():
                for name in action.names:
                    volume = await self._podman.objects.volume(name)
                    if volume and volume.workload == run.workload:
                        await self._podman.objects.remove_volume(name)
            case a.RemoveNetworks():
                found = await self._podman.objects.look()
                for network in found.networks.values():
                    if network.workload == run.workload:
                        await self._podman.objects.remove_network(network.name)

    async def _write_units(self, action: a.WriteUnits, run: _Run) -> None:
        """Write the units: for a rollout this is the point of no return but by rollback."""
        record = action.record
        ids, trial = run.filled(record.containers), run.filled(record.trial)
        record = replace(record, containers=ids, trial=trial)
        texts = render_units(record, action.params)
        await asyncio.to_thread(self._units.write, run.workload, texts, enabled=action.enabled)
        for unit in texts:
            self._systemd.written(unit)
        run.committed = True
        if run.rollout and record.revision == run.revision:
            await self._noted(run, self._history.committed(run.rollout, self._clock()))
            await self._step(run, "committed", f"container {ids[0][1]}")

    async def _unit_job(self, action: a.StartUnit | a.RestartUnit | a.StopUnit, run: _Run) -> None:
        part = action.part
        unit = unit_name(run.workload, part)
        if isinstance(action, a.RestartUnit) and self._at_once(run.workload, unit):
            await self._restart(run, unit)
            return
        if isinstance(action, a.StopUnit | a.RestartUnit):
            async with self._stops:
                await self._systemd.stop(unit, timeout=_STOP_PATIENCE)
        if isinstance(action, a.RestartUnit | a.StopUnit) or action.reset:
            await self._reset(run.workload, part)
        if isinstance(action, a.StartUnit | a.RestartUnit):
            async with self._jobs:
                await self._systemd.start(unit)
            await self._step(run, "started", unit)

    def _at_once(self, workload: str, unit: str) -> bool:
        """Whether systemd may do both halves of a restart: nobody answers for the least time then.

        Where many are to be restarted, stops wait side by side and starts take turns.
        """
        return self._systemd.known(workload) == [unit] and not self._restarts.locked()

    async def _restart(self, run: _Run, unit: str) -> None:
        await self._systemd.reset_failed(unit)
        async with self._restarts:
            self._switching += 1
            self._calm.clear()
            try:
                await self._systemd.restart(unit, timeout=_STOP_PATIENCE)
            finally:
                self._switching -= 1
                if not self._switching:
                    self._calm.set()
        await self._step(run, "started", unit)

    async def _socket_jobs(self, action: a.StartSockets | a.StopSockets) -> None:
        for unit in action.units:
            if isinstance(action, a.StartSockets):
                await self._systemd.reset_failed(unit)
                await self._systemd.start(unit)
            else:
                async with self._stops:
                    await self._systemd.stop(unit, timeout=_STOP_PATIENCE)

    async def _reset(self, workload: str, part: str) -> None:
        """Forget failures and restarts: of the workload's own unit along with all the others."""
        units = self._systemd.known(workload) if part == WHOLE else []
        for unit in {unit_name(workload, part), *units}:
            await self._systemd.reset_failed(unit)

    async def _step(self, run: _Run, step: str, detail: str) -> None:
        self.busy[run.workload] = step
        if run.rollout:
            await self._noted(run, self._history.step(run.rollout, self._clock(), step, detail))


def _reloads(plan: a.WorkloadPlan) -> bool:
    return any(isinstance(action, a.DaemonReload) for action in plan.actions)
