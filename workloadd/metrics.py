"""What is counted and timed while the daemon works, for Prometheus.

The parts say what happened; what things are like is read off the newest status at each scrape.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# Each counter would have another series with the moment of its making.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one daemon; `read` gives those that are made anew for every scrape."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Read(read))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All of it in Prometheus' text format. Blocks for a while: for a thread of its own."""
        return generate_latest(self._registry)


class _Read(Collector):
    """Asks for metrics when it is asked."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()
