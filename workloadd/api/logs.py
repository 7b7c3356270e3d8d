"""`/v1/workloads/NAME/logs`: what containers wrote, for who may know it.

What a program says may well be its environment, so not everybody on the machine is told.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web

from workloadd.api.access import require_reader
from workloadd.api.contract import DEFAULT_TAIL, MAX_TAIL, NDJSON, SINCE
from workloadd.api.negotiate import wants_text
from workloadd.api.parameters import flag, number
from workloadd.api.problems import Refusal
from workloadd.api.streams import Streams
from workloadd.core.names import SLOTS, TRIGGER, WHOLE, unit_part
from workloadd.core.status import WorkloadStatus
from workloadd.host.journal_logs import LogLine
from workloadd.logs import Query
from workloadd.spec.text import did_you_mean, quote

Find = Callable[[str], WorkloadStatus | None]
"""The status of a workload, where there is one of that name."""

# At a time: those that are followed, and those that end by themselves.
_FOLLOWED, _READ = 32, 16
_JOURNAL = "journald"
# Parts that are units, and no containers of a pod.
_NO_CONTAINER = {WHOLE, TRIGGER, *map(unit_part, SLOTS)}
_SINCE = re.compile(SINCE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class LogView(Protocol):
    """The log of one workload."""

    parts: set[str]

    def lines(self, present: Callable[[], set[str]]) -> AsyncGenerator[list[LogLine], None]: ...


class LogsView(Protocol):
    """What answering needs of the journal."""

    clock: Callable[[], float]
    drivers: Callable[[str], Mapping[str, str]]

    async def open(self, query: Query) -> LogView: ...


class LogsApi:
    """Answers with lines, as text or as JSON."""

    def __init__(
        self, logs: LogsView, find: Find, require: Callable[[web.Request], object]
    ) -> None:
        self._logs = logs
        self._find = find
        self._require = require
        self._followed = Streams("logs", limit=_FOLLOWED)
        self._read = Streams("logs", limit=_READ)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The lines that a request asks for."""
        name = request.match_info["name"]
        require_reader(request, "what programs wrote", f"workloadctl logs {quote(name)[1:-1]}")
        query = self._query(request, name)
        log = await self._logs.open(query)
        if not log.parts:
            self._require(request)
        self._require_container(query.container, name, log)
        self._require_journal(query.container, name)
        text = wants_text(request, default=True, documents=(NDJSON,))
        lines = log.lines(lambda: _parts(self._find(name)))
        chunks = _chunks(lines, as_text if text else as_json)
        streams = self._followed if query.follow else self._read
        return await streams.answer(request, "text/plain" if text else NDJSON, chunks)

    async def close(self, app: web.Application) -> None:
        """End what is followed."""
        await self._followed.close(app)
        await self._read.close(app)

    def _query(self, request: web.Request, name: str) -> Query:
        given = request.query
        since = self._since(given.get("since", ""))
        return Query(
            name,
            number(request, "tail", MAX_TAIL if since else DEFAULT_TAIL, 0, MAX_TAIL),
            since,
            flag(request, "follow"),
            given.get("container", ""),
        )

    def _since(self, written: str) -> float:
        """A moment, or how long ago, as seconds since the epoch; 0 where it is not said."""
        if not written:
            return 0.0
        if not _SINCE.fullmatch(written):
            hint = "write how long ago (90s, 10m, 2h, 7d), or @ and seconds since 1970"
            raise Refusal(400, "BadSince", f"cannot accept since={quote(written)}", hint)
        if written.startswith("@"):
            return float(written[1:])
        return max(0.0, self._logs.clock() - int(written[:-1]) * _SECONDS[written[-1]])

    def _require_container(self, container: str, name: str, log: LogView) -> None:
        if not container:
            return
        known = log.parts | _parts(self._find(name))
        names = sorted(part for part in known if part not in _NO_CONTAINER)
        if container not in known:
            hint = did_you_mean(container, names)
            there = f"there are: {', '.join(names)}" if names else "it has only one: do not name it"
            detail = f"cannot find a container {quote(container)} of {name}"
            raise Refusal(404, "NoSuchContainer", detail, hint or there)

    def _require_journal(self, container: str, name: str) -> None:
        drivers = self._logs.drivers(name)
        chosen = {drivers[container]} if container in drivers else set(drivers.values())
        if chosen and _JOURNAL not in chosen:
            driver = min(chosen)
            hint = f"see what podman has of it: podman logs {name}"
            if driver == "none":
                hint = "its file says logging: {driver: none}; take that out to have it kept"
            detail = f"cannot show the output of {name}: it goes to {driver}, not to the journal"
            raise Refusal(409, "NotInJournal", detail, hint)


def _parts(status: WorkloadStatus | None) -> set[str]:
    """The parts that a workload has, with the names of their units."""
    found = {WHOLE, *(unit_part(slot) for slot in SLOTS)}
    return found | {one.name for one in status.containers} if status else found


async def _chunks(
    batches: AsyncGenerator[list[LogLine], None], form: Callable[[LogLine], str]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(batches):
        async for lines in batches:
            yield "".join(map(form, lines)).encode()


def as_text(line: LogLine) -> str:
    """A line for people: when, of a pod also which container, and what."""
    container = f"[{line.container}] " if line.container else ""
    return f"{_moment(line)} {container}{line.text}\n"


def as_json(line: LogLine) -> str:
    """A line as a JSON document on a line of its own."""
    document = {
        "time": _moment(line),
        "container": line.container,
        "id": line.id,
        "stream": line.stream,
        "text": line.text,
    }
    return json.dumps(document, ensure_ascii=False) + "\n"


def _moment(line: LogLine) -> str:
    at = datetime.fromtimestamp(line.at // 1_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{line.at // 1000 % 1000:03}Z"
