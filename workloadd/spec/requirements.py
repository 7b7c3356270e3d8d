"""What a workload needs of Podman beyond the oldest release that will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workloadd.spec.mounts import Mount
from workloadd.spec.problems import Path

Version: TypeAlias = tuple[int, int]
OLDEST: Version = (5, 0)
"""With this release everything works that says nothing else."""


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
    for name, field in type(model).model_fields.items():
        given = getattr(model, name)
        if not field.is_required() and given == field.get_default(call_default_factory=True):
            continue
        if written := podman_of(field):
            major, minor = written.split(".")
            yield (*path, name), (int(major), int(minor))
        yield from _needed(given, (*path, name))
