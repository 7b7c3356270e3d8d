"""Podman's own check of a container: Compose's words, and Podman's where Compose has none."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.config import JsonDict

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import DurationForm, SizeForm
from workloadd.spec.paths import absolute_path
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.process import MAX_ARGUMENT
from workloadd.spec.text import as_line, as_list, as_text, bounded, did_you_mean, quote
from workloadd.spec.translate import validated
from workloadd.spec.units import parse_duration, parse_size

NONE = "NONE"
SHELL = "CMD-SHELL"
ARGUMENTS = "CMD"
_DESTINATIONS = ("local", "events_logger")
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


def _destination(value: object) -> str:
    text = as_line(value)
    if text.startswith("/"):
        return absolute_path(text)
    if text not in _DESTINATIONS:
        hint = did_you_mean(text, _DESTINATIONS) or "write local, events_logger or a directory"
        raise reject("BadValue", f"{quote(text)} is no place for a log", hint)
    return text


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
        description="After so many failures Podman restarts the container; 0 waits for ever.",
        examples=[30],
    )
    success: int = Field(
        default=1,
        ge=1,
        le=MAX_RETRIES,
        description="How many checks have to succeed in a row.",
        examples=[3],
    )


class HealthLog(SpecModel):
    """What Podman keeps of the checks' output."""

    destination: Annotated[str, BeforeValidator(_destination, json_schema_input_type=str)] = Field(
        default="local",
        description="With the container (local), in Podman's events (events_logger), or a "
        "directory of the host.",
        examples=["events_logger"],
        json_schema_extra={"podman": "5.3"},
    )
    max_count: int = Field(
        default=5,
        ge=0,
        le=MAX_RETRIES,
        description="How many checks it keeps; 0 is all.",
        examples=[20],
        json_schema_extra={"podman": "5.3"},
    )
    max_size: Annotated[int, BeforeValidator(parse_size, json_schema_input_type=SizeForm)] = Field(
        default=500,
        le=2**31,
        description="Characters that it keeps of each; 0 is all.",
        examples=["4k"],
        json_schema_extra={"podman": "5.3"},
    )


class Healthcheck(SpecModel):
    """A command that Podman runs in the container again and again."""

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
        description="After so many failures in a row it is unhealthy.",
        examples=[5],
        json_schema_extra=_TESTED,
    )
    start_period: Annotated[float, BeforeValidator(_grace, json_schema_input_type=DurationForm)] = (
        Field(
            default=0.0,
            description="How long after the start failures do not count.",
            examples=["1m"],
            json_schema_extra=_TESTED,
        )
    )
    on_failure: Literal["none", "kill", "stop"] = Field(
        default="none",
        description="What to do with an unhealthy container: nothing, kill it (then restart says "
        "whether it starts again), or stop it.",
        examples=["kill"],
        json_schema_extra=_TESTED,
    )
    startup: StartupCheck | None = Field(
        default=None,
        description="A check that has to succeed before this one begins.",
        examples=[{"test": "test -e /run/ready", "interval": "2s"}],
        json_schema_extra=_TESTED,
    )
    log: HealthLog = Field(
        default_factory=HealthLog,
        description="What is kept of the checks' output.",
        examples=[{"max_count": 20}],
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
    """How Podman checks a container."""

    healthcheck: Annotated[
        Healthcheck | None,
        BeforeValidator(optional(parse_healthcheck), json_schema_input_type=Healthcheck | None),
    ] = Field(
        default=None,
        description="Podman's check of the container; the image's where it is left out.",
        examples=[{"test": "curl -f http://localhost/", "interval": "10s"}, {"disable": True}],
    )
