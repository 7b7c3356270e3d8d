"""What a status comes to as metrics."""

import asyncio
import math
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.statuses import BAD, GOOD, NOW, SECRET, status
from tests.promtool import promtool
from workloadd.api.exposition import families
from workloadd.api.metrics import metrics_handler
from workloadd.core.errors import Problem, Transient
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
from workloadd.core.usage import Group, Look, Meter, Network
from workloadd.host.probes import Failed
from workloadd.metrics import Metrics
from workloadd.slots import Slots

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
    return Metrics(lambda: families(found, {})).text().decode()


def used() -> Meter:
    """What a workload uses: something of everything."""
    meter = Meter()
    group = Group(cpu=1.5, memory=2048, limit=4096, pids=3, read=5, written=6)
    meter.add(Look(NOW, {"workload-web.service": group}, {1: Network(7, 8, 9)}))
    return meter


def everything() -> str:
    """The metrics of a daemon, each with a series."""
    metrics = Metrics(lambda: families(full(), {"web": used()}))
    metrics.erred("pull", Problem("ImageNotFound", FREE_TEXT))
    for state in ("waiting", "running", "retrying"):
        metrics.work(state, "Some work.", {"pull": lambda: 0})
    return metrics.text().decode()


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
    shown = {(name, dict(labels).get("workload")) for name, labels in read(text)}
    assert ("workloadd_workload_start_time_seconds", "web") in shown
    assert ("workloadd_workload_start_time_seconds", "broken") not in shown
    verdicts = [
        dict(labels)["probe"] for name, labels in read(text) if name.endswith("probe_success")
    ]
    assert verdicts == ["readiness"]


def test_a_failing_pass_is_told() -> None:
    found = status({}, passes=PassStatus(problem="cannot ask Podman", failing_since=LATER))
    assert value(text_of(found), "reconcile_failing") == 1


def test_no_label_is_free_text_and_none_is_secret() -> None:
    text = everything()
    assert FREE_TEXT not in text
    assert SECRET not in text


def test_prometheus_is_content() -> None:
    assert promtool("check", "metrics", stdin=everything()) == ""


def test_a_metric_without_series_is_described_all_the_same() -> None:
    text = text_of(status({}))
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert described == {
        line.split()[2] for line in text_of(full()).splitlines() if line.startswith("# TYPE")
    }


def test_series_are_there_before_anything_happens() -> None:
    text = text_of(status({}))
    for outcome in ("stable", "rolled-back", "failed", "superseded", "removed"):
        assert value(text, "rollout_duration_seconds_count", outcome=outcome) == 0
    assert value(text, "pull_duration_seconds_count", outcome="failed") == 0
    assert value(text, "probe_duration_seconds_count", probe="startup", outcome="unknown") == 0


def test_what_happens_is_counted() -> None:
    metrics = Metrics(tuple)
    metrics.passed(0.02, ok=True)
    metrics.lagged(0.3)
    metrics.rolled_out("stable", 12.0)
    metrics.rolled_out("stable", -5.0)
    metrics.rolled_out("rolled-back", 3.0, Problem("RestartLoop", FREE_TEXT))
    metrics.rolled_out("failed", 3.0, Problem("Superseded", FREE_TEXT))
    metrics.erred("pull", Problem("ImageNotFound", FREE_TEXT))
    metrics.work("waiting", "What waits.", {"pull": lambda: 3})
    text = metrics.text().decode()
    assert value(text, "reconcile_duration_seconds_sum", outcome="succeeded") == 0.02
    assert value(text, "reconcile_duration_seconds_count", outcome="failed") == 0
    assert value(text, "reconcile_lag_seconds_bucket", le="0.25") == 0
    assert value(text, "reconcile_lag_seconds_bucket", le="0.5") == 1
    assert value(text, "rollout_duration_seconds_count", outcome="stable") == 2
    assert value(text, "rollout_duration_seconds_sum", outcome="stable") == 12
    assert value(text, "rollout_duration_seconds_count", outcome="failed") == 0
    assert value(text, "rollout_duration_seconds_count", outcome="superseded") == 1
    assert value(text, "errors_total", activity="rollout", reason="RestartLoop") == 1
    assert value(text, "errors_total", activity="pull", reason="ImageNotFound") == 1
    assert value(text, "work_waiting", kind="pull") == 3
    assert FREE_TEXT not in text
    assert "_created" not in text
    assert promtool("check", "metrics", stdin=text) == ""


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "succeeded"),
        (Failed("Refused", FREE_TEXT), "failed"),
        (Transient("PodmanUnavailable", FREE_TEXT), "unknown"),
        (OSError(FREE_TEXT), "unknown"),
    ],
)
def test_a_probe_is_counted_by_how_it_went(error: Exception | None, outcome: str) -> None:
    metrics = Metrics(tuple)
    with suppress(Exception), metrics.probing("liveness"):
        if error:
            raise error
    for one in ("succeeded", "failed", "unknown"):
        name, labels = "probe_duration_seconds_count", {"probe": "liveness", "outcome": one}
        assert value(metrics.text().decode(), name, **labels) == (one == outcome)


async def test_what_is_cancelled_counts_for_nothing() -> None:
    metrics = Metrics(tuple)
    with suppress(asyncio.CancelledError), metrics.pulling():
        raise asyncio.CancelledError
    with suppress(Transient), metrics.pulling():
        raise Transient("RegistryUnavailable", FREE_TEXT)
    text = metrics.text().decode()
    assert value(text, "pull_duration_seconds_count", outcome="succeeded") == 0
    assert value(text, "pull_duration_seconds_count", outcome="failed") == 1


def test_reasons_are_bounded() -> None:
    metrics = Metrics(tuple)
    for number in range(1000):
        metrics.erred("pull", Problem(f"Reason{number}", ""))
    metrics.erred("pull", Problem("Reason0", ""))
    for odd in ("", "not one", "Secret=hunter2", "A" * 200, "Zweifel\n"):
        metrics.erred("pull", Problem(odd, ""))
    found = {
        dict(labels)["reason"]: count
        for (name, labels), count in read(metrics.text().decode()).items()
        if name == "workloadd_errors_total"
    }
    assert len(found) == 301
    assert found["Reason0"] == 2
    assert found["Other"] == 700 + 5


async def test_one_scrape_is_answered_at_a_time() -> None:
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def text() -> bytes:
        begun.release()
        assert go_on.acquire(timeout=10)
        return b""

    handle = metrics_handler(text)
    request = make_mocked_request("GET", "/metrics")
    both = asyncio.gather(handle(request), handle(request))
    await asyncio.to_thread(begun.acquire, timeout=10)
    await asyncio.to_thread(lambda: None)
    assert not begun.acquire(blocking=False)
    go_on.release(2)
    assert [answer.status for answer in await both] == [200, 200]


async def test_slots_tell_who_waits() -> None:
    slots = Slots(1)
    await slots.acquire()
    others = [asyncio.create_task(slots.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    assert (slots.taken, slots.waiting) == (1, 2)
    others.pop().cancel()
    await asyncio.sleep(0)
    assert (slots.taken, slots.waiting) == (1, 1)
    slots.release()
    await others[0]
    assert (slots.taken, slots.waiting) == (1, 0)
    slots.release()
    async with slots:
        assert slots.locked()
    assert (slots.taken, slots.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cpu_seconds_total", 1.5),
        ("memory_bytes", 2048),
        ("memory_limit_bytes", 4096),
        ("pids", 3),
        ("read_bytes_total", 5),
        ("written_bytes_total", 6),
        ("network_received_bytes_total", 7),
        ("network_sent_bytes_total", 8),
        ("network_loopback_bytes_total", 9),
    ],
)
def test_what_a_workload_uses(name: str, expected: float) -> None:
    assert value(everything(), f"workload_{name}", workload="web") == expected


def test_what_is_not_known_of_its_use_has_no_series() -> None:
    meter = Meter()
    meter.add(Look(NOW, {"workload-web.service": Group(cpu=1.0)}, {}))
    text = Metrics(lambda: families(full(), {"web": meter})).text().decode()
    found = {name for name, _ in read(text)}
    assert "workloadd_workload_cpu_seconds_total" in found
    assert not any("memory" in name and "workload_" in name for name in found)
