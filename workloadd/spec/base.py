"""What the models of the format have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

Out = TypeVar("Out")


class SpecModel(BaseModel):
    """A part of the format: immutable, nothing converted silently, no value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def optional(parse: Callable[[object], Out]) -> Callable[[object], Out | None]:
    """``parse``, for a field that may be null as well."""
    return lambda value: None if value is None else parse(value)
