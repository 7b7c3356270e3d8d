"""What is counted and timed while the daemon works, for Prometheus.

The parts say what happened; what things are like is read off the newest status at each scrape.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import product
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from workloadd.core.actions import Outcome
from workloadd.core.errors import Problem, WorkloaddError
from workloadd.core.probes import KINDS

# Each counter would have another series with the moment of its making.
disable_created_metrics()  # type: ignore[no-untyped-call]

# Different reasons of errors that are told apart: there are fewer in the code.
_MAX_REASONS = 300
_REASON = re.compile(r"[A-Z][A-Za-z0-9]{0,63}", re.ASCII)
_OTHER = "Other"

_TRIED = ("succeeded", "failed")
_PROBED = (*_TRIED, "unknown")
# The history has it as failed, but nothing was wrong: a newer rollout took its place.
SUPERSEDED = "superseded"
_ROLLED_OUT = (*get_args(Outcome), SUPERSEDED)
# Seconds. A pass takes milliseconds; a rollout its soak and more; a pull what the network gives.
_PASS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PROBE = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10)
_ROLLOUT = (1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
_PULL = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """The metrics of one daemon; `read` gives those that are made anew for every scrape."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Read(read))
        ProcessCollector(registry=self._registry)
        self._passes = self._histogram(
            "reconcile_duration_seconds", "How long passes took.", _PASS, {"outcome": _TRIED}
        )
        self._lags = self._histogram(
            "reconcile_lag_seconds", "From the first wake-up to the pass that heeds it.", _PASS, {}
        )
        self._rollouts = self._histogram(
            "rollout_duration_seconds",
            "How long rollouts took, the wait for dependencies and the soak included.",
            _ROLLOUT,
            {"outcome": _ROLLED_OUT},
        )
        self._pulls = self._histogram(
            "pull_duration_seconds", "How long pulls of images took.", _PULL, {"outcome": _TRIED}
        )
        self._probes = self._histogram(
            "probe_duration_seconds",
            "How long single tries of probes took; unknown are those that could not be made.",
            _PROBE,
            {"probe": KINDS, "outcome": _PROBED},
        )
        self._errors = Counter(
            "workloadd_errors",
            "What failed, by what was being done and by the reason in the status.",
            ("activity", "reason"),
            registry=self._registry,
        )
        self._reasons: set[str] = set()

    def text(self) -> bytes:
        """All of it in Prometheus' text format. Blocks for a while: for a thread of its own."""
        return generate_latest(self._registry)

    def erred(self, activity: str, problem: Problem) -> None:
        """Something failed."""
        self._errors.labels(activity, self._bounded(problem.reason)).inc()

    def passed(self, seconds: float, *, ok: bool) -> None:
        """A pass took so long."""
        self._passes.labels("succeeded" if ok else "failed").observe(seconds)

    def lagged(self, seconds: float) -> None:
        """A pass began so long after the wake-up that it heeds."""
        self._lags.observe(seconds)

    def rolled_out(self, outcome: str, seconds: float, problem: Problem | None = None) -> None:
        """A rollout ended; the clock may have been set back meanwhile."""
        if problem and problem.reason == "Superseded":
            outcome = SUPERSEDED
        self._rollouts.labels(outcome).observe(max(0.0, seconds))
        if problem and outcome in ("failed", "rolled-back"):
            self.erred("rollout", problem)

    def pulling(self) -> AbstractContextManager[None]:
        """Around a pull."""
        return _timed(self._pulls)

    def probing(self, kind: str) -> AbstractContextManager[None]:
        """Around one try of a probe."""
        return _timed(self._probes, kind, unknown=(WorkloaddError, OSError))

    def work(self, state: str, help_: str, kinds: Mapping[str, Callable[[], float]]) -> None:
        """Show how much work of each kind is in a state; each count is asked for at a scrape."""
        gauge = Gauge(f"workloadd_work_{state}", help_, ("kind",), registry=self._registry)
        for kind, count in kinds.items():
            gauge.labels(kind).set_function(count)

    def _histogram(
        self, name: str, help_: str, buckets: Sequence[float], labels: Mapping[str, Iterable[str]]
    ) -> Histogram:
        """A histogram with all its series there from the beginning, so that increases show."""
        made = Histogram(
            f"workloadd_{name}", help_, tuple(labels), buckets=buckets, registry=self._registry
        )
        if labels:
            for values in product(*labels.values()):
                made.labels(*values)
        return made

    def _bounded(self, reason: str) -> str:
        """A reason, as long as there are not too many of them."""
        if reason in self._reasons:
            return reason
        if len(self._reasons) >= _MAX_REASONS or not _REASON.fullmatch(reason):
            return _OTHER
        self._reasons.add(reason)
        return reason


class _Read(Collector):
    """Asks for metrics when it is asked."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


@contextmanager
def _timed(
    histogram: Histogram, *labels: str, unknown: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Observe how long something takes and how it ends; what is cancelled came to nothing."""
    began = time.monotonic()
    try:
        yield
    except Exception as error:
        outcome = "unknown" if isinstance(error, unknown) else "failed"
        histogram.labels(*labels, outcome).observe(time.monotonic() - began)
        raise
    histogram.labels(*labels, "succeeded").observe(time.monotonic() - began)
