"""A probe's HTTP request, and which answers are good ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic.config import JsonDict

from workloadd.spec.base import SpecModel
from workloadd.spec.forms import ScalarForm
from workloadd.spec.pairs import parse_pairs
from workloadd.spec.pattern import parse_pattern
from workloadd.spec.ports import port_range
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.text import as_line, as_list, kind, quote
from workloadd.spec.translate import validated

_ASKED: JsonDict = {"beside": {"port": 8080}}

_HINT = "write for example 8080, 8080/healthz or https://localhost:8443/healthz"
_SHORT = re.compile(
    r"""(?: (?P<scheme> https? ) :// (?P<host> [^:/]* | \[[^\]]*\] ) (?: : (?=\d) | (?=/|$) ) )?
        (?P<port> \d* ) (?P<path> /.* )?""",
    re.VERBOSE,
)
_LOCAL = ("", "localhost", "127.0.0.1", "[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# A token by RFC 9110.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
# They say where the request ends: whoever makes it says them.
_OURS = ("connection", "content-length", "transfer-encoding", "upgrade")
_STATUS = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")


def parse_port(value: object) -> int:
    """One port of the container."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise reject("WrongType", f"expected a port number, got {kind(value)}")
    numbers = port_range(str(value))
    if len(numbers) > 1:
        raise reject("BadPort", f"{quote(str(value))} is more than one port")
    return numbers.start


def _path(value: object) -> str:
    text = as_line(value)
    if not text.startswith("/") or " " in text or not text.isascii():
        hint = "write for example /healthz, with %20 for a blank"
        raise reject("BadValue", f"{quote(text)} is not the path of a URL", hint)
    return text


def _headers(value: object) -> Mapping[str, str]:
    """No message ever shows a header's value."""
    return parse_pairs(value, _header)


def _header(name: str, value: str) -> str:
    if not _HEADER.fullmatch(name):
        raise reject("InvalidName", "it is not the name of a header", at_key=True)
    if name.lower() in _OURS:
        why = f"{quote(name)} is not for the file to say"
        raise reject("InvalidName", why, "leave it out", at_key=True)
    return value


def _statuses(value: object) -> tuple[str, ...]:
    entries = each(enumerate(as_list(value)), _range) if isinstance(value, list | tuple) else []
    ranges = [one for _, one in entries] or [_range(value)]
    return tuple(sorted(set(ranges)))


def _range(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise reject("WrongType", f"expected a status, got {kind(value)}")
    found = _STATUS.fullmatch(str(value))
    if not found or (found[2] and found[2] < found[1]):
        hint = "write for example 204 or 200-299"
        raise reject("BadValue", f"{quote(str(value))} is no status, and no range of them", hint)
    return found[0] if found[2] != found[1] else found[1]


class HttpProbe(SpecModel):
    """A request by HTTP to a port of the container, which need not be published."""

    port: Annotated[int, BeforeValidator(parse_port, json_schema_input_type=int | str)] = Field(
        description="Port of the container.", examples=[8080]
    )
    path: Annotated[str, BeforeValidator(_path, json_schema_input_type=str)] = Field(
        default="/",
        description="Path of the request, with its query.",
        examples=["/healthz"],
        json_schema_extra=_ASKED,
    )
    scheme: Literal["http", "https"] = Field(
        default="http",
        description="Whether to speak TLS; the certificate is not checked.",
        examples=["https"],
        json_schema_extra=_ASKED,
    )
    headers: Annotated[
        Mapping[str, str],
        BeforeValidator(_headers, json_schema_input_type=dict[str, ScalarForm] | list[str]),
    ] = Field(
        default_factory=dict,
        repr=False,
        description="Headers of the request; a mapping or a list of NAME=VALUE.",
        examples=[{"Host": "shop.example"}],
        json_schema_extra=_ASKED,
    )
    status: Annotated[
        tuple[str, ...],
        BeforeValidator(_statuses, json_schema_input_type=int | str | list[int | str]),
    ] = Field(
        default=("200-399",),
        description="Which answers are good ones: a status, a range, or a list of them.",
        examples=[204, "200-299", [200, 401]],
        json_schema_extra=_ASKED,
    )
    body: Annotated[str, BeforeValidator(parse_pattern, json_schema_input_type=str)] = Field(
        default="",
        description="Regular expression (RE2) that has to be found in the answer's first 64 KiB.",
        examples=['"status": *"ok"'],
        json_schema_extra=_ASKED,
    )


def parse_http(value: object) -> HttpProbe:
    """The value of ``http``: a mapping, or in short ``PORT``, ``PORT/PATH`` or a URL."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return validated(HttpProbe, value)
    text = as_line(str(value))
    found = _SHORT.fullmatch(text)
    if not found or not (found["port"] or found["scheme"]):
        raise reject("BadValue", f"{quote(text)} is no port and path", _HINT)
    if (found["host"] or "") not in _LOCAL:
        why = f"{quote(found['host'])} is another host: a probe asks its own container"
        raise reject("BadValue", why, f"write localhost; for a Host header write headers; {_HINT}")
    scheme = found["scheme"] or "http"
    given = {
        "port": found["port"] or _DEFAULT_PORTS[scheme],
        "path": found["path"] or "/",
        "scheme": scheme,
    }
    try:
        return validated(HttpProbe, given)
    except ProblemsError as caught:
        # They are all in one text, so that there is no place below it to point to.
        raise ProblemsError(*(Problem(p.reason, p.why, p.hint) for p in caught.problems)) from None
