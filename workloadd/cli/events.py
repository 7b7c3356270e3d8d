"""`workloadctl events`: what changes, as it changes."""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

import click

from workloadd.api.words import clean
from workloadd.cli import client

# Seconds before the daemon is asked again once it was cut off, and how often at the most.
_PAUSE, _TIMES = 1.0, 30


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Each change as a line of JSON.")
@client.options
def events(name: str | None, as_json: bool, url: str | None, unix: str | None) -> None:
    """Follow what changes, of all workloads or of one: a line for each change.

    What is so already is told first. Where the daemon is restarted meanwhile, it goes on with what
    was missed. Ends with Ctrl-C.

    Exit status: 1 where the daemon does not answer, or is away for more than half a minute.
    """
    if name:
        found = client.get(client.workload_path(name), "application/json", url, unix)
        if found.status >= 400:
            raise click.ClickException(client.problem(found)[1])
    known: dict[str, Any] = {}
    for kind, document in _all(name, url, unix):
        if as_json:
            click.echo(json.dumps({"event": kind, "data": document}, ensure_ascii=False))
        else:
            for line in _said(kind, document, known):
                click.echo(f"{datetime.now():%H:%M:%S}  {line}")


def _all(name: str | None, url: str | None, unix: str | None) -> Iterator[tuple[str, Any]]:
    """All events, over as many connections as it takes."""
    last, failures = "", 0
    path = f"/v1/events?{urlencode({'workload': name})}" if name else "/v1/events"
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        try:
            for fields in _events(client.lines(path, "text/event-stream", url, unix, headers)):
                last, failures = fields.get("id", last), 0
                if "event" in fields:
                    yield fields["event"], json.loads(fields["data"])
        except (OSError, HTTPException):
            pass  # cut off; it is asked again
        except click.ClickException:
            failures += 1
            if not last or failures >= _TIMES:
                raise
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


def _said(kind: str, document: Any, known: dict[str, Any]) -> Iterator[str]:
    """A change in words, beside what was known before."""
    match kind:
        case "workload":
            name = document["name"]
            before, known[name] = known.get(name), document
            now = _words(document)
            if before is None or _words(before) != now:
                yield f"{name}: {now}"
        case "gone":
            known.pop(document["name"], None)
            yield f"{document['name']}: gone"
        case "host":
            before, known[""] = known.get("", {}), document
            yield from _host(before, document)


def _words(document: Any) -> str:
    message = clean(document["message"])
    return f"{document['state']}: {message}" if message else document["state"]


def _host(before: Any, now: Any) -> Iterator[str]:
    old = {one["type"]: one for one in before.get("host", ())}
    for one in now["host"]:
        known = old.get(one["type"])
        if one["status"] != "True" and (known is None or known["status"] == "True"):
            yield f"host, {one['type']}: {clean(one['message'])}"
        elif known and known["status"] != "True" and one["status"] == "True":
            yield f"host, {one['type']}: it is well"
    for problem in now["problems"]:
        if problem not in before.get("problems", ()):
            yield f"host: {clean(problem)}"
