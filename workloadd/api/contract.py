"""What can be asked over HTTP, and what is answered: routes, documentation and checks follow it.

`NAME` in a path stands for one segment of it, as in aiohttp's `{name}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from workloadd.api import models as m
from workloadd.core.status import Status, WorkloadStatus
from workloadd.spec.names import MAX_NAME, NAME

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
DEFAULT_TAIL, MAX_TAIL = 100, 10_000
NDJSON = "application/x-ndjson"
SINCE = "[0-9]{1,6}[smhd]|@[0-9]{1,10}"
MAX_REASON = 200
METRICS = "text/plain; version=0.0.4; charset=utf-8"
ACTIONS = ("pause", "restart", "resume", "rollback", "start", "stop", "update")

Where = Literal["path", "query", "header"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that a request may say; `schema` is JSON Schema."""

    name: str
    where: Where
    description: str
    schema: Mapping[str, Any]

    @property
    def required(self) -> bool:
        """Whether there is no request without it."""
        return self.where == "path" or self.name == "fleet-lock-protocol"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of request. `name` names its handler, `answers` are models by HTTP status.

    `text` says that it is told in words too, for who prefers that, `page` that browsers get the
    page; `open` that it says nothing of workloads, and so wants no token; `owner` that on the Unix
    socket only the owner of the workloads is answered, and over TCP nobody, or for a read who has
    the token; `media` is what is answered with in place of JSON. What every request may be refused
    with goes without saying.
    """

    method: Literal["GET", "POST"]
    path: str
    name: str
    summary: str
    answers: Mapping[int, type[BaseModel] | None]
    parameters: tuple[Parameter, ...] = ()
    text: bool = False
    page: bool = False
    open: bool = False
    owner: bool = False
    body: type[BaseModel] | None = None
    media: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """What its paths look like."""
        return re.compile("[^/]+".join(map(re.escape, re.split(r"\{[a-z]+\}", self.path))))

    @property
    def shown(self) -> str:
        """How it is called in a list for people."""
        path = self.path.replace("{name}", "NAME").replace("{action}", "ACTION")
        return path if self.method == "GET" else f"{self.method} {path}"


_NAME = Parameter(
    "name",
    "path",
    "a workload",
    {"type": "string", "pattern": f"^{NAME}$", "maxLength": MAX_NAME},
)
_REASON = Parameter(
    "reason", "query", "why, for the history", {"type": "string", "maxLength": MAX_REASON}
)
_DRY_RUN = Parameter(
    "dry_run", "query", "only say what would be removed", {"type": "boolean", "default": False}
)
_LIMIT = Parameter(
    "limit",
    "query",
    "entries of each kind",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
_TAIL = Parameter(
    "tail",
    "query",
    "the last so many lines (with `since`: all of them)",
    {"type": "integer", "minimum": 0, "maximum": MAX_TAIL, "default": DEFAULT_TAIL},
)
_SINCE = Parameter(
    "since",
    "query",
    "none from before: how long ago (`90s`, `10m`, `2h`, `7d`), or `@` and seconds since 1970",
    {"type": "string", "pattern": f"^({SINCE})$"},
)
_FOLLOW = Parameter(
    "follow", "query", "go on with what comes", {"type": "boolean", "default": False}
)
_CONTAINER = Parameter("container", "query", "of a pod: this one alone", {"type": "string"})
_TO = Parameter("to", "query", "of a rollback: the revision, or how it begins", {"type": "string"})
_REVISION = Parameter(
    "revision", "query", "compare with this one, or how it begins", {"type": "string"}
)
_ONLY = Parameter("workload", "query", "follow this one alone", {"type": "string"})
_LAST = Parameter(
    "Last-Event-ID",
    "header",
    "the last event that was seen: go on after it",
    {"type": "string", "maxLength": 64},
)
_ACTION = Parameter("action", "path", "what to do", {"type": "string", "enum": list(ACTIONS)})
_FLEETLOCK = Parameter(
    "fleet-lock-protocol", "header", "it is meant", {"type": "string", "const": "true"}
)
_P = m.ProblemDocument
# What is below it speaks a protocol of its own.
FLEETLOCK = "/fleetlock/"
_LOCK = {400: m.LockRefused, 404: m.LockRefused, 409: m.LockRefused, 502: m.LockRefused}

ENDPOINTS = (
    Endpoint("GET", "/", "table", "All workloads at a glance", {200: Status}, text=True,
             page=True),
    Endpoint("GET", "/healthz", "healthz", "Whether the loop is alive",
             {200: m.Alive, 503: m.Alive}, text=True, open=True),
    Endpoint("GET", "/readyz", "readyz", "Whether everything that is to serve does",
             {200: m.Readiness, 503: m.Readiness}, text=True),
    Endpoint("GET", "/metrics", "metrics", "Metrics for Prometheus", {200: None},
             media=METRICS),
    Endpoint("GET", "/openapi.json", "openapi", "This description", {200: None}),
    Endpoint("GET", "/v1/status", "status", "The host, the loop, and all workloads",
             {200: Status}, text=True),
    Endpoint("GET", "/v1/workloads", "workloads", "All workloads", {200: m.Workloads}),
    Endpoint("GET", "/v1/workloads/{name}", "workload", "One workload",
             {200: WorkloadStatus, 404: _P}, (_NAME,), text=True),
    Endpoint("GET", "/v1/workloads/{name}/history", "history",
             "Its rollouts, events and runs, also once it is gone",
             {200: m.History, 400: _P, 404: _P}, (_NAME, _LIMIT)),
    Endpoint("GET", "/v1/workloads/{name}/logs", "logs",
             "What its containers wrote, also those that are gone: text, or JSON a line",
             {200: None, 400: _P, 404: _P, 409: _P}, (_NAME, _TAIL, _SINCE, _FOLLOW, _CONTAINER),
             text=True, owner=True, media=NDJSON),
    Endpoint("GET", "/v1/workloads/{name}/diff", "diff",
             "How what serves differs from its file, or from another revision",
             {200: m.Difference, 404: _P, 409: _P}, (_NAME, _REVISION), owner=True),
    Endpoint("GET", "/v1/workloads/{name}/resources", "resources",
             "What it uses of the host, and has used in the last minutes",
             {200: m.WorkloadResources, 404: _P}, (_NAME,)),
    Endpoint("GET", "/v1/resources", "uses", "What each workload that runs uses",
             {200: m.Resources}),
    Endpoint("GET", "/v1/workloads/{name}/spec", "spec",
             "What its file comes to, with all defaults",
             {200: m.Specification, 404: _P, 409: _P}, (_NAME,), owner=True),
    Endpoint("GET", "/v1/images", "images",
             "The images that workloads use, or that were pulled for them, and what for",
             {200: m.WorkloadImages}, owner=True),
    Endpoint("GET", "/v1/events", "events",
             "What is known, and then every change, as server-sent events",
             {200: None, 400: _P}, (_ONLY, _LAST), media="text/event-stream"),
    Endpoint("POST", "/v1/workloads/{name}/run", "run", "Start a job now",
             {202: m.RunStarted, 404: _P, 409: _P}, (_NAME,), owner=True),
    Endpoint("POST", "/v1/workloads/{name}/{action}", "act", "Do something by hand",
             {200: m.Acted, 202: m.Acted, 400: _P, 404: _P, 409: _P},
             (_NAME, _ACTION, _REASON, _TO), owner=True),
    Endpoint("POST", "/v1/prune", "prune", "Remove images that nobody needs",
             {200: m.PrunedImages, 400: _P, 409: _P}, (_DRY_RUN,), owner=True),
    Endpoint("POST", "/v1/updates/check", "check", "Ask the registries now what is newer",
             {200: m.OutdatedWorkloads}, owner=True),
    Endpoint("POST", "/fleetlock/v1/pre-reboot", "pre_reboot", "May the host be rebooted?",
             {200: m.LockGranted, **_LOCK}, (_FLEETLOCK,), body=m.LockRequest),
    Endpoint("POST", "/fleetlock/v1/steady-state", "steady_state", "The host is up again",
             {200: m.LockGranted, **_LOCK}, (_FLEETLOCK,), body=m.LockRequest),
    Endpoint("GET", "/{name}", "detail", "One workload", {200: WorkloadStatus, 404: _P}, (_NAME,),
             text=True, page=True),
)  # fmt: skip


def methods_of(path: str) -> dict[str, Endpoint]:
    """What can be asked of a path, by method; HEAD is what GET is, but for the body."""
    return {one.method: one for one in reversed(ENDPOINTS) if _PATTERNS[one.name].fullmatch(path)}


_PATTERNS = {one.name: one.pattern for one in ENDPOINTS}
SHOWN = tuple(one.shown for one in ENDPOINTS)
"""All of it, for people."""
