"""plan_job(): the deployment of a job, its timer, and its runs.

Running it is systemd's business. What is planned here sees to it that each run has a container that
nothing ran in before, that a run begins where no timer begins it (once for a revision, or by hand),
and that what became of it is noted. A run that is on is never disturbed, unless the job says so.
"""

from workloadd.core.actions import (
    Action,
    BeginRollout,
    CreateContainers,
    DaemonReload,
    EndRollout,
    RemoveContainer,
    RenameContainer,
    StartRun,
    StartTimer,
    StopTimer,
    StopUnit,
    WorkloadPlan,
    WriteUnits,
)
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.errors import Problem
from workloadd.core.forward import cause_of
from workloadd.core.job_runs import job_of, last_run, note_runs, retrying, run_is_on
from workloadd.core.names import SHORT, plain_name
from workloadd.core.observed import Container, UnitRecord
from workloadd.core.repair import repair_units
from workloadd.core.revision import Revision
from workloadd.core.runs import Trigger, has_run
from workloadd.core.schedule import JobParams
from workloadd.spec.job import JobSpec
from workloadd.spec.names import MAIN_CONTAINER

_FRESH = ("created", "configured", "initialized")


def is_job(case: Case) -> bool:
    """Whether the file declares a job; while it is wrong, whether the last good one did."""
    spec = case.declared.spec
    if spec is not None:
        return isinstance(spec, JobSpec)
    container = case.current.container if case.current else None
    return container is not None and job_of(container) is not None


def plan_job(case: Case, due: Revision | None) -> WorkloadPlan:
    """The plan for a job; `due` is the revision to roll out now, if there is one."""
    if noted := note_runs(case):
        return WorkloadPlan(tuple(noted), why="note what became of a run")
    if due is not None:
        return _roll_out(case, due)
    current = case.current
    container = current.container if current else None
    if current is None or container is None:
        return WorkloadPlan(why="nothing is deployed, and there is nothing to make it from")
    job = job_of(container)
    if job is None:
        return WorkloadPlan(why="a service runs, and stays until the job can take its place")
    return _keep(case, current, container, job)


def carry_on(case: Case) -> list[Action]:
    """What a job is not denied while it is paused: its schedule, and containers for its runs."""
    if noted := note_runs(case):
        return noted
    container = case.current.container if case.current else None
    job = job_of(container) if container else None
    if container is None or job is None:
        return []
    if job.scheduled and (timer := _repair_timer(case, job)):
        return timer
    return _tidy(case, container, job) or _renew(case, container, job)


def _keep(case: Case, current: Current, container: Container, job: JobParams) -> WorkloadPlan:
    """Keep the current deployment as it should be, one step after the other."""
    if repairs := [*repair_units(case, current), *_repair_timer(case, job)]:
        return WorkloadPlan(tuple(repairs), why=_why(repairs))
    on = run_is_on(case.seen)
    steps = (_tidy, _renew) if on else (_tidy, _begin, _renew, _conclude)
    for step in steps:
        if actions := step(case, container, job):
            return WorkloadPlan(tuple(actions), why=_why(actions))
    wake_at = case.retry_at(current.revision)
    return WorkloadPlan(why="a run is on" if on else "", wake_at=wake_at)


def _why(actions: list[Action]) -> str:
    return "; ".join(str(action) for action in actions)


def _roll_out(case: Case, revision: Revision) -> WorkloadPlan:
    """Prepare and commit `revision`; where it runs once, begin that run."""
    job = revision.parts[0].params.job or JobParams()
    before = case.current.container if case.current else None
    was_service = before is not None and job_of(before) is None
    on = run_is_on(case.seen)
    if on and not was_service and job.overlap == "skip":
        return WorkloadPlan(why="the run that is on ends first")
    cause = cause_of(revision, case.current)
    begin: list[Action] = []
    if case.rollout is None or case.rollout.revision != revision.digest:
        from_revision = case.current.revision if case.current else ""
        begin = [BeginRollout(revision.digest, from_revision, cause, revision)]
    create, container = _prepare(case, revision)
    # What Podman rejected is tried again, but the history hears of it only when it is taken.
    actions = [*create, *begin] if case.attempt(revision.digest) else [*begin, *create]
    actions += _commit(case, revision, container)
    actions += _switch(case, revision, container, stop=on or not job.scheduled)
    return WorkloadPlan(tuple(actions), why=f"roll out {revision.digest[:SHORT]}: {cause}")


def _prepare(case: Case, revision: Revision) -> tuple[list[Action], str]:
    """What makes a container that nothing ran in, and its ID where there is one already."""
    make = [c for c in case.seen.containers if c.revision == revision.digest]
    if fresh := next((c for c in make if c.state in _FRESH and not has_run(c)), None):
        return [], fresh.id
    # One that was never renamed has the name that the new one will get.
    plain = plain_name(case.name, MAIN_CONTAINER)
    stale = [RemoveContainer(c.id) for c in make if c.name != plain and not c.running]
    # A commit that systemd never read: by its text the timer may yet start one of them.
    read: list[Action] = [DaemonReload()] if stale and case.seen.needs_reload else []
    create = CreateContainers(revision, (MAIN_CONTAINER,))
    return [*read, *stale, *_make_way(case, make), create], ""


def _make_way(case: Case, make: list[Container]) -> list[Action]:
    """Give one that runs and was never renamed the workload's name, for the sake of its own.

    A timer can have begun it before systemd read the units of another revision.
    """
    plain = plain_name(case.name, MAIN_CONTAINER)
    running = [c for c in make if c.running and c.name != plain]
    if not running or plain in case.seen.foreign:
        return []
    before = [RemoveContainer(c.id) for c in case.seen.containers if c.name == plain]
    return [*before, RenameContainer(running[0].id, plain)]


def _commit(case: Case, revision: Revision, container: str) -> list[Action]:
    """Write the units that start a container; no older one is kept to go back to."""
    record = UnitRecord(
        case.name,
        revision.digest,
        ((MAIN_CONTAINER, container),),
        (),
        case.declared.path,
        revision.spec.description,
        revision.reclaim,
    )
    write = WriteUnits(record, {part.name: part.params for part in revision.parts})
    return [write, DaemonReload()] if case.seen.loaded else [write]


def _switch(case: Case, revision: Revision, container: str, *, stop: bool) -> list[Action]:
    """After a commit: stop what makes way for it, and begin what no timer begins."""
    job = revision.parts[0].params.job or JobParams()
    before = case.current.container if case.current else None
    replaces = run_is_on(case.seen) and before is not None and job_of(before) is not None
    actions: list[Action] = []
    if stop and case.seen.unit.active_state not in ("inactive", "failed"):
        actions.append(StopUnit())
    if job.scheduled != case.seen.timer.active:
        actions.append(StartTimer() if job.scheduled else StopTimer())
    done = _is_done(case, revision.digest)
    due = not (job.scheduled or done or case.waiting.lacking)
    if due or replaces:
        actions.append(StartRun(revision.digest, container, "revision"))
    return actions


def _is_done(case: Case, revision: str) -> bool:
    """Whether the last run was of a revision, and ended by itself.

    The container would tell as well, but may have been pruned.
    """
    last = last_run(case, revision)
    return last is not None and last.outcome != "interrupted"


def _repair_timer(case: Case, job: JobParams) -> list[Action]:
    timer = case.seen.timer
    if timer.job or timer.active == job.scheduled:
        return []
    return [StartTimer()] if job.scheduled else [StopTimer()]


def _tidy(case: Case, container: Container, job: JobParams) -> list[Action]:
    """Remove the containers of earlier runs, and give the next one the workload's name.

    Not while one is being started: it may be an earlier one, from before systemd read the units.
    """
    if run_is_on(case.seen) and not case.seen.unit.active:
        return []
    others = case.others([container.id])
    actions: list[Action] = [RemoveContainer(c.id) for c in others if not c.running]
    plain = plain_name(case.name, MAIN_CONTAINER)
    taken = plain in case.seen.foreign or any(c.running and c.name == plain for c in others)
    if container.name != plain and not taken:
        actions.append(RenameContainer(container.id, plain))
    return actions


def _begin(case: Case, container: Container, job: JobParams) -> list[Action]:
    """Begin a run: one that a person asked for, or that is due once for the revision."""
    if case.name in case.memory.run_now:
        return _start(case, container, "manual")
    if job.scheduled or retrying(case.seen) or case.retry_at(container.revision):
        return []
    waits = case.holding if _renewed(case, container) else case.waiting
    if waits.lacking:
        return []
    last = last_run(case, container.revision)
    if last is None:
        failed = case.seen.unit.active_state == "failed"
        return [] if failed else _start(case, container, "revision")
    # It went down with the host: that is what no systemd tries again.
    stopped = last.started_at < case.boot or case.memory.lock.stopped(last.ended_at)
    again = last.outcome == "interrupted" and stopped
    if again and last.attempt <= job.retries:
        return _start(case, container, last.trigger, last.attempt + 1)
    return []


def _start(case: Case, container: Container, trigger: Trigger, attempt: int = 1) -> list[Action]:
    """Begin a run in a container that nothing ran in, where one can be made."""
    if not has_run(container) or case.wanted is None or _renewed(case, container):
        return [StartRun(container.revision, container.id, trigger, attempt)]
    create, fresh = _prepare(case, case.wanted)
    start = StartRun(container.revision, fresh, trigger, attempt)
    return [*create, *_commit(case, case.wanted, fresh), start]


def _renewed(case: Case, container: Container) -> bool:
    """Whether the file asks for another revision than the container's."""
    return case.wanted is None or case.wanted.digest != container.revision


def _renew(case: Case, container: Container, job: JobParams) -> list[Action]:
    """Make the container of the next scheduled run, once the one before it has ended.

    Where the next run may come before that end, it is made as soon as the one before has begun.
    """
    if not job.scheduled or not has_run(container) or retrying(case.seen):
        return []
    if run_is_on(case.seen) and job.overlap == "skip":
        return []
    if case.wanted is None or _renewed(case, container) or container.name != case.name:
        return []
    create, fresh = _prepare(case, case.wanted)
    return [*create, *_commit(case, case.wanted, fresh)]


def _conclude(case: Case, container: Container, job: JobParams) -> list[Action]:
    """Note the end of a rollout: a schedule has only to be there, a single run to succeed."""
    rollout = case.rollout
    if rollout is None:
        return []
    if rollout.revision != container.revision:
        if case.wanted and rollout.revision == case.wanted.digest:
            return []
        problem = Problem("Superseded", "the file changed before the rollout was committed")
        return [EndRollout(rollout.revision, "failed", problem)]
    if job.scheduled:
        return [EndRollout(rollout.revision, "stable")]
    last = last_run(case, container.revision)
    if last is None or retrying(case.seen):
        return []
    if last.outcome == "succeeded":
        return [EndRollout(rollout.revision, "stable")]
    problem = Problem(
        "RunFailed",
        f"its run {last.words}",
        f"change the file, or try it again: workloadctl run {case.name}",
    )
    return [EndRollout(rollout.revision, "failed", problem, container.id)]
