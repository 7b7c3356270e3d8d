"""plan(): what is declared and observed and remembered, to what is to be done now.

Pure and memoryless: a pass that was interrupted anywhere is carried on by the next call, because
every step leaves something that can be observed (a container, a unit file, a name).
"""

from collections.abc import Iterator
from dataclasses import replace

from workloadd.core.actions import (
    Note,
    Plan,
    WorkloadPlan,
)
from workloadd.core.by_hand import at_rest, by_hand, due_by_hand
from workloadd.core.case import Case
from workloadd.core.converge import converge
from workloadd.core.dependencies import waiting_to_replace, waiting_to_start
from workloadd.core.desired import Declared
from workloadd.core.drain import drain, is_drained
from workloadd.core.forward import is_prepared
from workloadd.core.job import is_job, plan_job
from workloadd.core.live import bring_files
from workloadd.core.memory import Attempt
from workloadd.core.observed import Seen
from workloadd.core.removal import remove
from workloadd.core.resolve import Resolution
from workloadd.core.revision import Revision
from workloadd.core.rollout import Policy
from workloadd.core.stop_order import stops_after
from workloadd.core.updates import finish_update
from workloadd.core.world import World


def plan(world: World, policy: Policy) -> Plan:
    """What to do now for every workload that is declared or still here.

    The plan of one is the same whatever the others are, but for those that it depends on.
    """
    return Plan(dict(plans(world, policy)))


def plans(world: World, policy: Policy) -> Iterator[tuple[str, WorkloadPlan]]:
    """The same, one by one: of many workloads this takes a while."""
    memory = world.memory
    for name in sorted({*world.desired.workloads, *world.observed.workloads, *memory.hands}):
        planned = _plan_one(name, world, policy)
        yield name, _held_back(planned, memory.attempts.get(name), world.now)


def _held_back(planned: WorkloadPlan, attempt: Attempt | None, now: float) -> WorkloadPlan:
    """The same plan that failed a moment ago has to wait, whatever it is about."""
    if attempt is None or now >= attempt.next_at or not planned.actions:
        return planned
    if (planned.kind, planned.revision) != (attempt.kind, attempt.revision):
        return planned
    wake_at = min(w for w in (planned.wake_at, attempt.next_at) if w)
    return WorkloadPlan(why=attempt.problem.message, pulls=planned.pulls, wake_at=wake_at)


def _plan_one(name: str, world: World, policy: Policy) -> WorkloadPlan:
    seen, memory = world.seen(name), world.memory
    declared = world.desired.workloads.get(name)
    if seen.unit.masked:
        return WorkloadPlan(why="paused: its unit is masked")
    if seen.file and seen.file.problem:
        return WorkloadPlan(why=seen.file.problem.message)
    if declared is None and (pause := memory.hand(name, "pause")):
        return WorkloadPlan(why=f"paused {pause.words}")
    if other := stops_after(name, world):
        return WorkloadPlan(why=f"{other}, which was started after it, stops first")
    if declared is None:
        return remove(name, world.desired, seen, memory)
    if is_drained(name, declared, seen, memory):
        return drain(declared, seen, memory.lock)
    resolution, current = world.resolution(name), world.current(name)
    case = Case(
        declared=declared,
        seen=seen,
        current=current,
        wanted=resolution.revision,
        memory=memory,
        policy=policy.of(declared.spec),
        boot=world.observed.manager_started_at,
        now=world.now,
        waiting=waiting_to_replace(resolution.revision, world),
        holding=waiting_to_start(current, world),
    )
    if (asked := by_hand(case)) is not None:
        return asked
    if declared.spec is not None and not declared.spec.enabled:
        return _disable(declared, seen)
    due = due_by_hand(case, _due(case, resolution))
    planned = plan_job(case, due) if is_job(case) else converge(case, due)
    problem = resolution.problem or resolution.obstacle
    if problem and not (due or case.current or is_job(case)):
        planned = WorkloadPlan(why=problem.message)
    if case.current and not due and not planned.actions:
        planned = bring_files(case, case.current) or planned
    waits = case.waiting if case.waiting.lacking else case.holding
    if waits.lacking and not planned.actions:
        planned = replace(planned, why=waits.message)
    update = memory.hand(name, "update")
    if update and declared.spec and not (due or planned.actions or resolution.pulls):
        planned = finish_update(update, declared.spec, world.observed, memory, world.now) or planned
    retry_at = case.retry_at(resolution.revision.digest) if resolution.revision else None
    wakes = [w for w in (planned.wake_at, resolution.wake_at, retry_at) if w]
    return replace(planned, pulls=resolution.pulls, wake_at=min(wakes, default=None))


def _due(case: Case, resolution: Resolution) -> Revision | None:
    """The resolved revision, where it is to be rolled out now."""
    revision, current = resolution.revision, case.current
    if revision is None or resolution.obstacle:
        return None
    for one in (current, current.trial) if current else ():
        if one and one.revision == revision.digest and one.complete:
            return None
    if case.waiting.lacking and not is_job(case) and is_prepared(case, revision):
        return None
    refused = case.bad(revision.digest) or case.seen.taken(case.name, revision.made_of)
    return None if refused or case.retry_at(revision.digest) else revision


def _disable(declared: Declared, seen: Seen) -> WorkloadPlan:
    """Keep a disabled workload's deployment, stopped and not started at boot."""
    note = Note("disabled", "stopped: the file says enabled: false")
    return WorkloadPlan(tuple(at_rest(seen, note)), why=f"{declared.name} is disabled")
