"""What a status comes to as metrics."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.statuses import BAD, GOOD, NOW, SECRET, status
from tests.promtool import promtool
from workloadd.api.exposition import families
from workloadd.core.status import (
    HostConditionStatus,
    JobStatus,
    PassStatus,
    ProbeResult,
    RebootStatus,
    Rollout,
    RunStatus,
    SharedStatus,
    Status,
)
from workloadd.metrics import Metrics

LATER = datetime.fromtimestamp(NOW, UTC)
FREE_TEXT = "cannot do it: some sentence"


def full() -> Status:
    """A status with something of everything, and a sentence wherever there may be one."""
    found = status({"web": GOOD, "broken": BAD}, {"web": GOOD}, passes=PassStatus(last=LATER))
    runs = (
        RunStatus(id=3, revision="a", trigger="schedule", attempt=1, started=LATER),
        RunStatus(id=2, revision="a", trigger="schedule", attempt=1, outcome="failed",
                  ended=LATER, duration=2.5),
    )  # fmt: skip
    probes = (
        ProbeResult(container="", kind="readiness", asks="http", ok=False, verdict=False,
                    message=FREE_TEXT),
        ProbeResult(container="", kind="liveness", asks="tcp", ok=None, verdict=None),
    )  # fmt: skip
    update = {
        "job": JobStatus(next_run=LATER, runs=runs),
        "probes": probes,
        "restarts": 4,
        "message": FREE_TEXT,
        "last_error": FREE_TEXT,
        "last_rollout": Rollout(
            revision="a", outcome="rolled-back", message=FREE_TEXT, ended=LATER
        ),
    }
    broken, web = found.workloads
    condition = HostConditionStatus(type="Linger", status="False", reason="No", message=FREE_TEXT)
    unknown = HostConditionStatus(type="DiskSpace", status="Unknown", reason="No", warning=True)
    return found.model_copy(
        update={
            "workloads": (broken, web.model_copy(update=update)),
            "host": (condition, unknown),
            "problems": (FREE_TEXT,),
            "reboot": RebootStatus(state="draining", message=FREE_TEXT),
            "networks": (SharedStatus(name="shop", state="Ready"),),
            "volumes": (SharedStatus(name="data", state="Differs", message=FREE_TEXT),),
        }
    )


def text_of(found: Status) -> str:
    return Metrics(lambda: families(found)).text().decode()


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each sample's value, by its name and its labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, metric: str, /, **labels: str) -> float:
    return read(text)[f"workloadd_{metric}", frozenset(labels.items())]


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("build_info", {"version": "1.2.3"}, 1),
        ("reconcile_last_timestamp_seconds", {}, NOW),
        ("reconcile_failing", {}, 0),
        ("problems", {}, 1),
        ("host_condition", {"condition": "Linger", "severity": "error"}, 0),
        ("reboot_state", {"state": "draining"}, 1),
        ("reboot_state", {"state": "free"}, 0),
        ("shared_ready", {"kind": "network", "name": "shop"}, 1),
        ("shared_ready", {"kind": "volume", "name": "data"}, 0),
        ("workloads", {"state": "Ready"}, 1),
        ("workloads", {"state": "Invalid"}, 1),
        ("workloads", {"state": "Degraded"}, 0),
        ("workload_state", {"workload": "broken", "state": "Invalid"}, 1),
        ("workload_condition", {"workload": "web", "condition": "Ready"}, 1),
        ("workload_condition", {"workload": "broken", "condition": "Loaded"}, 0),
        ("workload_restarts_total", {"workload": "web"}, 4),
        ("workload_start_time_seconds", {"workload": "web"}, NOW - 3 * 3600),
        ("workload_file_findings", {"workload": "broken", "severity": "error"}, 1),
        ("workload_file_findings", {"workload": "web", "severity": "error"}, 0),
        ("workload_last_rollout_success", {"workload": "web"}, 0),
        ("workload_last_rollout_timestamp_seconds", {"workload": "web"}, NOW),
        ("probe_success", {"workload": "web", "container": "", "probe": "readiness"}, 0),
        ("job_last_run_success", {"workload": "web"}, 0),
        ("job_last_run_duration_seconds", {"workload": "web"}, 2.5),
        ("job_last_run_timestamp_seconds", {"workload": "web"}, NOW),
        ("job_next_run_timestamp_seconds", {"workload": "web"}, NOW),
    ],
)
def test_a_metric(name: str, labels: dict[str, str], expected: float) -> None:
    assert value(text_of(full()), name, **labels) == expected


def test_what_is_not_known_is_not_said() -> None:
    text = text_of(full())
    unknown: dict[str, Any] = {"condition": "DiskSpace", "severity": "warning"}
    assert math.isnan(value(text, "host_condition", **unknown))
    assert 'probe="liveness"' not in text
    assert (
        "workloadd_workload_start_time_seconds",
        frozenset({("workload", "broken")}),
    ) not in read(text)


def test_a_failing_pass_is_told() -> None:
    found = status({}, passes=PassStatus(problem="cannot ask Podman", failing_since=LATER))
    assert value(text_of(found), "reconcile_failing") == 1


def test_no_label_is_free_text_and_none_is_secret() -> None:
    text = text_of(full())
    assert FREE_TEXT not in text
    assert SECRET not in text


def test_prometheus_is_content() -> None:
    assert promtool("check", "metrics", stdin=text_of(full())) == ""


def test_a_metric_without_series_is_described_all_the_same() -> None:
    text = text_of(status({}))
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert described == {
        line.split()[2] for line in text_of(full()).splitlines() if line.startswith("# TYPE")
    }
