"""What is particular to the units of a job: its timer, what that starts, its end and retries."""

from workloadd.core.names import SLICE, TARGET, TRIGGER, unit_name
from workloadd.core.schedule import JobParams

SYSTEMCTL = "/usr/bin/systemctl --user"
TIMER = ".timer"


def render_beside(workload: str, description: str, job: JobParams) -> dict[str, list[str]]:
    """The lines of the units beside a job's own, by name; none where it runs once."""
    if not job.scheduled:
        return {}
    units = {unit_name(workload, suffix=TIMER): _timer(workload, description, job)}
    if job.needs_trigger:
        units[unit_name(workload, TRIGGER)] = _trigger(workload, description, job)
    return units


def ending(job: JobParams) -> list[str]:
    """The lines of a job's service about how long it may run, and what follows its end."""
    timeout = [f"RuntimeMaxSec={_milliseconds(job.timeout)}"] if job.timeout else []
    return [
        f"Restart={'on-failure' if job.retries else 'no'}",
        "RemainAfterExit=no",
        f"RestartSec={_milliseconds(job.retry_delay)}",
        *timeout,
    ]


def _timer(workload: str, description: str, job: JobParams) -> list[str]:
    starts = unit_name(workload, TRIGGER if job.needs_trigger else "")
    return [
        "[Unit]",
        f"Description={description} (timer)",
        "",
        "[Timer]",
        *(f"OnCalendar={expression}" for expression in job.calendar),
        # systemd's default lets a minute pass.
        "AccuracySec=100ms",
        f"RandomizedDelaySec={_milliseconds(job.randomized_delay)}",
        f"Persistent={'yes' if job.catch_up else 'no'}",
        f"Unit={starts}",
        "",
        "[Install]",
        f"WantedBy={TARGET}",
    ]


def _trigger(workload: str, description: str, job: JobParams) -> list[str]:
    own = unit_name(workload)
    # A job that waits for its next try is not done either.
    busy = (
        f"ExecCondition=/bin/sh -c 'case $$({SYSTEMCTL} show --value --property ActiveState {own})"
        " in inactive|failed) exit 0;; esac; exit 1'"
    )
    replace = job.overlap == "replace"
    return [
        "[Unit]",
        f"Description={description} (begins a run)",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=oneshot",
        f"Slice={SLICE}",
        f"SyslogIdentifier={workload}",
        *([] if replace else [busy]),
        # Retries are counted anew; a unit that systemd has not loaded has none to forget.
        f"ExecStart=-{SYSTEMCTL} --quiet reset-failed {own}",
        f"ExecStart={SYSTEMCTL} --no-block {'restart' if replace else 'start'} {own}",
    ]


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
