"""Noting what became of a job's runs, from what is seen of its containers."""

from collections.abc import Iterator

from workloadd.core.actions import Action, EndRun, NoteRun
from workloadd.core.case import Case
from workloadd.core.observed import Container, Seen
from workloadd.core.runs import Circumstances, Ending, Outcome, Run, Trigger, has_run, is_of, run_of
from workloadd.core.schedule import JobParams

_ENDED = ("exited", "stopped")


def job_of(container: Container) -> JobParams | None:
    """What a container's unit says of a job, None where it is no job's."""
    return container.params.job if container.params else None


def note_runs(case: Case) -> list[Action]:
    """Note runs that began or ended since the last look, and starts that failed."""
    return [
        *_unfinished(case),
        *(action for c in case.seen.containers if has_run(c) for action in _note(case, c)),
        *_failed_start(case),
    ]


def _unfinished(case: Case) -> Iterator[Action]:
    """Runs that are noted as being on, whose container has gone or begun another one since."""
    for run in case.runs:
        container = case.seen.by_id(run.container)
        if run.on and (container is None or not is_of(run, container)):
            yield EndRun(run, Circumstances(), _unseen_end(case, run, container))


def _unseen_end(case: Case, run: Run, container: Container | None) -> Outcome:
    """How a run ended whose container has gone, or has begun another one meanwhile."""
    if container is None or not has_run(container):
        return "interrupted"
    job = job_of(container)
    replaced = job is not None and job.overlap == "replace"
    return "replaced" if replaced and case.seen.timer.triggered_at > run.started_at else "failed"


def _note(case: Case, container: Container) -> Iterator[Action]:
    job = job_of(container)
    run = run_of(case.runs, container)
    if job is None or (run and not run.on):
        return
    if container.running:
        if run is None:
            yield NoteRun(_begun(case, container, job))
    elif container.state in _ENDED:
        replaced = case.seen.timer.triggered_at if job.overlap == "replace" else 0.0
        around = Circumstances(job.timeout, case.boot, replaced)
        run = run or _begun(case, container, job)
        ending = Ending(run.started_at, container.exited_at, container.exit_code)
        yield EndRun(run, around, seen=ending)


def _begun(case: Case, container: Container, job: JobParams) -> Run:
    """What is known of a run that nobody noted as it began."""
    last = case.runs[0] if case.runs else None
    trigger: Trigger = "schedule" if job.scheduled else "revision"
    attempt = case.seen.unit.restarts + 1
    if last and last.revision == container.revision and last.outcome != "succeeded":
        # What does not run at times runs again only because it did not succeed.
        if not job.scheduled:
            attempt = last.attempt + 1
        if attempt > 1:
            trigger = last.trigger
    return Run(
        0,
        case.name,
        container.revision,
        container.id,
        trigger,
        attempt,
        container.started_at,
    )


def _failed_start(case: Case) -> Iterator[Action]:
    """A unit that failed before its container began: that is a run too, one without a beginning."""
    container = case.current.container if case.current else None
    unit, timer = case.seen.unit, case.seen.timer
    if container is None or unit.active_state != "failed" or has_run(container):
        return
    job = job_of(container)
    last = case.runs[0] if case.runs else None
    # It stays failed after a run that ended so, for which there is another container by now.
    known = last is not None and last.revision == container.revision
    if job is None or (known and last and last.ended_at >= timer.triggered_at):
        return
    yield EndRun(_begun(case, container, job), Circumstances(), "failed")


def run_is_on(seen: Seen) -> bool:
    """Whether something of the job runs; while it waits for its next try, nothing does."""
    unit = seen.unit
    if any(c.running for c in seen.containers) or unit.job:
        return True
    return unit.active_state not in ("inactive", "failed") and not retrying(seen)


def retrying(seen: Seen) -> bool:
    """Whether systemd waits to try a failed run again."""
    return seen.unit.active_state == "activating" and seen.unit.sub_state == "auto-restart"


def last_run(case: Case, revision: str) -> Run | None:
    """The last run, where it was of this revision."""
    last = case.runs[0] if case.runs else None
    return last if last and last.revision == revision else None
