"""The description of the HTTP API for people, made from its contract."""

import json
from typing import Any

from workloadd.api.contract import ENDPOINTS, Endpoint, Parameter
from workloadd.api.openapi import openapi

_HEAD = """\
# The HTTP API

On `127.0.0.1:7780` there are reads, for everybody on this machine. On the Unix socket
`$XDG_RUNTIME_DIR/workloadd/workloadd.sock` there are actions as well, for the user whose workloads
they are, and for root: `curl --unix-socket "$XDG_RUNTIME_DIR/workloadd/workloadd.sock"
http://localhost/v1/status`. [Access](access.md) tells who may ask what, and of tokens.
`http://127.0.0.1:7780/openapi.json` describes it all for programs (OpenAPI 3.1); [a
copy](../openapi.json) is here.

- Where it says *text*, `Accept` decides between words for people and JSON. `/` and `/NAME` are
  words for who does not say (`curl 127.0.0.1:7780/web`), what is below `/v1` is JSON.
- Documents have an `ETag`; a request with `If-None-Match` is answered 304 while nothing changes.
- `Workloadd-Settled: yes` says that all that was asked about is as declared; of one workload
  `Workloadd-Looked` says when the pass began that this was seen in (seconds since the epoch; 0
  while passes fail).
- What is refused is told in a problem document (RFC 9457) with a stable `reason`, or in words.
- `curl -N 127.0.0.1:7780/v1/events` tells what is known and then every change, as server-sent
  events: `reset` (forget all but the names in `workloads`; null while the daemon does not know them
  yet), `host` (the host, what is shared, and whether passes fail), `workload` (one, as a whole) and
  `gone`. Who comes back with `Last-Event-ID`, as a browser does by itself, gets what was missed.
  Who does not read is cut off.
- Only loopback names are answered to as `Host`, and no other site's web page. A connection serves
  one request, and lasts 10 s at the most, but for streams.
"""
_TAIL = """
Any request may be answered 401, 403, 413, 421, 500 or 503 as well. The fields of all documents are
described in `openapi.json`.
"""


def markdown() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *map(_section, ENDPOINTS), _TAIL.strip(), ""])


def openapi_text() -> str:
    """OpenAPI 3.1 as JSON."""
    return json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"


def _section(one: Endpoint) -> str:
    private = one.owner and (
        "Unix socket, or with the token" if one.method == "GET" else "Unix socket only"
    )
    how = [word for word in ("text" if one.text else "", private) if word]
    said = f" *{', '.join(how)}*" if how else ""
    lines = [f"## `{one.method} {one.path}`", "", f"{one.summary}.{said}"]
    if one.parameters:
        lines += ["", *map(_parameter, one.parameters)]
    answers = ", ".join(
        f"{status} {f'`{model.__name__}`' if model else ''}".strip()
        for status, model in one.answers.items()
    )
    return "\n".join([*lines, "", f"Answers: {answers}.", ""])


def _parameter(one: Parameter) -> str:
    return f"- `{one.name}` ({one.where}): {one.description}{_bounds(one.schema)}"


def _bounds(schema: Any) -> str:
    if "enum" in schema:
        return f": {', '.join(schema['enum'])}"
    if "minimum" in schema:
        default = schema["default"]
        return f", {schema['minimum']} to {schema['maximum']}; {default} where it is left out"
    return ""
