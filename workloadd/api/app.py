"""The application: which path answers what."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel

from workloadd.api import actions, documents, health, runs, text, text_usage
from workloadd.api.access import Access, may_know
from workloadd.api.actions import Actions, Diff, ShowSpec
from workloadd.api.contract import DEFAULT_LIMIT, ENDPOINTS, MAX_LIMIT, SHOWN
from workloadd.api.documents import Document, Documents
from workloadd.api.events import EventsApi
from workloadd.api.fleetlock import FleetLockApi, Locks
from workloadd.api.guard import (
    Handler,
    answer_errors,
    refuse_strangers,
    set_headers,
)
from workloadd.api.images import Images, images_handler
from workloadd.api.logs import LogsApi, LogsView
from workloadd.api.metrics import metrics_handler
from workloadd.api.models import Alive, Readiness, Unready
from workloadd.api.negotiate import wants_text
from workloadd.api.openapi import openapi
from workloadd.api.page import Page
from workloadd.api.parameters import number
from workloadd.api.problems import Refusal
from workloadd.api.prune import Prune, prune_handler
from workloadd.api.runs import StartRun
from workloadd.api.updates import Check, check_handler
from workloadd.api.usage import UsageApi, UsageView
from workloadd.board import Board
from workloadd.core.status import SETTLED, Status, WorkloadStatus
from workloadd.events import Events
from workloadd.history.rows import EventRow, RolloutRow
from workloadd.history.runs import RunRow
from workloadd.host import peers
from workloadd.settings.model import Settings
from workloadd.spec.text import did_you_mean, quote

# Says in every answer about workloads whether they are as declared: `yes` or `no`.
SETTLED_HEADER = "Workloadd-Settled"
# When the pass began that a workload's status is from, in seconds since the epoch.
LOOKED_HEADER = "Workloadd-Looked"
_ADD = {"GET": web.get, "POST": web.post}
# Rollouts in a workload's text; the last one that ended is shown.
_TEXT_ROLLOUTS = 5


class RunsView(Protocol):
    """What answering needs of the runs of jobs."""

    async def of(self, workload: str, limit: int = ...) -> list[RunRow]: ...


class HistoryView(Protocol):
    """What answering needs of the history."""

    @property
    def runs(self) -> RunsView: ...

    async def rollouts(self, workload: str, limit: int = ...) -> list[RolloutRow]: ...

    async def events(self, workload: str, limit: int = ...) -> list[EventRow]: ...


def application(
    board: Board,
    history: HistoryView,
    settings: Settings,
    clock: Callable[[], float],
    start_run: StartRun,
    by_hand: Actions | None = None,
    prune: Prune | None = None,
    diff: Diff | None = None,
    check: Check | None = None,
    locks: Locks | None = None,
    events: Events | None = None,
    metrics: Callable[[], bytes] | None = None,
    logs: LogsView | None = None,
    images: Images | None = None,
    spec: ShowSpec | None = None,
    access: Access | None = None,
    usage: UsageView | None = None,
) -> web.Application:
    """Everything that HTTP answers; `clock` gives seconds since the epoch."""
    api = _Api(
        board,
        history,
        settings.rollout.deadline,
        clock,
        start_run,
        by_hand or {},
        diff,
        usage,
        spec,
    )
    log_lines = LogsApi(logs, lambda name: board.status.workload(name), api.find) if logs else None
    fleetlock = FleetLockApi(locks, settings.fleetlock, peers)
    following = EventsApi(events) if events else None
    uses = UsageApi(usage, api.find) if usage else None
    page = Page()
    handlers: dict[str, Handler | None] = {
        "table": page.before(api.status),
        "healthz": api.healthz,
        "readyz": api.readyz,
        "metrics": metrics_handler(metrics) if metrics else None,
        "openapi": api.openapi,
        "status": api.status,
        "workloads": api.workloads,
        "workload": api.workload,
        "history": api.history,
        "images": images_handler(images) if images else None,
        "events": following.follow if following else None,
        "logs": log_lines.answer if log_lines else None,
        "resources": uses.one if uses else None,
        "uses": uses.all if uses else None,
        "diff": api.diff,
        "spec": api.spec,
        "run": api.run,
        "act": api.act,
        "prune": prune_handler(prune) if prune else None,
        "check": check_handler(check) if check else None,
        "pre_reboot": fleetlock.pre_reboot,
        "steady_state": fleetlock.steady_state,
        "detail": page.before(api.workload),
    }
    app = web.Application(middlewares=[answer_errors, refuse_strangers(access or Access())])
    app.on_response_prepare.append(set_headers)
    if following:
        app.on_shutdown.append(following.streams.close)
    if log_lines:
        app.on_shutdown.append(log_lines.close)
    app.add_routes(page.routes())
    for endpoint in ENDPOINTS:
        if handler := handlers[endpoint.name]:
            app.add_routes([_ADD[endpoint.method](endpoint.path, handler)])
    return app


_Row = TypeVar("_Row", RolloutRow, RunRow)


def _for_the_asker(request: web.Request, name: str, rows: Sequence[_Row]) -> list[_Row]:
    """Rollouts or runs, with their log lines for who may know these.

    Over TCP every user of the machine may ask, and what a program says as it crashes may well be
    its environment.
    """
    if may_know(request):
        return list(rows)
    hint = f"(only for the workloads' user: workloadctl history {name})"
    return [replace(row, log=(hint,) if row.log else ()) for row in rows]


class _Api:
    """The handlers. They read the board and the history; what they change is done by others."""

    def __init__(
        self,
        board: Board,
        history: HistoryView,
        grace: float,
        clock: Callable[[], float],
        start_run: StartRun,
        by_hand: Actions,
        diff: Diff | None,
        usage: UsageView | None,
        spec: ShowSpec | None,
    ) -> None:
        self._board = board
        self._history = history
        self._grace = grace
        self._clock = clock
        self._start_run = start_run
        self._by_hand = by_hand
        self._diff = diff
        self._usage = usage
        self._spec = spec
        self._documents = Documents()
        self._description: Document | None = None

    async def status(self, request: web.Request) -> web.Response:
        """`/v1/status` and `/`: everything, as a document or as the table."""
        status = self._board.status
        if wants_text(request, default=request.path == "/"):
            return _told(self._documents.table(status, self._now()), _all_settled(status))
        return _answer(request, await self._documents.status(status), _all_settled(status))

    async def workloads(self, request: web.Request) -> web.Response:
        """`/v1/workloads`: the workloads of the status alone."""
        status = self._board.status
        return _answer(request, await self._documents.workloads(status), _all_settled(status))

    async def workload(self, request: web.Request) -> web.Response:
        """`/v1/workloads/NAME` and `/NAME`: one workload, as a document or as text."""
        workload = self.find(request)
        if wants_text(request, default=not request.path.startswith("/v1/")):
            return await self._told(request, workload)
        document = self._documents.workload(workload)
        answer = _answer(request, document, workload.state in SETTLED)
        passes = self._board.status.passes
        if passes.last:
            # What a pass that failed leaves there was seen before it.
            looked = 0.0 if passes.problem else passes.last.timestamp()
            answer.headers[LOOKED_HEADER] = f"{looked:.6f}"
        return answer

    async def _told(self, request: web.Request, workload: WorkloadStatus) -> web.Response:
        rollouts = await self._history.rollouts(workload.name, _TEXT_ROLLOUTS)
        rollouts = _for_the_asker(request, workload.name, rollouts)
        runs = await self._history.runs.of(workload.name, 1) if workload.job else []
        last = _for_the_asker(request, workload.name, runs)
        settled = workload.state in SETTLED
        uses = text_usage.uses(self._usage.meters.get(workload.name)) if self._usage else ""
        return _told(text.detail(workload, rollouts, self._now(), last, uses), settled)

    async def openapi(self, request: web.Request) -> web.Response:
        """`/openapi.json`: this API for programs."""
        if self._description is None:
            text = json.dumps(await asyncio.to_thread(openapi), indent=2, ensure_ascii=False)
            self._description = Document(text.encode() + b"\n")
        return self._description.unless_known(request)

    async def history(self, request: web.Request) -> web.Response:
        """`/v1/workloads/NAME/history`: rollouts and events, of a removed workload too."""
        name = request.match_info["name"]
        limit = number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        rollouts = await self._history.rollouts(name, limit + 1)
        rollouts = _for_the_asker(request, name, rollouts)
        events = await self._history.events(name, limit)
        runs = _for_the_asker(request, name, await self._history.runs.of(name, limit))
        if not rollouts and not events:
            self.find(request)
        return documents.history(name, rollouts, events, runs, limit).response()

    async def run(self, request: web.Request) -> web.Response:
        """`POST /v1/workloads/NAME/run`: start a job now."""
        document = await runs.start_run(request, self.find(request), self._start_run)
        return Document.of(document).response(202)

    async def act(self, request: web.Request) -> web.Response:
        """`POST /v1/workloads/NAME/ACTION`: what people do by hand."""
        return await actions.act(request, self.find(request), self._by_hand, self._clock)

    async def spec(self, request: web.Request) -> web.Response:
        """`/v1/workloads/NAME/spec`: what its file comes to; for who owns it alone."""
        return await actions.spec(request, self.find(request), self._spec)

    async def diff(self, request: web.Request) -> web.Response:
        """`/v1/workloads/NAME/diff`: how what serves differs; for who owns it alone."""
        return await actions.diff(request, self.find(request), self._diff)

    async def healthz(self, request: web.Request) -> web.Response:
        """`/healthz`: whether the loop lives."""
        silence = self._board.silence()
        problem = health.silence_problem(silence)
        document = Alive(alive=not problem, reason=problem, silence=round(silence, 3))
        return _verdict(request, document, [problem] if problem else [])

    async def readyz(self, request: web.Request) -> web.Response:
        """`/readyz`: whether everything that is to serve does."""
        unready = health.unready(self._board.status, self._grace, self._clock())
        reasons = tuple(Unready(workload=one.workload, reason=one.why) for one in unready)
        document = Readiness(ready=not unready, unready=reasons)
        return _verdict(request, document, [str(one) for one in unready])

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def find(self, request: web.Request) -> WorkloadStatus:
        """The workload that is asked about."""
        name = request.match_info["name"]
        status = self._board.status
        if found := status.workload(name):
            return found
        for other in status.elsewhere:
            if other.name == name:
                detail = f"{quote(name)} is not for this host: {other.reason}"
                raise Refusal(404, "NotForThisHost", detail, f"its file is {other.source}")
        if not status.passes.count:
            raise _too_early(status)
        names = [workload.name for workload in status.workloads]
        hint = did_you_mean(name, names) or _known(names)
        detail = f"cannot find a workload {quote(name)}"
        if not request.path.startswith("/v1/"):
            hint = f"{hint}\nthere are: {' '.join(SHOWN)}"
        raise Refusal(404, "NoSuchWorkload", detail, hint)


def _too_early(status: Status) -> Refusal:
    """Just after a start, of which nobody need know, no workload is known yet."""
    detail = "cannot say yet: the first look at the host is not done"
    hint = status.passes.problem or "ask again in a moment"
    return Refusal(503, "NotYetKnown", detail, hint, headers={"Retry-After": "1"})


def _known(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10]) + (" …" if names[10:] else "")
    return f"the workloads are: {shown}" if names else "no workloads are declared"


def _all_settled(status: Status) -> bool:
    passes = status.passes
    seen = passes.count > 0 and not passes.problem
    return seen and all(workload.state in SETTLED for workload in status.workloads)


def _verdict(request: web.Request, document: BaseModel, reasons: Sequence[str]) -> web.Response:
    """200, or 503 with the reasons."""
    status = 503 if reasons else 200
    if wants_text(request, default=True):
        return web.Response(status=status, text="\n".join(reasons or ["ok"]) + "\n")
    return Document.of(document).response(status)


def _told(content: str, settled: bool) -> web.Response:
    return web.Response(text=content, headers={SETTLED_HEADER: "yes" if settled else "no"})


def _answer(request: web.Request, document: Document, settled: bool) -> web.Response:
    response = document.unless_known(request)
    response.headers[SETTLED_HEADER] = "yes" if settled else "no"
    return response
