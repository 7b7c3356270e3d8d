"""How a workload goes from one revision to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import DurationForm, ScalarForm
from workloadd.spec.problems import reject
from workloadd.spec.translate import validated
from workloadd.spec.units import parse_duration
from workloadd.spec.versions import parse_version
from workloadd.spec.window import Window, parse_window

_LONGEST = 86400.0

MAX_KEPT = 10
"""Deployments kept behind the one that serves, at the most."""


def _soak(value: object) -> float:
    seconds = parse_duration(value)
    if seconds > _LONGEST:
        raise reject("BadValue", "a rollout takes at most a day", "write for example 1m")
    return seconds


def _deadline(value: object) -> float:
    seconds = _soak(value)
    if seconds < 1:
        raise reject("BadValue", "nothing starts within less than 1s", "write for example 2m")
    return seconds


def parse_update(value: object) -> Update:
    """The value of ``update``."""
    return validated(Update, value)


class Update(SpecModel):
    """How a new revision has to prove itself, and what becomes of one that does not."""

    soak: Annotated[
        float | None,
        BeforeValidator(optional(_soak), json_schema_input_type=DurationForm | None),
    ] = Field(
        default=None,
        description="How long it has to run without trouble; the daemon's own setting where it is "
        "left out.",
        examples=["30s"],
    )
    deadline: Annotated[
        float | None,
        BeforeValidator(optional(_deadline), json_schema_input_type=DurationForm | None),
    ] = Field(
        default=None,
        description="How long it may take until it is up and ready; then it has failed.",
        examples=["5m"],
    )
    rollback: bool = Field(
        default=True,
        description="Go back to the previous deployment where the new one fails; false keeps the "
        "new one, and systemd goes on trying.",
        examples=[False],
    )
    order: Literal["stop-first", "start-first"] = Field(
        default="stop-first",
        description="Stop the old before the new one starts, or let the new one prove itself "
        "beside it first. The latter is for what has no fixed host port, but may have sockets.",
        examples=["start-first"],
    )
    keep: Annotated[int | None, Field(ge=1, le=MAX_KEPT)] = Field(
        default=None,
        description="How many deployments are kept, stopped, behind the one that serves, to roll "
        "back to; the daemon's own setting where it is left out.",
        examples=[3],
    )
    policy: Literal["manual", "notify", "auto"] = Field(
        default="manual",
        description="What becomes of a newer image under the same tag: nothing until it is asked "
        "for (manual), it is told of (notify), or it is rolled out (auto). A digest is left alone.",
        examples=["auto"],
    )
    version: Annotated[
        Mapping[str, str],
        BeforeValidator(parse_version, json_schema_input_type=ScalarForm | dict[str, ScalarForm]),
    ] = Field(
        default_factory=dict,
        description="Which other tags count as newer images: a range of versions, as npm and Cargo "
        "write it, for the numbers in the image's tag; in a pod by the name of the container.",
        examples=["1.27.x", {"web": "^1.27.3"}],
    )
    window: Annotated[
        tuple[Window, ...],
        BeforeValidator(parse_window, json_schema_input_type=Window | list[Window]),
    ] = Field(
        default=(),
        description="When newer images may be rolled out by themselves (policy: auto); at any time "
        "where it is left out. Changes of the file do not wait for it.",
        examples=[{"days": ["sat", "sun"], "hours": "02:00-05:00", "time_zone": "Europe/Berlin"}],
    )


class UpdateSpec(SpecModel):
    """What is said of a workload's updates."""

    update: Annotated[Update, BeforeValidator(parse_update, json_schema_input_type=Update)] = Field(
        default_factory=Update,
        description="How it goes from one revision to the next.",
        examples=[{"soak": "30s", "deadline": "5m"}],
    )
