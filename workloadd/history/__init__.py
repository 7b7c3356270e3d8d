"""What was tried, when, and how it ended: the only thing about workloads that is stored."""

from workloadd.history.rows import EventRow, RolloutRow, Step
from workloadd.history.runs import RunRow, Runs
from workloadd.history.store import BadRevisions, History, LastRollouts, OpenRollouts

__all__ = [
    "BadRevisions",
    "EventRow",
    "History",
    "LastRollouts",
    "OpenRollouts",
    "RolloutRow",
    "RunRow",
    "Runs",
    "Step",
]
