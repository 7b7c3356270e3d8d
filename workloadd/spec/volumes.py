"""What is mounted into a container: host directories, named volumes and memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import OctalForm, SizeForm
from workloadd.spec.modes import Octal, parse_mode
from workloadd.spec.names import check_name
from workloadd.spec.paths import absolute_path, host_path
from workloadd.spec.problems import Problem, ProblemsError, gather, reject
from workloadd.spec.text import as_line, as_list, did_you_mean, kind, one_of, quote
from workloadd.spec.translate import validated
from workloadd.spec.units import parse_size
from workloadd.spec.volume import SHARED_VOLUME, VolumeOptions

Propagation: TypeAlias = Literal[
    "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"
]

_PROPAGATION = (
    "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable",
)  # fmt: skip
_TYPES = ("bind", "volume", "tmpfs")
_OPTIONS = ("ro", "rw", "z", "Z", *_PROPAGATION)
PAGE = 4096

_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,126}")
_HINT = "write for example data:/var/lib/data, ./site:/srv:ro or {type: tmpfs, target: /tmp}"


def _target(value: object) -> str:
    path = absolute_path(value)
    if path == "/":
        raise reject("BadPath", "nothing can be mounted over the container's root")
    return path


def _bind_source(value: object) -> str:
    text = host_path(value)
    if not text.startswith(("/", ".", "~")):
        hint = f"write ./{text}, or type: volume for a named volume"
        raise reject("BadPath", f"{quote(text)} is not a path", hint)
    return text


def _volume_name(value: object) -> str:
    text = as_line(value)
    if not _VOLUME_NAME.fullmatch(text):
        hint = f"for a host directory write ./{text}" if "/" in text else ""
        raise reject("BadValue", f"{quote(text)} is not the name of a volume", hint)
    shared = shared_volume(text)
    if shared is not None and (why := check_name(shared)):
        raise reject("BadValue", f"{quote(text)} is not the name of a volume: {why}")
    return text


def shared_volume(name: str) -> str | None:
    """The shared volume that ``NAME.volume`` names, or None for one of the workload's own."""
    return name.removesuffix(SHARED_VOLUME) if name.endswith(SHARED_VOLUME) else None


def _size(value: object) -> int | None:
    if value is None:
        return None
    size = parse_size(value)
    if size < PAGE:
        raise reject("BadValue", f"{size} bytes are less than a page of {PAGE}")
    return size


_PathInside = Annotated[str, BeforeValidator(_target, json_schema_input_type=str)]


class _Volume(SpecModel):
    target: _PathInside = Field(
        description="Absolute path inside the container.", examples=["/var/lib/data"]
    )
    read_only: bool = Field(default=False, description="Mount it read-only.", examples=[True])


class BindVolume(_Volume):
    """A file or directory of the host."""

    type: Literal["bind"] = Field(description="A file or directory of the host.")
    source: Annotated[str, BeforeValidator(_bind_source, json_schema_input_type=str)] = Field(
        description="Path on the host, as written: absolute, below the workload file's directory "
        "(./ or ../), or below the home directory of the workloads' user (~/).",
        examples=["/srv/www", "./site", "~/data"],
    )
    create: bool = Field(
        default=False,
        description="Make a missing source an empty directory; otherwise it is an error.",
        examples=[True],
    )
    selinux: Literal["z", "Z"] | None = Field(
        default=None,
        description="Relabel the source for SELinux: z shared by containers, Z for this one alone.",
        examples=["Z"],
    )
    propagation: Propagation | None = Field(
        default=None,
        description="How mounts below the source reach the container, and back.",
        examples=["rslave"],
    )


class NamedVolume(_Volume, VolumeOptions):
    """A volume that Podman keeps; for one of the workload's own also what it is like."""

    type: Literal["volume"] = Field(description="A volume that Podman keeps.")
    source: Annotated[str, BeforeValidator(_volume_name, json_schema_input_type=str)] = Field(
        description="Name of the volume, which is made when it is missing; NAME.volume is the "
        "shared one that NAME.yaml declares.",
        examples=["data", "backup.volume"],
    )
    selinux: Literal["z", "Z"] | None = Field(
        default=None,
        description="Relabel the volume for SELinux: z shared by containers, Z for this one alone.",
        examples=["z"],
    )

    @property
    def own_options(self) -> dict[str, Any]:
        """What is said of the volume itself."""
        return self.model_dump(
            mode="json", exclude_defaults=True, include=set(VolumeOptions.model_fields)
        )

    @model_validator(mode="after")
    def _shared_is_elsewhere(self) -> NamedVolume:
        if (shared := shared_volume(self.source)) and (options := sorted(self.own_options)):
            why = f"the volume {shared} is what its own file says"
            hint = f"write it in {shared}.yaml"
            raise ProblemsError(Problem("NotHere", why, hint, (options[0],), at_key=True))
        return self


class TmpfsVolume(_Volume):
    """An empty file system in memory."""

    type: Literal["tmpfs"] = Field(description="An empty file system in memory.")
    size: Annotated[int | None, BeforeValidator(_size, json_schema_input_type=SizeForm | None)] = (
        Field(default=None, description="Upper bound, at least a page.", examples=["64m"])
    )
    mode: Annotated[
        Octal, BeforeValidator(optional(parse_mode), json_schema_input_type=OctalForm | None)
    ] = Field(default=None, description="Octal permission bits of its root.", examples=["1777"])


Volume: TypeAlias = BindVolume | NamedVolume | TmpfsVolume

_MODELS: Mapping[str, type[BindVolume] | type[NamedVolume] | type[TmpfsVolume]] = {
    "bind": BindVolume,
    "volume": NamedVolume,
    "tmpfs": TmpfsVolume,
}


def parse_volume(text: str) -> Volume:
    """One ``SOURCE:TARGET[:OPTION,…]``; a source that looks like a path is the host's."""
    source, *rest = as_line(text).split(":")
    if not rest:
        why = f"{quote(text)} says only one of source and target"
        raise reject(
            "BadVolume", why, f"write for example data:{text}" if text[0] == "/" else _HINT
        )
    if len(rest) > 2:
        hint = "write a path that has a colon in it in the long form: {type: bind, …}"
        raise reject("BadVolume", f"{quote(text)} has more than SOURCE:TARGET:OPTIONS", hint)
    volume_type = "bind" if source.startswith(("/", ".", "~")) else "volume"
    given: dict[str, Any] = {"type": volume_type, "source": source, "target": rest[0]}
    if len(rest) == 2:
        given |= _options(rest[1], volume_type)
    try:
        return validated(_MODELS[volume_type], given)
    except ProblemsError as caught:
        # The parts of the short form have no position of their own.
        raise ProblemsError(*(Problem(p.reason, p.why, p.hint) for p in caught.problems)) from None


def _options(text: str, volume_type: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for option in text.split(","):
        key, value = _option(option, volume_type)
        if key in given:
            raise reject("BadVolume", f"the options {quote(text)} contradict or repeat each other")
        given[key] = value
    return given


def _option(option: str, volume_type: str) -> tuple[str, Any]:
    if option in ("ro", "rw"):
        return "read_only", option == "ro"
    if option in ("z", "Z"):
        return "selinux", option
    if option in _PROPAGATION and volume_type == "bind":
        return "propagation", option
    if option in _PROPAGATION:
        raise reject("BadVolume", f"{quote(option)} is for host directories, not for named volumes")
    known = _OPTIONS if volume_type == "bind" else _OPTIONS[:4]
    hint = did_you_mean(option, known) or f"known are {', '.join(known)}"
    raise reject("BadVolume", f"{quote(option)} is not a mount option", hint)


def _long(value: dict[str, Any]) -> Volume:
    given = value.get("type")
    if given is None:
        raise reject(
            "MissingField", "the key type is missing", f"one of {one_of(_TYPES)}", at_key=True
        )
    if not isinstance(given, str) or given not in _MODELS:
        shown = quote(given) if isinstance(given, str) else kind(given)
        hint = did_you_mean(given, _TYPES) if isinstance(given, str) else ""
        raise reject("BadValue", f"{shown} is not one of {one_of(_TYPES)}", hint, "type")
    return validated(_MODELS[given], value)


def _entry(value: object) -> Volume:
    match value:
        case BindVolume() | NamedVolume() | TmpfsVolume():
            return value
        case str():
            return parse_volume(value)
        case dict():
            return _long(value)
    raise reject("WrongType", f"expected a volume, got {kind(value)}", _HINT)


def parse_volumes(value: object) -> tuple[Volume, ...]:
    """The value of ``volumes``, sorted by target: a mount comes after the one it lies in."""
    volumes, problems = gather(enumerate(as_list(value)), _entry)
    if problems := [*problems, *_repeated_targets(volumes), *_contradicting(volumes)]:
        raise ProblemsError(*problems)
    return tuple(sorted((volume for _, volume in volumes), key=lambda volume: volume.target))


def _repeated_targets(volumes: Sequence[tuple[int, Volume]]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, volume in volumes:
        if (other := first.setdefault(volume.target, index)) != index:
            why = f"{quote(volume.target)} is the target of entry {other} already"
            yield Problem("DuplicateTarget", why, "", (index,))


def _contradicting(volumes: Sequence[tuple[int, Volume]]) -> Iterator[Problem]:
    """One volume mounted twice is made once and has one fate."""
    first: dict[str, tuple[int, NamedVolume]] = {}
    for index, volume in volumes:
        if not isinstance(volume, NamedVolume):
            continue
        other, before = first.setdefault(volume.source, (index, volume))
        if key := differing_option(before, volume):
            why = f"the volume {quote(volume.source)} has another {key} in entry {other}"
            yield Problem("BadValue", why, f"give both entries the same {key}", (index,))


def differing_option(one: NamedVolume, other: NamedVolume) -> str | None:
    """What two entries of the same volume say differently of it."""
    ours, theirs = one.own_options, other.own_options
    return next((k for k in sorted(ours | theirs) if ours.get(k) != theirs.get(k)), None)
