"""A job's schedule and runs as plain text. Pure: `now` is a parameter."""

from collections.abc import Sequence
from datetime import datetime

from workloadd.api.words import Column, clean_line, columns, duration, since
from workloadd.core.status import JobStatus, RunStatus
from workloadd.history.runs import RunRow

_RUNS = (
    Column("RUN"),
    Column("OUTCOME"),
    Column("EXIT"),
    Column("STARTED"),
    Column("TOOK"),
    Column("TRY"),
    Column("BEGUN BY", 8),
)
_BEGUN_BY = {
    "schedule": "the schedule",
    "revision": "the file's change",
    "manual": "workloadctl run",
}


def facts(job: JobStatus | None, now: datetime) -> tuple[tuple[str, str], ...]:
    """Labels and values for the head of a workload's text."""
    if job is None:
        return ()
    schedule = "; ".join(job.schedule) or "none: once for each revision"
    return (("schedule", schedule), ("next run", _next(job.next_run, now)))


def _next(at: datetime | None, now: datetime) -> str:
    if at is None:
        return ""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC, in {duration((at - now).total_seconds())}"


def runs(job: JobStatus | None, last: Sequence[RunRow], now: datetime) -> list[str]:
    """The last runs, and what the newest said last."""
    if job is None or not job.runs:
        return []
    lines = columns(_RUNS, [_row(run, now) for run in job.runs])
    log = last[0].log if last else ()
    if log:
        lines += ["", f"last log lines of run {last[0].run.id}:"]
        lines += [f"  | {clean_line(line)}".rstrip() for line in log]
    return lines


def _row(run: RunStatus, now: datetime) -> tuple[str, ...]:
    took = "-" if run.duration is None else _seconds(run.duration)
    return (
        str(run.id),
        run.outcome or "running",
        "-" if run.exit_code is None else str(run.exit_code),
        f"{since(run.started, now)} ago",
        took,
        str(run.attempt),
        _BEGUN_BY.get(run.trigger, run.trigger),
    )


def _seconds(took: float) -> str:
    return f"{took:.1f}s" if took < 10 else duration(took)
