"""A workload of a status made a job, with a run that failed a minute ago."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.statuses import NOW
from workloadd.core.runs import Run, run_status
from workloadd.core.status import JobStatus, Status

FAILED = Run(5, "web", "r1", "c1", "schedule", 2, NOW - 60, NOW - 57.5, 3, "failed")
JOB = JobStatus(
    schedule=("daily", "Mon 10:00 UTC"),
    next_run=datetime.fromtimestamp(NOW + 3600, UTC),
    runs=(run_status(FAILED),),
)


def with_job(found: Status, job: JobStatus | None = JOB, **fields: Any) -> Status:
    """The status with its workload `web` made a job."""
    update = {"state": "Scheduled", **fields, "job": job}
    workloads = (w.model_copy(update=update) if w.name == "web" else w for w in found.workloads)
    return found.model_copy(update={"workloads": tuple(workloads)})
