"""What has to be there before a workload, or a container of a pod, is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel
from workloadd.spec.cycles import cycles, shown
from workloadd.spec.names import check_name
from workloadd.spec.problems import Path, Problem, each, reject
from workloadd.spec.text import as_line, as_list, kind, quote
from workloadd.spec.translate import validated

MAX_DEPENDENCIES = 32

Until = Literal["started", "healthy", "completed"]

_Form = Literal[
    "started",
    "healthy",
    "completed",
    "service_started",
    "service_healthy",
    "service_completed_successfully",
]

# Compose's words (compose-spec, depends_on).
_COMPOSE = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}
_HINT = "write a list of names, or NAME: {condition: started|healthy|completed}"


def _condition(value: object) -> object:
    return _COMPOSE.get(value, value) if isinstance(value, str) else value


class Dependency(SpecModel):
    """What is waited for, and what follows when it is replaced."""

    condition: Annotated[Until, BeforeValidator(_condition, json_schema_input_type=_Form)] = Field(
        default="started",
        description="Until when to wait: it runs (started), it is ready as its probes say "
        "(healthy), or it has run to its end without an error (completed).",
        examples=["healthy"],
    )
    restart: bool = Field(
        default=False,
        description="Restart when a new deployment of it has taken the place of the one before.",
        examples=[True],
    )


def parse_depends_on(value: object) -> Mapping[str, Dependency]:
    """The value of ``depends_on``, sorted by name."""
    if isinstance(value, dict):
        if len(value) > MAX_DEPENDENCIES:
            raise reject("TooLarge", f"it has {len(value)} names, more than {MAX_DEPENDENCIES}")
        found = dict(each(value.items(), _dependency))
    else:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise reject("WrongType", f"expected a list, got {kind(value)}", _HINT)
        names = [name for _, name in each(enumerate(as_list(value, MAX_DEPENDENCIES)), as_line)]
        found = {name: Dependency() for name in names}
    for name in found:
        if why := check_name(name):
            raise reject("InvalidName", f"{quote(name)} is no name: {why}", "", name, at_key=True)
    return {name: found[name] for name in sorted(found)}


def _dependency(value: object) -> Dependency:
    return Dependency() if value is None else validated(Dependency, value)


DependsOn = Annotated[
    Mapping[str, Dependency],
    BeforeValidator(
        parse_depends_on, json_schema_input_type=list[str] | dict[str, Dependency | None]
    ),
]


def pod_problems(
    containers: Mapping[str, tuple[Mapping[str, Dependency], bool]],
) -> Iterator[Problem]:
    """What is wrong with what containers of one pod wait for; by name, with whether it is an init
    container."""
    for name, (needs, init) in containers.items():
        path = ("containers", name, "depends_on")
        if needs and init:
            why = "an init container runs before all others"
            yield Problem("BadValue", why, "order them in the file", path, at_key=True)
        for need in needs:
            at = (*path, need)
            if need not in containers:
                why = f"{quote(need)} is no container of this pod"
                hint = f"it has {', '.join(containers)}; workloads are named beside containers"
                yield Problem("UnknownName", why, hint, at, at_key=True)
            elif containers[need][1]:
                why = f"{quote(need)} is an init container: it runs to its end first in any case"
                yield Problem("BadValue", why, "leave it out", at, at_key=True)
    for name, way in cycles({n: tuple(needs) for n, (needs, _) in containers.items()}).items():
        why = f"it waits for itself: {shown(way)}"
        at = ("containers", name, "depends_on", way[1])
        yield Problem("DependencyCycle", why, "leave one of them out", at, at_key=True)


def never_ends(need: str, path: Path, instead: str) -> Problem:
    """The advice where something is to end that is started again whenever it does."""
    why = f"{need} is started again whenever it ends, so it is never completed"
    hint = f"{instead}, or restart: no, for what runs to its end; or wait for it to be healthy"
    return Problem("NeverCompleted", why, hint, path, at_key=True)
