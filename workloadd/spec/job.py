"""A container that runs to its end: once for each revision, or at times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from workloadd.spec.base import optional
from workloadd.spec.calendar import parse_schedule, parse_time_zone, zone_of
from workloadd.spec.container import ContainerSpec
from workloadd.spec.forms import DurationForm
from workloadd.spec.health import Healthcheck
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.probes import Probes
from workloadd.spec.problems import Path, Problem, ProblemsError, reject
from workloadd.spec.process import Restart
from workloadd.spec.sockets import Socket
from workloadd.spec.units import parse_duration

MAX_RETRIES = 100
_NOT_SCHEDULED = "it has no meaning without schedule"


def _no_restart(value: object) -> Restart:
    raise reject("BadValue", "a job ends by itself and stays so", "write retries: NUMBER")


def _no_sockets(value: object) -> Any:
    raise reject("BadValue", "a job does not wait for connections", "write kind: service")


def _no_probes(value: object) -> Any:
    raise reject("BadValue", "a job runs to its end, which says how it went", "leave it out")


def _timeout(value: object) -> float:
    seconds = parse_duration(value)
    if seconds < 1:
        raise reject("BadValue", "a run takes at least 1s", "leave it out for no limit")
    return seconds


class JobSpec(WorkloadSpec, ContainerSpec):
    """One container that is run to its end."""

    kind: Literal["job"] = Field(
        description="What the file declares: a job runs to its end.", examples=["job"]
    )
    restart: SkipJsonSchema[Annotated[Restart, BeforeValidator(_no_restart)]] = Field(
        default_factory=lambda: Restart(policy="no"),
        description="Not for jobs: retries says how often a run that failed is tried again.",
        exclude=True,
    )
    sockets: SkipJsonSchema[Annotated[tuple[Socket, ...], BeforeValidator(_no_sockets)]] = Field(
        default=(), description="Not for jobs: they wait for no connection.", exclude=True
    )
    idle_timeout: SkipJsonSchema[Annotated[float | None, BeforeValidator(_no_sockets)]] = Field(
        default=None, description="Not for jobs: they wait for no connection.", exclude=True
    )
    probes: SkipJsonSchema[Annotated[Probes, BeforeValidator(_no_probes)]] = Field(
        default_factory=Probes, description="Not for jobs: its end says how it went.", exclude=True
    )
    healthcheck: SkipJsonSchema[Annotated[Healthcheck | None, BeforeValidator(_no_probes)]] = Field(
        default=None, description="Not for jobs: its end says how it went.", exclude=True
    )
    schedule: Annotated[
        tuple[str, ...],
        BeforeValidator(parse_schedule, json_schema_input_type=str | list[str] | None),
    ] = Field(
        default=(),
        description="When to run: an OnCalendar expression of systemd.time(7), or several. Without "
        "it the job runs once for each revision.",
        examples=["daily", "Mon..Fri 03:30", ["*-*-* 06:00", "*-*-* 18:00"]],
    )
    time_zone: Annotated[
        str | None, BeforeValidator(optional(parse_time_zone), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="The time zone of the schedule; the host's where it is left out.",
        examples=["Europe/Berlin"],
        json_schema_extra={"beside": {"schedule": "daily"}},
    )
    randomized_delay: Annotated[
        float, BeforeValidator(parse_duration, json_schema_input_type=DurationForm)
    ] = Field(
        default=0.0,
        description="Start up to this long after each scheduled time, so that not all hosts do at "
        "once.",
        examples=["15m"],
        json_schema_extra={"beside": {"schedule": "daily"}},
    )
    catch_up: bool = Field(
        default=False,
        description="Whether a scheduled time that passed while the host was off is made up for, "
        "by one run as soon as it is up.",
        examples=[True],
        json_schema_extra={"beside": {"schedule": "daily"}},
    )
    timeout: Annotated[
        float | None,
        BeforeValidator(optional(_timeout), json_schema_input_type=DurationForm | None),
    ] = Field(
        default=None,
        description="How long a run may take; then it is stopped, and has failed.",
        examples=["1h"],
    )
    retries: int = Field(
        default=0,
        ge=0,
        le=MAX_RETRIES,
        description="How often a run that failed or was interrupted is tried again.",
        examples=[3],
    )
    retry_delay: Annotated[
        float, BeforeValidator(parse_duration, json_schema_input_type=DurationForm)
    ] = Field(default=10.0, description="How long to wait before each retry.", examples=["1m"])
    overlap: Literal["skip", "replace"] = Field(
        default="skip",
        description="What is done when the job is to run and still does: skip leaves the run that "
        "is on alone, replace stops it and begins a new one.",
        examples=["replace"],
    )
    inhibit_reboot: bool = Field(
        default=False,
        description="Whether a reboot for an update of the host waits while a run is on (with "
        "[fleetlock] in the settings); without it the run is stopped.",
        examples=[True],
    )

    def _clash(self) -> str:
        return "a job has nothing to serve while the next one begins"

    @property
    def containers_by_name(self) -> Mapping[str, ContainerSpec]:
        return {MAIN_CONTAINER: self}

    @property
    def calendar(self) -> tuple[str, ...]:
        """The schedule, each expression with the time zone that it is meant in."""
        zone = f" {self.time_zone}" if self.time_zone else ""
        return tuple(f"{expression}{zone}" for expression in self.schedule)

    @model_validator(mode="after")
    def _schedule_agrees(self) -> JobSpec:
        problems = [*self._without_schedule(), *self._two_zones()]
        if problems:
            raise ProblemsError(*problems)
        return self

    def _without_schedule(self) -> list[Problem]:
        if self.schedule:
            return []
        given = {
            "time_zone": self.time_zone,
            "randomized_delay": self.randomized_delay,
            "catch_up": self.catch_up,
        }
        hint = "write for example schedule: daily"
        return [
            Problem("BadValue", _NOT_SCHEDULED, hint, (key,), at_key=True)
            for key, value in given.items()
            if value
        ]

    def _two_zones(self) -> list[Problem]:
        if self.time_zone is None:
            return []
        problems: list[Problem] = []
        for index, expression in enumerate(self.schedule):
            path: Path = ("schedule", index) if len(self.schedule) > 1 else ("schedule",)
            if zone := zone_of(expression):
                why = f"it names the time zone {zone}, and time_zone another"
                problems.append(Problem("BadSchedule", why, "leave one of them out", path))
        return problems
