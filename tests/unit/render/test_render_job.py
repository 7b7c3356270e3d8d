"""The units of a job: its own, its timer, and what the timer starts."""

from dataclasses import replace

import pytest

from workloadd.core.observed import UnitRecord
from workloadd.core.revision import UnitParams
from workloadd.core.schedule import JobParams
from workloadd.render.unit import render_units
from workloadd.spec.names import MAIN_CONTAINER

ID = "f" * 64
RECORD = UnitRecord("backup", "a" * 64, ((MAIN_CONTAINER, ID),), source="/etc/x/backup.yaml")
DAILY = ("daily Europe/Berlin", "Mon 10:00 Europe/Berlin")


def rendered(job: JobParams, record: UnitRecord = RECORD) -> dict[str, str]:
    return render_units(record, {MAIN_CONTAINER: UnitParams(restart="no", job=job)})


def values(text: str, section: str, key: str) -> list[str]:
    """All values of a key: a unit may repeat it, which a parser of INI files does not know."""
    inside, found = False, []
    for line in text.splitlines():
        if line.startswith("["):
            inside = line == f"[{section}]"
        elif inside and line.startswith(f"{key}="):
            found.append(line.partition("=")[2])
    return found


def one(text: str, section: str, key: str) -> str:
    (value,) = values(text, section, key)
    return value


def test_one_that_runs_once_is_a_unit_that_nothing_starts_at_boot() -> None:
    units = rendered(JobParams())
    assert list(units) == ["workload-backup.service"]
    text = units["workload-backup.service"]
    assert "[Install]" not in text
    assert one(text, "Service", "ExecStart") == f"/usr/bin/podman start {ID}"
    assert one(text, "Service", "Type") == "notify"
    assert one(text, "Service", "Restart") == "no"
    assert one(text, "Service", "RemainAfterExit") == "no"
    assert not values(text, "Service", "RuntimeMaxSec")
    assert one(text, "Unit", "StartLimitIntervalSec") == "0"


def test_retries_and_timeout_are_systemd_s() -> None:
    units = rendered(JobParams(timeout=90.5, retries=2, retry_delay=60))
    text = units["workload-backup.service"]
    assert one(text, "Service", "Restart") == "on-failure"
    assert one(text, "Service", "RestartSec") == "60000ms"
    assert one(text, "Service", "RuntimeMaxSec") == "90500ms"
    assert one(text, "Unit", "StartLimitIntervalSec") == "infinity"
    assert one(text, "Unit", "StartLimitBurst") == "3"


def test_a_timer_starts_a_simple_job_itself() -> None:
    units = rendered(JobParams(calendar=DAILY, randomized_delay=900, catch_up=True))
    assert list(units) == ["workload-backup.service", "workload-backup.timer"]
    timer = units["workload-backup.timer"]
    assert values(timer, "Timer", "OnCalendar") == list(DAILY)
    assert one(timer, "Timer", "RandomizedDelaySec") == "900000ms"
    assert one(timer, "Timer", "Persistent") == "yes"
    assert one(timer, "Timer", "Unit") == "workload-backup.service"
    assert one(timer, "Install", "WantedBy") == "workloads.target"
    assert "[Install]" not in units["workload-backup.service"]


@pytest.mark.parametrize(
    ("job", "verb"),
    [
        (JobParams(calendar=DAILY, retries=1), "--no-block start"),
        (JobParams(calendar=DAILY, overlap="replace"), "--no-block restart"),
    ],
)
def test_retries_and_replacing_need_a_unit_between(job: JobParams, verb: str) -> None:
    units = rendered(job)
    name = "workload-backup_trigger.service"
    assert one(units["workload-backup.timer"], "Timer", "Unit") == name
    reset, start = values(units[name], "Service", "ExecStart")
    assert reset.startswith("-") and reset.endswith("reset-failed workload-backup.service")
    assert start == f"/usr/bin/systemctl --user {verb} workload-backup.service"
    assert bool(values(units[name], "Service", "ExecCondition")) == (job.overlap == "skip")


def test_a_description_is_escaped_in_every_unit() -> None:
    record = replace(RECORD, description="100 % of \\it")
    for text in rendered(JobParams(calendar=DAILY, retries=1), record).values():
        assert "Description=100 %% of \\it" in text


def test_what_a_container_remembers_makes_the_same_units() -> None:
    job = JobParams(DAILY, 1.5, True, 60.0, 3, 7.0, "replace")
    params = UnitParams(restart="no", job=job)
    again = UnitParams.from_label(params.to_label())
    assert again == params
    assert UnitParams.from_label('{"job": {"calendar": ["daily"], "later": 1}}') == UnitParams(
        job=JobParams(("daily",))
    )
    assert UnitParams.from_label('{"job": 5}') is None
