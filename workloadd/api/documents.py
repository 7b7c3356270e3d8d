"""JSON of the status and of the history, pretty-printed: people curl it."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workloadd.core.errors import Problem
from workloadd.core.runs import run_status
from workloadd.core.status import Status, WorkloadStatus, moment
from workloadd.history.rows import EventRow, RolloutRow
from workloadd.history.runs import RunRow

# Bytes of rollouts in one answer; log lines make them large.
MAX_ROLLOUTS = 1 << 20


class Documents:
    """Documents of the newest status, each rendered once for all who ask."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._rendered: dict[str, str] = {}

    def status(self, status: Status) -> str:
        """`/v1/status`."""
        return self._once(status, "", lambda: status.model_dump_json(indent=2) + "\n")

    def workloads(self, status: Status) -> str:
        """`/v1/workloads`."""
        return self._once(
            status,
            "workloads/",
            lambda: status.model_dump_json(indent=2, include={"workloads"}) + "\n",
        )

    def workload(self, status: Status, workload: WorkloadStatus) -> str:
        """`/v1/workloads/NAME`; `workload` is one of `status`."""
        key = f"workloads/{workload.name}"
        return self._once(status, key, lambda: workload.model_dump_json(indent=2) + "\n")

    def _once(self, status: Status, key: str, render: Callable[[], str]) -> str:
        # A status is immutable, so the same object is the same document.
        if status is not self._status:
            self._status = status
            self._rendered.clear()
        if key not in self._rendered:
            self._rendered[key] = render()
        return self._rendered[key]


def history(
    workload: str,
    rollouts: Iterable[RolloutRow],
    events: Sequence[EventRow],
    runs: Sequence[RunRow],
    limit: int,
) -> str:
    """`/v1/workloads/NAME/history`, the newest first; `truncated` says that there may be more."""
    documents: list[dict[str, Any]] = []
    size = 0
    truncated = max(len(events), len(runs)) >= limit
    for rollout in rollouts:
        document = _rollout(rollout)
        size += len(json.dumps(document))
        if documents and (size > MAX_ROLLOUTS or len(documents) >= limit):
            truncated = True
            break
        documents.append(document)
    return _json(
        {
            "workload": workload,
            "rollouts": documents,
            "events": [_event(event) for event in events],
            "runs": [_run(row) for row in runs],
            "truncated": truncated,
        }
    )


def _rollout(row: RolloutRow) -> dict[str, Any]:
    return {
        "revision": row.revision,
        "from_revision": row.from_revision,
        "cause": row.cause,
        "outcome": row.outcome,
        "problem": _problem(row.problem),
        "started": _time(row.started_at),
        "committed": _time(row.committed_at),
        "ended": _time(row.ended_at),
        "steps": [{"at": _time(s.at), "step": s.step, "detail": s.detail} for s in row.steps],
        "log": list(row.log),
    }


def _event(row: EventRow) -> dict[str, Any]:
    return {"at": _time(row.at), "kind": row.kind, "message": row.message}


def _run(row: RunRow) -> dict[str, Any]:
    return {**run_status(row.run).model_dump(mode="json"), "log": list(row.log)}


def _problem(problem: Problem | None) -> dict[str, str] | None:
    if problem is None:
        return None
    return {"reason": problem.reason, "message": problem.message, "hint": problem.hint}


def _time(seconds: float) -> str | None:
    at = moment(seconds)
    return at.isoformat().replace("+00:00", "Z") if at else None


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
