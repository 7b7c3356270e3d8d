"""plan(): what is declared and observed and remembered, to what is to be done now.

Pure and memoryless: a pass that was interrupted anywhere is carried on by the next call, because
every step leaves something that can be observed (a container, a unit file, a name).
"""

from dataclasses import replace

from workloadd.core.actions import (
    Action,
    BeginRollout,
    CreateContainer,
    DaemonReload,
    Note,
    Plan,
    RemoveContainer,
    RestartUnit,
    StartUnit,
    StopUnit,
    WorkloadPlan,
    WriteUnit,
)
from workloadd.core.case import Case
from workloadd.core.converge import converge
from workloadd.core.desired import Declared, Desired
from workloadd.core.memory import Attempt, Memory
from workloadd.core.names import SHORT
from workloadd.core.observed import Container, Observed, Seen, UnitRecord
from workloadd.core.removal import remove
from workloadd.core.resolve import resolve
from workloadd.core.revision import Revision, UnitParams
from workloadd.core.rollout import Current, Policy, current_deployment, unproven


def plan(desired: Desired, observed: Observed, memory: Memory, policy: Policy, now: float) -> Plan:
    """What to do now for every workload that is declared or still here.

    Workloads do not see each other: the plan of one is the same whatever the others are.
    """
    names = sorted(set(desired.workloads) | set(observed.workloads))
    return Plan(
        {
            name: _held_back(
                _plan_one(name, desired, observed, memory, policy, now),
                memory.attempts.get(name),
                now,
            )
            for name in names
        }
    )


def _held_back(planned: WorkloadPlan, attempt: Attempt | None, now: float) -> WorkloadPlan:
    """The same plan that failed a moment ago has to wait, whatever it is about."""
    if attempt is None or now >= attempt.next_at or not planned.actions:
        return planned
    if (planned.kind, planned.revision) != (attempt.kind, attempt.revision):
        return planned
    wake_at = min(w for w in (planned.wake_at, attempt.next_at) if w)
    return WorkloadPlan(why=attempt.problem.message, pull=planned.pull, wake_at=wake_at)


def _plan_one(
    name: str, desired: Desired, observed: Observed, memory: Memory, policy: Policy, now: float
) -> WorkloadPlan:
    seen = observed.workloads.get(name, Seen())
    declared = desired.workloads.get(name)
    if seen.unit.masked:
        return WorkloadPlan(why="paused: its unit is masked")
    if seen.file and seen.file.problem:
        return WorkloadPlan(why=seen.file.problem.message)
    if declared is None:
        return remove(name, desired, seen, memory)
    if declared.spec is not None and not declared.spec.enabled:
        return _disable(declared, seen)
    resolution = resolve(declared, observed, memory, now)
    case = Case(
        declared=declared,
        seen=seen,
        current=current_deployment(name, seen),
        wanted=resolution.revision,
        memory=memory,
        policy=policy,
        boot=observed.manager_started_at,
        now=now,
    )
    if resolution.revision and not resolution.obstacle and _due(case, resolution.revision):
        planned = _roll_forward(case, resolution.revision)
    elif case.current:
        planned = converge(case, case.current)
    else:
        problem = resolution.problem or resolution.obstacle
        planned = WorkloadPlan(why=problem.message if problem else "")
    retry_at = case.retry_at(resolution.revision.digest) if resolution.revision else None
    wakes = [w for w in (planned.wake_at, resolution.wake_at, retry_at) if w]
    return replace(planned, pull=resolution.pull, wake_at=min(wakes, default=None))


def _due(case: Case, revision: Revision) -> bool:
    """Whether the resolved revision is to be rolled out now."""
    current = case.current
    if current and current.revision == revision.digest and current.container:
        return False
    refused = case.bad(revision.digest) or case.seen.name_taken
    return not refused and case.retry_at(revision.digest) is None


def cause_of(revision: Revision, current: Current | None) -> str:
    """Why a revision is rolled out, in words."""
    if current is None:
        return "new workload"
    if current.revision == revision.digest:
        return "drift: its container was removed"
    if current.container and current.container.image_id != revision.image_id:
        if current.container.image == revision.spec.image:
            return f"image {revision.spec.image} is now {revision.image_digest}"
        return f"image changed to {revision.spec.image}"
    return "the workload file changed"


def _roll_forward(case: Case, revision: Revision) -> WorkloadPlan:
    """From the current deployment, or none, to `revision`: prepare, commit, start."""
    cause = cause_of(revision, case.current)
    prepared = _prepared(case, revision)
    prepare: list[Action] = []
    if prepared is None:
        stale = [c for c in case.seen.containers if c.revision == revision.digest]
        prepare = [*(RemoveContainer(c.id) for c in stale), CreateContainer(revision)]
    begin: list[Action] = []
    if case.rollout is None or case.rollout.revision != revision.digest:
        from_revision = case.current.revision if case.current else ""
        begin = [BeginRollout(revision.digest, from_revision, cause)]
    # What Podman rejected is tried again, but the history hears of it only when it is taken.
    actions = [*prepare, *begin] if case.attempt(revision.digest) else [*begin, *prepare]
    record = UnitRecord(
        case.name,
        revision.digest,
        prepared.id if prepared else "",
        _previous(case.current),
        case.declared.path,
        revision.params.reclaim,
    )
    actions.append(WriteUnit(record, revision.params))
    actions += [DaemonReload(), RestartUnit()] if case.seen.unit.loaded else [StartUnit()]
    return WorkloadPlan(tuple(actions), why=f"roll out {revision.digest[:SHORT]}: {cause}")


def _prepared(case: Case, revision: Revision) -> Container | None:
    """A container of this revision that can be committed as it is.

    That is one that was never started (the daemon ended between create and commit), or the one
    kept as previous (the file was changed back).
    """
    previous = case.current.previous_id if case.current else ""
    for container in case.seen.containers:
        fresh = container.state in ("created", "configured", "initialized")
        if container.revision == revision.digest and (fresh or container.id == previous):
            return container
    return None


def _previous(current: Current | None) -> str:
    """The container to fall back to if the next deployment fails: the last one that was proven."""
    if current is None:
        return ""
    if current.container and not unproven(current.container):
        return current.container.id
    return current.previous.id if current.previous else ""


def _disable(declared: Declared, seen: Seen) -> WorkloadPlan:
    """Keep a disabled workload's deployment, stopped and not started at boot."""
    actions: list[Action] = []
    record = seen.file.record if seen.file else None
    if seen.file and record and (seen.file.enabled or not record.disabled):
        container = seen.by_id(record.container)
        params = (container.params if container else None) or UnitParams()
        actions.append(WriteUnit(replace(record, disabled=True), params, enabled=False))
        actions.append(Note("disabled", "stopped: the file says enabled: false"))
    if seen.unit.active_state in ("active", "activating", "reloading"):
        actions.append(StopUnit())
    return WorkloadPlan(tuple(actions), why=f"{declared.name} is disabled")
