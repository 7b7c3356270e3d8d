"""How a container begins, ends and begins again."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import DurationForm, RestartForm
from workloadd.spec.process import Restart, parse_restart, parse_stop_timeout
from workloadd.spec.reload import Reload, parse_reload
from workloadd.spec.signals import parse_signal
from workloadd.spec.units import parse_duration


class LifecycleSpec(SpecModel):
    """How a container is stopped and started again."""

    restart: Annotated[
        Restart, BeforeValidator(parse_restart, json_schema_input_type=RestartForm)
    ] = Field(
        default_factory=Restart,
        description="When to start the container again after it ended by itself: always, "
        "on-failure, on-failure:N (at most N times in a row) or no.",
        examples=["on-failure:3"],
    )
    reload: Annotated[
        Reload | None, BeforeValidator(optional(parse_reload), json_schema_input_type=Reload | None)
    ] = Field(
        default=None,
        description="How the container is told that files with on_change: reload changed.",
        examples=[{"signal": "SIGHUP"}, {"command": ["nginx", "-s", "reload"]}],
    )
    stop_signal: Annotated[
        str | None,
        BeforeValidator(optional(parse_signal), json_schema_input_type=str | int | None),
    ] = Field(
        default=None,
        description="Signal that asks the process to end; the image's where it is left out.",
        examples=["SIGQUIT", "SIGRTMIN+3"],
    )
    stop_timeout: Annotated[
        float,
        BeforeValidator(
            lambda value: parse_stop_timeout(parse_duration(value)),
            json_schema_input_type=DurationForm,
        ),
    ] = Field(
        default=10.0,
        description="How long the process may take to end before it is killed.",
        examples=["30s", "1m30s"],
    )
