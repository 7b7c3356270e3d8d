"""The check of a container as Compose writes it, which is made into probes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.config import JsonDict

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import DurationForm
from workloadd.spec.probes import Probes, parse_probes
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.process import MAX_ARGUMENT
from workloadd.spec.text import as_list, as_text, bounded, quote
from workloadd.spec.translate import validated
from workloadd.spec.units import parse_duration

NONE = "NONE"
SHELL = "CMD-SHELL"
ARGUMENTS = "CMD"
_TEST_HINT = "write a shell command as text, or a list that begins with CMD or CMD-SHELL"
# A check without a command is refused: the examples of its other fields have one.
_TESTED: JsonDict = {"beside": {"test": "curl -f http://localhost/"}}
MAX_RETRIES = 10000
MAX_WAIT = 86400.0


def parse_test(value: object) -> tuple[str, ...]:
    """``CMD`` with arguments, or ``CMD-SHELL`` with a command; text is the latter."""
    if isinstance(value, str):
        return (SHELL, _command(value))
    words = [word for _, word in each(enumerate(as_list(value)), as_text)]
    if not words or words[0] not in (ARGUMENTS, SHELL):
        raise reject("BadValue", "it does not say how to run the command", _TEST_HINT)
    if words[0] == SHELL and len(words) != 2:
        raise reject("BadValue", f"{SHELL} is followed by one text, the command", _TEST_HINT)
    if len(words) == 1:
        raise reject("BadValue", "the command is missing", _TEST_HINT)
    return (words[0], *(bounded(word, MAX_ARGUMENT) for word in words[1:]))


def _command(text: str) -> str:
    if not text.strip():
        raise reject("BadValue", "it is empty", _TEST_HINT)
    if text.strip().upper() == NONE:
        raise reject("BadValue", f"{quote(text)} is no command", "write disable: true")
    return bounded(text, MAX_ARGUMENT)


def _wait(value: object) -> float:
    seconds = parse_duration(value)
    if not 1 <= seconds <= MAX_WAIT:
        raise reject("BadValue", "it is not between 1s and 24h")
    return seconds


def _grace(value: object) -> float:
    return _wait(value) if parse_duration(value) else 0.0


_Test = Annotated[
    tuple[str, ...], BeforeValidator(parse_test, json_schema_input_type=str | list[str])
]
_Wait = Annotated[float, BeforeValidator(_wait, json_schema_input_type=DurationForm)]


class StartupCheck(SpecModel):
    """A check of its own for the time until the container has come up."""

    test: _Test = Field(
        description="The command; the container is up when it has ended with 0.",
        examples=["test -e /run/ready", ["CMD", "/app", "--ready"]],
    )
    interval: _Wait = Field(
        default=30.0, description="How long from one check to the next.", examples=["2s"]
    )
    timeout: _Wait = Field(
        default=30.0, description="How long a check may take before it failed.", examples=["5s"]
    )
    retries: int = Field(
        default=0,
        ge=0,
        le=MAX_RETRIES,
        description="After so many failures the container is started again; 0 waits for ever.",
        examples=[30],
    )
    success: int = Field(
        default=1,
        ge=1,
        le=MAX_RETRIES,
        description="How many checks have to succeed in a row.",
        examples=[3],
    )


class Healthcheck(SpecModel):
    """A command that is run in the container again and again: its readiness probe, and more."""

    test: Annotated[
        tuple[str, ...] | None,
        BeforeValidator(optional(parse_test), json_schema_input_type=str | list[str] | None),
    ] = Field(
        default=None,
        description="The command: text for a shell, or a list that begins with CMD (arguments) or "
        "CMD-SHELL.",
        examples=["curl -f http://localhost/", ["CMD", "/app", "--check"]],
    )
    disable: bool = Field(
        default=False, description="Run no check, not the image's either.", examples=[True]
    )
    interval: _Wait = Field(
        default=30.0,
        description="How long from one check to the next.",
        examples=["10s"],
        json_schema_extra=_TESTED,
    )
    timeout: _Wait = Field(
        default=30.0,
        description="How long a check may take before it failed.",
        examples=["5s"],
        json_schema_extra=_TESTED,
    )
    retries: int = Field(
        default=3,
        ge=1,
        le=MAX_RETRIES,
        description="After so many failures in a row it is not ready.",
        examples=[5],
        json_schema_extra=_TESTED,
    )
    start_period: Annotated[float, BeforeValidator(_grace, json_schema_input_type=DurationForm)] = (
        Field(
            default=0.0,
            description="How long after the start failures do not count, until it first succeeds.",
            examples=["1m"],
            json_schema_extra=_TESTED,
        )
    )
    on_failure: Literal["none", "restart"] = Field(
        default="none",
        description="What to do with a container that fails it: nothing but to say that it is not "
        "ready, or start it again, too.",
        examples=["restart"],
        json_schema_extra=_TESTED,
    )
    startup: StartupCheck | None = Field(
        default=None,
        description="A check that has to succeed before this one begins.",
        examples=[{"test": "test -e /run/ready", "interval": "2s"}],
        json_schema_extra=_TESTED,
    )

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Healthcheck:
        if self.disable and (self.test or self.startup):
            key = "test" if self.test else "startup"
            raise ProblemsError(Problem("BadValue", "disable says to run none", "", (key,)))
        if not self.disable and self.test is None:
            hint = "write the command, or disable: true"
            raise ProblemsError(
                Problem("MissingField", "the key test is missing", hint, at_key=True)
            )
        return self


def parse_healthcheck(value: object) -> Healthcheck:
    """The value of ``healthcheck``; Compose's ``test: NONE`` is ``disable: true``."""
    if isinstance(value, dict) and value.get("test") in (NONE, [NONE]):
        value = {**{key: one for key, one in value.items() if key != "test"}, "disable": True}
    return validated(Healthcheck, value)


class HealthSpec(SpecModel):
    """How a container is asked whether it is well."""

    probes: Annotated[Probes, BeforeValidator(parse_probes, json_schema_input_type=Probes)] = Field(
        default_factory=Probes,
        description="What the container is asked while it runs: whether it has started, is ready, "
        "and is alive.",
        examples=[{"readiness": {"http": "8080/healthz"}, "liveness": {"tcp": 8080}}],
    )
    healthcheck: Annotated[
        Healthcheck | None,
        BeforeValidator(optional(parse_healthcheck), json_schema_input_type=Healthcheck | None),
    ] = Field(
        default=None,
        description="The readiness probe as Compose writes it; the image's where it is left out, "
        "unless probes has one.",
        examples=[{"test": "curl -f http://localhost/", "interval": "10s"}, {"disable": True}],
    )

    def asked_twice(self) -> Iterator[Problem]:
        """The probes that ``healthcheck`` stands for, where ``probes`` has them as well."""
        check = self.healthcheck
        if check is None or check.disable:
            return
        stands_for = {
            "readiness": "test",
            "liveness": "on_failure" if check.on_failure == "restart" else "",
            "startup": "startup" if check.startup else "",
        }
        for kind, key in stands_for.items():
            if key and getattr(self.probes, kind):
                why = f"probes has a {kind} probe, and this would be another one"
                yield Problem("BadValue", why, "leave one of them out", ("healthcheck", key))
