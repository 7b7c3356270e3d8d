"""What was tried, when, and how it ended: the only thing about workloads that is stored."""

from workloadd.history.hands import HandRows
from workloadd.history.revisions import RevisionRow, Revisions
from workloadd.history.rows import EventRow, RolloutRow, Step
from workloadd.history.runs import RunRow, Runs
from workloadd.history.store import BadRevisions, History, LastRollouts, OpenRollouts

__all__ = [
    "BadRevisions",
    "EventRow",
    "HandRows",
    "History",
    "LastRollouts",
    "OpenRollouts",
    "RevisionRow",
    "Revisions",
    "RolloutRow",
    "RunRow",
    "Runs",
    "Step",
]
