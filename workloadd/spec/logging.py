"""Where a container's output goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel
from workloadd.spec.forms import ScalarForm
from workloadd.spec.pairs import parse_pairs
from workloadd.spec.paths import absolute_path
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.text import as_line, did_you_mean, key_name, quote
from workloadd.spec.units import format_size, parse_size

# Options by the driver that heeds them (podman-create(1)).
_OPTIONS = {"journald": ("tag",), "k8s-file": ("max-size", "path"), "none": ()}
_HINTS = {"max-file": "leave it out: Podman keeps one file and begins it anew at max-size"}


def _option(key: str, value: str) -> str:
    match key:
        case "tag":
            return as_line(value)
        case "path":
            return absolute_path(value)
        case "max-size":
            if (size := parse_size(value)) == 0:
                raise reject("BadValue", "no line fits into an empty file")
            return format_size(size)
    known = sorted({option for options in _OPTIONS.values() for option in options})
    hint = _HINTS.get(key) or did_you_mean(key, known) or f"known are {', '.join(known)}"
    raise reject("UnknownKey", f"there is no option {quote(key_name(key))}", hint, at_key=True)


def parse_options(value: object) -> dict[str, str]:
    """The value of ``options``, sorted by key."""
    return parse_pairs(value, _option)


class Logging(SpecModel):
    """The log driver and its options."""

    driver: Literal["journald", "k8s-file", "none"] = Field(
        default="journald",
        description="The journal, a file of its own beside the container, or nowhere.",
        examples=["k8s-file"],
    )
    options: Annotated[
        Mapping[str, str],
        BeforeValidator(parse_options, json_schema_input_type=dict[str, ScalarForm] | list[str]),
    ] = Field(
        default_factory=dict,
        description="Of journald: tag (the workload's name where it is left out).  Of k8s-file: "
        "max-size, and path (on the host).",
        examples=[{"tag": "shop"}],
    )

    @model_validator(mode="after")
    def _heeded(self) -> Logging:
        problems = [
            Problem("BadValue", f"{self.driver} has no option {key}", "", ("options", key))
            for key in self.options
            if key not in _OPTIONS[self.driver]
        ]
        if problems:
            raise ProblemsError(*problems)
        return self


class LoggingSpec(SpecModel):
    """The log of a container."""

    logging: Logging = Field(
        default_factory=Logging,
        description="Where the container's output goes: to the journal unless it says otherwise.",
        examples=[{"driver": "k8s-file", "options": {"max-size": "10m"}}],
    )
