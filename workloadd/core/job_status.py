"""What holds of a job: whether it is ready, the one word for it, its schedule and its runs."""

from collections.abc import Mapping

from workloadd.core.job_runs import retrying, run_is_on
from workloadd.core.runs import Run, run_status
from workloadd.core.schedule import JobParams
from workloadd.core.status import JobStatus, State, moment
from workloadd.core.view import Finding, View, trouble_of
from workloadd.spec.job import JobSpec


def job_of_view(view: View) -> JobParams | None:
    """What the deployed job says, or the one that the file declares while nothing is deployed."""
    if view.container is not None:
        return view.container.params.job if view.container.params else None
    spec = view.declared.spec if view.declared else None
    return JobParams.of(spec) if isinstance(spec, JobSpec) else None


def job_status(view: View) -> JobStatus | None:
    """A job's part of the status."""
    job = job_of_view(view)
    if job is None:
        return None
    timer = view.seen.timer
    return JobStatus(
        schedule=job.calendar,
        next_run=moment(timer.next_at) if timer.active else None,
        runs=tuple(run_status(run) for run in _runs(view)),
    )


def job_ready(view: View, job: JobParams) -> Finding:
    """Whether it does what it is there for: it waits for its time, runs, or ran to its end."""
    if view.container is None:
        return Finding("Ready", "False", "NotDeployed", "no container is deployed")
    if run_is_on(view.seen):
        return Finding("Ready", "True", "Running", "a run is on")
    if job.scheduled:
        if view.seen.timer.active:
            return Finding("Ready", "True", "Scheduled", "its timer waits for the next run")
        timer = view.seen.timer
        said = f"its timer is {timer.active_state} ({timer.result})"
        return Finding("Ready", "False", "NotScheduled", said)
    last = _last(view)
    if last is None:
        return Finding("Ready", "False", "NotRun", "it has not run yet")
    if last.outcome == "succeeded":
        return Finding("Ready", "True", "Completed", "its run succeeded")
    return Finding("Ready", "False", "RunFailed", f"its run {last.words}")


def job_state(view: View, findings: Mapping[str, Finding], job: JobParams) -> tuple[State, str]:
    """The one word for a job, and the sentence that says why."""
    ready, trouble = findings["Ready"], trouble_of(findings)
    if trouble and ready.status == "True":
        return "Degraded", trouble
    if trouble or view.container is None:
        return _not_deployed(view, findings, trouble)
    if ready.reason == "Running":
        return "Running", ""
    last = _last(view)
    if retrying(view.seen):
        said = f"; its run {last.words}" if last else ""
        return "Running", f"it waits to be tried again{said}"
    if job.scheduled and ready.status == "True":
        failed = last is not None and last.outcome in ("failed", "timeout")
        return ("Failed", f"its last run {last.words}") if failed and last else ("Scheduled", "")
    if ready.reason == "Completed":
        return "Completed", ""
    if view.step is not None or ready.reason in ("NotRun", "NotScheduled"):
        return "RollingOut", view.step or view.plan.why or ready.message
    return "Failed", ready.message


def _not_deployed(view: View, findings: Mapping[str, Finding], trouble: str) -> tuple[State, str]:
    if findings["Loaded"].status == "False":
        return "Invalid", findings["Loaded"].message
    if trouble:
        return "Failed", trouble
    if findings["Pulled"].reason == "Pulling":
        return "Pulling", findings["Pulled"].message
    if view.step is not None:
        return "RollingOut", view.step
    return "Waiting", view.plan.why or findings["Deployed"].message


def _runs(view: View) -> tuple[Run, ...]:
    return view.memory.runs.get(view.name, ())


def _last(view: View) -> Run | None:
    """The last run, where it was of what is deployed now."""
    runs = _runs(view)
    deployed = view.current.revision if view.current else ""
    return runs[0] if runs and runs[0].revision == deployed else None
