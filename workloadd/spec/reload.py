"""How a container is told to read its files anew."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.process import parse_arguments
from workloadd.spec.signals import parse_signal
from workloadd.spec.translate import validated

_HINT = "write {signal: SIGHUP} or {command: [PROGRAM, ARGUMENT]}"


def _command(value: object) -> tuple[str, ...]:
    command = parse_arguments(value)
    if not command:
        raise reject("BadValue", "it is empty", _HINT)
    return command


def parse_reload(value: object) -> Reload:
    """The value of ``reload``."""
    return validated(Reload, value)


class Reload(SpecModel):
    """A signal to the container's first process, or a command in the container."""

    signal: Annotated[
        str | None, BeforeValidator(optional(parse_signal), json_schema_input_type=str | int | None)
    ] = Field(
        default=None,
        description="Signal that the container's first process gets.",
        examples=["SIGHUP"],
    )
    command: Annotated[
        tuple[str, ...] | None,
        BeforeValidator(optional(_command), json_schema_input_type=str | list[str] | None),
    ] = Field(
        default=None,
        description="Command that is run in the container; it has to end with exit code 0.",
        examples=[["nginx", "-s", "reload"]],
    )

    @model_validator(mode="after")
    def _agree(self) -> Reload:
        if (self.signal is None) == (self.command is None):
            why = "it has " + ("neither signal nor command" if self.signal is None else "both")
            raise ProblemsError(Problem("BadValue", why, _HINT, at_key=True))
        return self
