"""JSON of the status and of the history, pretty-printed: people curl it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import is_

from aiohttp import web
from pydantic import BaseModel

from workloadd.api import text
from workloadd.api.models import (
    EventRecord,
    History,
    Reason,
    RolloutRecord,
    RolloutStep,
    RunRecord,
    Workloads,
)
from workloadd.core.errors import Problem
from workloadd.core.runs import run_status
from workloadd.core.status import Status, WorkloadStatus, moment
from workloadd.history.rows import EventRow, RolloutRow
from workloadd.history.runs import RunRow
from workloadd.slices import in_slices

# Bytes of rollouts in one answer; log lines make them large.
MAX_ROLLOUTS = 1 << 20
# How a list of workloads begins where there are none, and a line of a workload in it: what is in a
# string of JSON has no line of its own.
_NO_WORKLOADS = b'\n  "workloads": []'
_INDENTED = b"\n    "


@dataclass(frozen=True)
class Document:
    """JSON as it is sent."""

    body: bytes

    @classmethod
    def of(cls, model: BaseModel) -> "Document":
        """A model, for people to read as well."""
        return cls(model.model_dump_json(indent=2).encode() + b"\n")

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
        return hashlib.blake2b(self.body, digest_size=16).hexdigest()


class Documents:
    """Documents of the newest status, each rendered once for all who ask.

    What a workload comes to is kept for as long as nothing changes of it, and of all of them the
    whole is put together.
    """

    def __init__(self) -> None:
        self._workloads: dict[str, tuple[WorkloadStatus, bytes]] = {}
        self._whole: dict[str, tuple[Status, Document]] = {}
        self._table: tuple[Status, int, str] | None = None

    def table(self, status: Status, now: datetime) -> str:
        """`/` in words: it tells ages, so each second has its own."""
        second = int(now.timestamp())
        if not self._table or self._table[0] is not status or self._table[1] != second:
            self._table = (status, second, text.table(status, now))
        return self._table[2]

    async def status(self, status: Status) -> Document:
        """`/v1/status`."""
        return await self._once("status", status, status)

    async def workloads(self, status: Status) -> Document:
        """`/v1/workloads`."""
        known, document = self._whole.get("workloads", (None, None))
        if known and document and _same(known.workloads, status.workloads):
            return document
        return await self._once("workloads", status, Workloads(workloads=()))

    def workload(self, workload: WorkloadStatus) -> Document:
        """`/v1/workloads/NAME`."""
        return Document(self._rendered(workload).replace(_INDENTED, b"\n") + b"\n")

    async def _once(self, key: str, status: Status, frame: BaseModel) -> Document:
        # A status is immutable, so the same object is the same document.
        known, document = self._whole.get(key, (None, None))
        if known is not status or document is None:
            document = await self._make(status, frame)
            self._whole[key] = status, document
        return document

    async def _make(self, status: Status, frame: BaseModel) -> Document:
        """A document with the workloads of a status in the place of none of them."""
        rendered = await in_slices(map(self._rendered, status.workloads))
        there = {one.name for one in status.workloads}
        for name in self._workloads.keys() - there:
            del self._workloads[name]
        around = Document.of(frame.model_copy(update={"workloads": ()})).body
        before, _, after = around.partition(_NO_WORKLOADS)
        if not rendered:
            return Document(around)
        head = before + _NO_WORKLOADS[:-1] + _INDENTED
        return Document(head + (b"," + _INDENTED).join(rendered) + b"\n  ]" + after)

    def _rendered(self, workload: WorkloadStatus) -> bytes:
        """A workload as it is among the others."""
        known, text = self._workloads.get(workload.name, (None, b""))
        if known is not workload:
            text = workload.model_dump_json(indent=2).encode().replace(b"\n", _INDENTED)
            self._workloads[workload.name] = workload, text
        return text


def _same(one: Sequence[WorkloadStatus], other: Sequence[WorkloadStatus]) -> bool:
    """Whether nothing has changed of any workload: the very same objects are there."""
    return len(one) == len(other) and all(map(is_, one, other))


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
