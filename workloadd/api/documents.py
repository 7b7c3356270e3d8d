"""JSON of the status and of the history, pretty-printed: people curl it."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from aiohttp import web
from pydantic import BaseModel

from workloadd.api.models import EventRecord, History, Reason, RolloutRecord, RolloutStep, RunRecord
from workloadd.core.errors import Problem
from workloadd.core.runs import run_status
from workloadd.core.status import Status, WorkloadStatus, moment
from workloadd.history.rows import EventRow, RolloutRow
from workloadd.history.runs import RunRow

# Bytes of rollouts in one answer; log lines make them large.
MAX_ROLLOUTS = 1 << 20


@dataclass(frozen=True)
class Document:
    """JSON as it is sent."""

    body: bytes

    @classmethod
    def of(cls, model: BaseModel, include: set[str] | None = None) -> "Document":
        """A model, for people to read as well."""
        return cls(model.model_dump_json(indent=2, include=include).encode() + b"\n")

    def response(self, status: int = 200) -> web.Response:
        """The answer that it is."""
        return web.Response(status=status, body=self.body, content_type="application/json")

    def unless_known(self, request: web.Request) -> web.Response:
        """The answer that it is, or 304 where the client has it already (RFC 9110, 13.1.2)."""
        given = request.if_none_match or ()
        known = any(tag.value in (self.etag, "*") for tag in given)
        response = web.Response(status=304) if known else self.response()
        response.etag = self.etag
        response.headers["Cache-Control"] = "no-cache"
        return response

    @cached_property
    def etag(self) -> str:
        """Names what it says, without the quotes (RFC 9110, 8.8.3)."""
        return hashlib.sha256(self.body).hexdigest()[:32]


class Documents:
    """Documents of the newest status, each rendered once for all who ask."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._rendered: dict[str, Document] = {}

    def status(self, status: Status) -> Document:
        """`/v1/status`."""
        return self._once(status, "", lambda: Document.of(status))

    def workloads(self, status: Status) -> Document:
        """`/v1/workloads`."""
        return self._once(status, "workloads/", lambda: Document.of(status, {"workloads"}))

    def workload(self, status: Status, workload: WorkloadStatus) -> Document:
        """`/v1/workloads/NAME`; `workload` is one of `status`."""
        return self._once(status, f"workloads/{workload.name}", lambda: Document.of(workload))

    def _once(self, status: Status, key: str, render: Callable[[], Document]) -> Document:
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
) -> Document:
    """`/v1/workloads/NAME/history`, the newest first; `truncated` says that there may be more."""
    records: list[RolloutRecord] = []
    size = 0
    truncated = max(len(events), len(runs)) >= limit
    for rollout in rollouts:
        record = _rollout(rollout)
        size += len(record.model_dump_json())
        if records and (size > MAX_ROLLOUTS or len(records) >= limit):
            truncated = True
            break
        records.append(record)
    return Document.of(
        History(
            workload=workload,
            rollouts=tuple(records),
            events=tuple(map(_event, events)),
            runs=tuple(map(_run, runs)),
            truncated=truncated,
        )
    )


def _rollout(row: RolloutRow) -> RolloutRecord:
    return RolloutRecord(
        revision=row.revision,
        from_revision=row.from_revision,
        cause=row.cause,
        outcome=row.outcome,
        problem=_reason(row.problem),
        started=moment(row.started_at),
        committed=moment(row.committed_at),
        ended=moment(row.ended_at),
        steps=tuple(RolloutStep(at=moment(s.at), step=s.step, detail=s.detail) for s in row.steps),
        log=row.log,
    )


def _event(row: EventRow) -> EventRecord:
    return EventRecord(at=moment(row.at), kind=row.kind, message=row.message)


def _run(row: RunRow) -> RunRecord:
    return RunRecord(**run_status(row.run).model_dump(), log=row.log)


def _reason(problem: Problem | None) -> Reason | None:
    if problem is None:
        return None
    return Reason(reason=problem.reason, message=problem.message, hint=problem.hint)
