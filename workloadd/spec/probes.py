"""Probes: how the daemon asks a container whether it has started, is ready, and is alive."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator
from pydantic.config import JsonDict

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import DurationForm
from workloadd.spec.probe_http import HttpProbe, parse_http, parse_port
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.process import parse_arguments
from workloadd.spec.text import one_of, quote
from workloadd.spec.translate import validated
from workloadd.spec.units import format_duration, parse_duration

MAX_THRESHOLD = 10000
_DAY = 86400.0
_WAYS = ("http", "tcp", "exec")
# A probe that asks nothing is refused: the examples of its other fields have something.
_ASKED: JsonDict = {"beside": {"tcp": 5432}}
_SHELL = re.compile(r"\|\|?|&&?|;|[0-9]?>{1,2}.*|<.*")


def _command(value: object) -> tuple[str, ...]:
    words = parse_arguments(value)
    if not words or not words[0].strip():
        raise reject("BadValue", "it is empty", "write the command")
    shell = next((word for word in words if _SHELL.fullmatch(word)), None)
    if isinstance(value, str) and shell:
        why = f"no shell runs it, so that {quote(shell)} would be an argument"
        raise reject("BadValue", why, 'write [sh, -c, "…"] where one is meant')
    return words


def _between(least: float, most: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        seconds = parse_duration(value)
        if not least <= seconds <= most:
            bounds = f"{format_duration(least)} and {format_duration(most)}"
            raise reject("BadValue", f"it is not between {bounds}")
        return seconds

    return parse


class ProbeSpec(SpecModel):
    """One way to ask a container, and how often it has to answer well or ill."""

    http: Annotated[
        HttpProbe | None,
        BeforeValidator(optional(parse_http), json_schema_input_type=HttpProbe | int | str | None),
    ] = Field(
        default=None,
        description="Request by HTTP: PORT, PORT/PATH, a URL of localhost, or a mapping.",
        examples=["8080/healthz", {"port": 8443, "scheme": "https", "status": 204}],
    )
    tcp: Annotated[
        int | None,
        BeforeValidator(optional(parse_port), json_schema_input_type=int | str | None),
    ] = Field(
        default=None,
        description="Port of the container that has to take a connection.",
        examples=[5432],
    )
    exec: Annotated[
        tuple[str, ...] | None,
        BeforeValidator(optional(_command), json_schema_input_type=str | list[str] | None),
    ] = Field(
        default=None,
        description="Command that is run in the container and has to end with exit code 0; each "
        "try starts a process.",
        examples=[["pg_isready", "--quiet"], "test -e /run/ready"],
    )
    interval: Annotated[
        float, BeforeValidator(_between(0.1, _DAY), json_schema_input_type=DurationForm)
    ] = Field(
        default=10.0,
        description="How long from one try to the next.",
        examples=["5s"],
        json_schema_extra=_ASKED,
    )
    timeout: Annotated[
        float, BeforeValidator(_between(0.01, 3600.0), json_schema_input_type=DurationForm)
    ] = Field(
        default=1.0,
        description="How long a try may take before it failed.",
        examples=["3s"],
        json_schema_extra=_ASKED,
    )
    failure_threshold: int = Field(
        default=3,
        ge=1,
        le=MAX_THRESHOLD,
        description="So many failures in a row, and the answer is no.",
        examples=[5],
        json_schema_extra=_ASKED,
    )
    success_threshold: int = Field(
        default=1,
        ge=1,
        le=MAX_THRESHOLD,
        description="So many good tries in a row, and the answer is yes.",
        examples=[2],
        json_schema_extra=_ASKED,
    )
    initial_delay: Annotated[
        float, BeforeValidator(_between(0.0, _DAY), json_schema_input_type=DurationForm)
    ] = Field(
        default=0.0,
        description="How long after the start of the container the first try is made.",
        examples=["5s"],
        json_schema_extra=_ASKED,
    )

    @model_validator(mode="after")
    def _one_way(self) -> ProbeSpec:
        given = [way for way in _WAYS if getattr(self, way) is not None]
        if not given:
            hint = "write for example http: 8080/healthz, tcp: 5432 or exec: [PROGRAM, ARGUMENT]"
            why = "it does not say how to ask"
            raise ProblemsError(Problem("MissingField", why, hint, at_key=True))
        if len(given) > 1:
            why = f"it has {' and '.join(given)}: a probe asks in one way"
            hint = f"leave all but one of {one_of(given)} out"
            raise ProblemsError(Problem("BadValue", why, hint, (given[1],), at_key=True))
        return self


def parse_probe(value: object) -> ProbeSpec:
    """One of the probes."""
    return validated(ProbeSpec, value)


_Probe = Annotated[
    ProbeSpec | None,
    BeforeValidator(optional(parse_probe), json_schema_input_type=ProbeSpec | None),
]


class Probes(SpecModel):
    """What a container is asked."""

    startup: _Probe = Field(
        default=None,
        description="Whether it has come up. Until then the others are not asked; if it never "
        "does, it is started again.",
        examples=[{"http": 8080, "interval": "2s", "failure_threshold": 60}],
    )
    readiness: _Probe = Field(
        default=None,
        description="Whether it can serve: Ready goes by it, and so does what waits for Ready. It "
        "is never started again for that.",
        examples=[{"http": "8080/healthz"}],
    )
    liveness: _Probe = Field(
        default=None,
        description="Whether it is worth to go on with it: if not, it is started again.",
        examples=[{"tcp": 5432, "interval": "30s"}],
    )


def parse_probes(value: object) -> Probes:
    """The value of ``probes``."""
    return validated(Probes, value)
