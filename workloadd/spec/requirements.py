"""What a workload needs of Podman beyond the oldest release that will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workloadd.spec.mounts import Mount
from workloadd.spec.problems import Path

Version: TypeAlias = tuple[int, int]
OLDEST: Version = (5, 0)
"""With this release everything works that says nothing else."""
# No default: equal to nothing that may be written.
_NONE = object()


def podman_of(field: FieldInfo) -> str:
    """The Podman release that a field needs, as ``5.6``; empty for any."""
    extra = field.json_schema_extra
    return str(extra.get("podman", "")) if isinstance(extra, dict) else ""


def requirements(spec: BaseModel) -> tuple[tuple[Path, Version], ...]:
    """The fields that ``spec`` really uses of a release newer than :data:`OLDEST`, and which.

    What is mounted is found by its target: volumes are sorted, unlike those of the file.
    """
    return tuple(_needed(spec, ()))


def unmet(spec: BaseModel, podman: Version) -> tuple[tuple[Path, Version], ...]:
    """The requirements that Podman ``podman`` does not meet."""
    return tuple((path, version) for path, version in requirements(spec) if version > podman)


def _needed(value: object, path: Path) -> Iterator[tuple[Path, Version]]:
    match value:
        case BaseModel():
            yield from _of_model(value, path)
        case Mapping():
            for key, one in value.items():
                yield from _needed(one, (*path, key))
        case tuple() | list():
            for index, one in enumerate(value):
                place = one.target if isinstance(one, Mount) else index
                yield from _needed(one, (*path, place))


def _of_model(model: BaseModel, path: Path) -> Iterator[tuple[Path, Version]]:
    for name, default, needed in _fields(type(model)):
        given = getattr(model, name)
        if given == default:
            continue
        if needed:
            yield (*path, name), needed
        yield from _needed(given, (*path, name))


# A default made anew costs far more than all else here, and every pass asks for them.
@lru_cache(maxsize=256)
def _fields(model: type[BaseModel]) -> tuple[tuple[str, object, Version | None], ...]:
    """The fields of a model, with their default (`_NONE`: there is none) and what they need."""
    return tuple(
        (name, _NONE if field.is_required() else _default(field), _release(podman_of(field)))
        for name, field in model.model_fields.items()
    )


def _default(field: FieldInfo) -> object:
    made: object = field.get_default(call_default_factory=True)
    return made


def _release(written: str) -> Version | None:
    major, _, minor = written.partition(".")
    return (int(major), int(minor)) if written else None
