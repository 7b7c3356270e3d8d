"""The metrics that a status comes to, as Prometheus reads them. Pure.

Label values are names (of files, of containers in them, of conditions) and words of this code, so
that there are no more series than things on the host; never a message, nor an environment's value.
What is not known has the value NaN, which no comparison of an alert holds for, or no series.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from workloadd.core.status import RebootStatus, State, Status
from workloadd.core.usage import Meter, Total

Sample = tuple[tuple[str, ...], float]
_TRUTH = {"True": 1.0, "False": 0.0, "Unknown": math.nan}
_REBOOT_STATES: tuple[str, ...] = get_args(RebootStatus.model_fields["state"].annotation)
_W = ("workload",)


def families(status: Status, meters: Mapping[str, Meter]) -> Iterator[Metric]:
    """All metrics of a status, and of what workloads use; those of which there are none just now
    as well."""
    yield from _daemon(status)
    yield from _host(status)
    yield from _workloads(status)
    yield from _rollouts(status)
    yield from _jobs(status)
    yield from _usage(meters)


def _daemon(status: Status) -> Iterator[Metric]:
    passes = status.passes
    yield _gauge(
        "build_info", "Always 1; the version is a label.", ("version",), [((status.version,), 1)]
    )
    yield _gauge(
        "reconcile_last_timestamp_seconds",
        "When the last pass began, since the epoch.",
        (),
        [((), passes.last.timestamp())] if passes.last else [],
    )
    yield _gauge(
        "reconcile_failing",
        "1 while passes fail: what runs is not seen to.",
        (),
        [((), passes.problem != "")],
    )
    yield _gauge(
        "problems",
        "What workloadd itself cannot do just now; the status says what.",
        (),
        [((), len(status.problems))],
    )


def _host(status: Status) -> Iterator[Metric]:
    yield _gauge(
        "host_condition",
        "Preflight: 1 where the host has what containers need, 0 where not, NaN if not known.",
        ("condition", "severity"),
        (
            ((one.type, "warning" if one.warning else "error"), _TRUTH[one.status])
            for one in status.host
        ),
    )
    yield _gauge(
        "reboot_state",
        "1 for the state that the lock for reboots of the host is in.",
        ("state",),
        (((state,), status.reboot.state == state) for state in _REBOOT_STATES if status.reboot),
    )
    shared = [("network", one) for one in status.networks]
    shared += [("volume", one) for one in status.volumes]
    yield _gauge(
        "shared_ready",
        "Whether a network or volume with a file of its own is there and as declared.",
        ("kind", "name"),
        (((kind, one.name), one.state == "Ready") for kind, one in shared),
    )


def _workloads(status: Status) -> Iterator[Metric]:
    found = status.workloads
    states = [one.state for one in found]
    yield _gauge(
        "workloads",
        "How many workloads are in a state.",
        ("state",),
        (((state,), states.count(state)) for state in get_args(State)),
    )
    yield _gauge(
        "workload_state",
        "1 for the state that a workload is in; the other states have no series.",
        ("workload", "state"),
        (((one.name, one.state), 1) for one in found),
    )
    yield _gauge(
        "workload_condition",
        "1 where a condition of a workload holds, 0 where not, NaN if not known.",
        ("workload", "condition"),
        (((one.name, c.type), _TRUTH[c.status]) for one in found for c in one.conditions),
    )
    yield _counter(
        "workload_restarts",
        "Restarts by systemd; counted anew after a deployment.",
        _W,
        (((one.name,), one.restarts) for one in found),
    )
    yield _gauge(
        "workload_start_time_seconds",
        "Since when a workload's unit is active, since the epoch.",
        _W,
        (
            ((one.name,), one.unit.active_since.timestamp())
            for one in found
            if one.unit.active_since
        ),
    )
    yield _gauge(
        "workload_file_findings",
        "Errors and warnings about a workload's files.",
        ("workload", "severity"),
        (
            ((one.name, severity), len(findings))
            for one in found
            for severity, findings in (("error", one.errors), ("warning", one.warnings))
        ),
    )
    yield _gauge(
        "probe_success",
        "1 where a probe of a container says yes by its thresholds, 0 where no.",
        ("workload", "container", "probe"),
        (
            ((one.name, probe.container, probe.kind), probe.verdict)
            for one in found
            for probe in one.probes
            if probe.verdict is not None
        ),
    )


def _rollouts(status: Status) -> Iterator[Metric]:
    ended = [(one, one.last_rollout) for one in status.workloads if one.last_rollout]
    yield _gauge(
        "workload_last_rollout_success",
        "1 where a workload's last rollout that ended proved itself, 0 where not.",
        _W,
        (((one.name,), last.outcome == "stable") for one, last in ended),
    )
    yield _gauge(
        "workload_last_rollout_timestamp_seconds",
        "When a workload's last rollout ended, since the epoch.",
        _W,
        (((one.name,), last.ended.timestamp()) for one, last in ended if last.ended),
    )


def _jobs(status: Status) -> Iterator[Metric]:
    jobs = [(one, one.job) for one in status.workloads if one.job]
    yield _gauge(
        "job_next_run_timestamp_seconds",
        "When a job's timer begins its next run, since the epoch.",
        _W,
        (((one.name,), job.next_run.timestamp()) for one, job in jobs if job.next_run),
    )
    last = ((one.name, next((run for run in job.runs if run.outcome), None)) for one, job in jobs)
    done = [((name,), run) for name, run in last if run]
    yield _gauge(
        "job_last_run_success",
        "1 where a job's last run that ended succeeded, 0 where not.",
        _W,
        ((labels, run.outcome == "succeeded") for labels, run in done),
    )
    yield _gauge(
        "job_last_run_timestamp_seconds",
        "When a job's last run ended, since the epoch.",
        _W,
        ((labels, run.ended.timestamp()) for labels, run in done if run.ended),
    )
    yield _gauge(
        "job_last_run_duration_seconds",
        "How long a job's last run took.",
        _W,
        ((labels, run.duration) for labels, run in done if run.duration is not None),
    )


# What of a workload's use is told: how it is called, what it is, and where it is found.
_LEVELS: tuple[tuple[str, str, Callable[[Total], float | None]], ...] = (
    (
        "memory_bytes",
        "Memory that a workload's containers use, page cache included.",
        lambda t: t.memory,
    ),
    ("memory_limit_bytes", "The limit of that; no series where there is none.", lambda t: t.limit),
    ("pids", "Processes and threads of a workload.", lambda t: t.pids),
)
_COUNTS: tuple[tuple[str, str, Callable[[Total], float | None]], ...] = (
    ("cpu_seconds", "Processor time that a workload used.", lambda t: t.cpu),
    ("network_received_bytes", "What came in by a workload's own network.", lambda t: t.received),
    ("network_sent_bytes", "What went out by a workload's own network.", lambda t: t.sent),
    (
        "network_loopback_bytes",
        "Between a workload's processes, and from its host by a published port.",
        lambda t: t.loopback,
    ),
    ("read_bytes", "What a workload read from block devices.", lambda t: t.read),
    ("written_bytes", "What a workload wrote to block devices.", lambda t: t.written),
)


def _usage(meters: Mapping[str, Meter]) -> Iterator[Metric]:
    totals = [((name,), meter.total) for name, meter in sorted(meters.items())]
    for kinds, make in ((_LEVELS, _gauge), (_COUNTS, _counter)):
        for name, help_, get in kinds:
            known = ((labels, get(total)) for labels, total in totals)
            samples = [(labels, value) for labels, value in known if value is not None]
            yield make(f"workload_{name}", help_, _W, samples)


def _gauge(name: str, help_: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    return _with(GaugeMetricFamily(f"workloadd_{name}", help_, labels=labels), samples)


def _counter(name: str, help_: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    return _with(CounterMetricFamily(f"workloadd_{name}", help_, labels=labels), samples)


def _with(family: GaugeMetricFamily | CounterMetricFamily, samples: Iterable[Sample]) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, float(value))
    return family
