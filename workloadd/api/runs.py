"""`POST /v1/workloads/NAME/run`: start a job now."""

from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from workloadd.api.access import require_owner
from workloadd.api.models import RunStarted
from workloadd.api.problems import Refusal
from workloadd.core.status import WorkloadStatus
from workloadd.spec.text import quote

StartRun = Callable[[str], Awaitable[int | None]]
"""Starts a job: the ID of the run, or None where it has not begun yet but will."""

_STATES_OF_REST = ("Paused", "Stopped", "Disabled", "Drained", "Removing")


async def start_run(request: web.Request, workload: WorkloadStatus, start: StartRun) -> RunStarted:
    """The document that says which run was started."""
    require_owner(request)
    _require_startable(workload)
    last = workload.job.runs[0].id if workload.job and workload.job.runs else 0
    run = await start(workload.name)
    # A run that has yet to begin will have an ID above the last one's.
    state: Literal["started", "starting"] = "started" if run else "starting"
    return RunStarted(workload=workload.name, state=state, run=run, after=last)


def _require_startable(workload: WorkloadStatus) -> None:
    name = quote(workload.name)
    if workload.job is None:
        hint = "only what says kind: job is started by hand"
        raise Refusal(409, "NotAJob", f"cannot run {name}: it is a service", hint)
    if workload.state == "Running":
        hint = f"see how far it is: workloadctl status {workload.name}"
        raise Refusal(409, "AlreadyRunning", f"cannot start {name}: a run is on", hint)
    if workload.state in _STATES_OF_REST or workload.current is None:
        why = workload.message or "it is not deployed yet"
        raise Refusal(409, "NotStartable", f"cannot start {name}: it is {workload.state}", why)
