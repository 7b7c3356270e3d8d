"""The entries of ``volumes`` as people write them, short or long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workloadd.spec.mounts import ArtifactVolume, DevptsVolume, ImageVolume
from workloadd.spec.problems import Path, Problem, ProblemsError, each, gather, reject
from workloadd.spec.text import as_line, as_list, did_you_mean, kind, one_of, quote
from workloadd.spec.translate import validated
from workloadd.spec.volumes import BindVolume, NamedVolume, TmpfsVolume, Volume, differing_option

_PROPAGATION = (
    "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable",
)  # fmt: skip
_TYPES = ("bind", "volume", "tmpfs", "image", "artifact", "devpts")
# Of the short form, as Podman spells them.
_FLAGS = {
    "U": "chown", "O": "overlay", "idmap": "idmap", "noexec": "noexec", "nosuid": "nosuid",
    "nodev": "nodev",
}  # fmt: skip
_OPTIONS = ("ro", "rw", "z", "Z", *_FLAGS)
_NOT_IN_THE_API = {
    "glob": "write an entry for each file: the pattern is expanded on the command line only",
    "ramfs": "write tmpfs with a size: memory without a bound can end the host",
}

_HINT = "write for example data:/var/lib/data, ./site:/srv:ro or {type: tmpfs, target: /tmp}"

_MODELS: Mapping[str, type[Volume]] = {
    "bind": BindVolume,
    "volume": NamedVolume,
    "tmpfs": TmpfsVolume,
    "image": ImageVolume,
    "artifact": ArtifactVolume,
    "devpts": DevptsVolume,
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
    if flag := _FLAGS.get(option):
        return flag, True
    if option in _PROPAGATION and volume_type == "bind":
        return "propagation", option
    if option in _PROPAGATION:
        raise reject("BadVolume", f"{quote(option)} is for host directories, not for named volumes")
    known = (*_OPTIONS, *_PROPAGATION) if volume_type == "bind" else _OPTIONS
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
        hint = _NOT_IN_THE_API.get(str(given)) or did_you_mean(str(given), _TYPES)
        raise reject("BadValue", f"{shown} is not one of {one_of(_TYPES)}", hint, "type")
    return validated(_MODELS[given], value)


def _entry(value: object) -> Volume:
    match value:
        case BindVolume() | NamedVolume() | TmpfsVolume():
            return value
        case ImageVolume() | ArtifactVolume() | DevptsVolume():
            return value
        case str():
            return parse_volume(value)
        case dict():
            return _long(value)
    raise reject("WrongType", f"expected a volume, got {kind(value)}", _HINT)


def located_volumes(value: object) -> list[tuple[Path, Volume]]:
    """Every volume of the list ``value``, which is right, with the path of its entry."""
    return [((index,), volume) for index, volume in each(enumerate(as_list(value)), _entry)]


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
