"""Following what changes, over restarts of the daemon: what it tells as server-sent events."""

import json
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

import click

from workloadd.cli import client

# Seconds before the daemon is asked again once it was cut off.
_PAUSE = 1.0
# How often it is asked at the most, by who cannot wait for ever.
TIMES = 30

Heard = tuple[str, Any]
"""The kind of an event, and what it says. Beside the daemon's own kinds there are `away` (the
daemon does not answer any more) and `back` (it does again)."""

NOTES = {
    "away": "workloadd does not answer any more; asking again",
    "back": "workloadd answers again",
}
"""What to say of those."""


def follow(
    name: str | None, url: str | None, unix: str | None, times: int | None = None
) -> Iterator[Heard]:
    """All events, over as many connections as it takes; the daemon may be away for so many tries.

    Raises:
        click.ClickException: there was no answer at all, or none any more, or it is a refusal.
    """
    last, failures = "", 0
    path = f"/v1/events?{urlencode({'workload': name})}" if name else "/v1/events"
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        again, heard = bool(last), False
        try:
            for fields in _events(client.lines(path, "text/event-stream", url, unix, headers)):
                kind = fields.get("event")
                if back := failures > 0 or (again and kind == "reset"):
                    yield "back", {}
                again, failures, heard = again and not back and not kind, 0, True
                last = fields.get("id", last)
                if kind:
                    yield kind, json.loads(fields["data"])
        except (OSError, HTTPException):
            pass  # cut off; it is asked again
        except click.ClickException as error:
            failures += 1
            if not last or failures == times:
                raise
            if failures == 1:
                yield "away", {"reason": getattr(error, "reason", error.message)}
        if not heard:
            time.sleep(_PAUSE)


def _events(lines: Iterator[str]) -> Iterator[Mapping[str, str]]:
    """The fields of each event (HTML, server-sent events); of a comment there are none."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        if colon and name:
            fields[name] = value
        elif not line:
            yield fields
            fields = {}


class Changes:
    """Says what changes, beside what is known already."""

    def __init__(self) -> None:
        self._workloads: dict[str, str] = {}
        self._host: dict[str, Any] = {}

    def told(self, kind: str, document: Any) -> Iterator[str]:
        """A change in words."""
        match kind:
            case "reset":
                here = document.get("workloads")
                for name in [one for one in self._workloads if here is not None]:
                    if name not in here:
                        yield from self.told("gone", {"name": name})
            case "workload":
                name, now = document["name"], _words(document)
                if self._workloads.get(name) != now:
                    yield f"{name}: {now}"
                self._workloads[name] = now
            case "gone":
                self._workloads.pop(document["name"], None)
                yield f"{document['name']}: gone"
            case "host" if document["passes"]["count"]:
                before, self._host = self._host, document
                yield from _host(before, document)


def _words(document: Any) -> str:
    from workloadd.api.words import clean

    message = clean(document["message"])
    return f"{document['state']}: {message}" if message else str(document["state"])


def _host(before: Any, now: Any) -> Iterator[str]:
    from workloadd.api.words import clean

    old = {one["type"]: one for one in before.get("host", ())}
    for one in now["host"]:
        known = old.get(one["type"])
        if one["status"] != "True" and (known is None or known["status"] == "True"):
            yield f"host, {one['type']}: {clean(one['message'])}"
        elif known and known["status"] != "True" and one["status"] == "True":
            yield f"host, {one['type']}: it is well"
    for problem in (*now["problems"], now["passes"]["problem"]):
        if problem and problem not in (*before.get("problems", ()), _problem(before)):
            yield f"host: {clean(problem)}"
    if _problem(before) and not _problem(now):
        yield "host: it can be told again how the workloads are"


def _problem(host: Any) -> str:
    return str(host.get("passes", {}).get("problem", ""))
