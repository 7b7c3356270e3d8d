"""Finding what may be written: all of it in groups, or what a path of keys leads to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel

from workloadd.spec.container import ContainerSpec
from workloadd.spec.foreign import unknown_key
from workloadd.spec.introspect import NAME, FieldDoc, ModelDoc, kinds, summary_of, title_of
from workloadd.spec.model import ServiceSpec
from workloadd.spec.quadlet import KINDS, SECTIONS, Place, Why
from workloadd.spec.text import did_you_mean

_Key = tuple[type[BaseModel], str]


@dataclass(frozen=True, slots=True)
class Found:
    """A field, and where it may stand: ``service``, ``containers.NAME of a pod``.

    It stands for all fields that one model declares once, whatever has that model in it.  ``tag``
    is what a mapping there has to say to have it (``type: bind``), if one only has it.
    """

    field: FieldDoc
    places: tuple[str, ...]
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The fields that one model declares."""

    model: type[BaseModel]
    title: str
    summary: str
    places: tuple[str, ...]
    fields: tuple[FieldDoc, ...]


@cache
def groups() -> tuple[Group, ...]:
    """Every field but those of the mappings within, each once, by the model that declares it."""
    found: dict[type[BaseModel], dict[str, FieldDoc]] = {}
    places: dict[type[BaseModel], dict[str, None]] = {}
    for place, model in _bodies():
        for field in model.fields:
            found.setdefault(field.owner, {}).setdefault(field.name, field)
            places.setdefault(field.owner, {})[place] = None
    return tuple(
        Group(owner, title_of(owner), summary_of(owner), tuple(places[owner]), tuple(by.values()))
        for owner, by in found.items()
    )


def _bodies() -> Iterator[tuple[str, ModelDoc]]:
    """What declares something to run or to keep: a document, or a container within one."""
    for kind in kinds():
        yield kind.title, kind
        for field in kind.fields:
            for part in field.parts:
                if issubclass(part.model, ContainerSpec):
                    yield _place(kind, (field.name, NAME)), part


def _place(kind: ModelDoc, prefix: tuple[str, ...]) -> str:
    return f"{'.'.join(prefix)} of a {kind.title}" if prefix else kind.title


def find(path: tuple[str, ...], within: Collection[str] = ()) -> list[Found]:
    """What ``path`` leads to, from the top of a document or, if nothing does, from anywhere.

    ``within`` are the kinds of document to look in; all, if none is named.
    """
    looked_in = [kind for kind in kinds() if not within or kind.title in within]
    everywhere = [(kind, field) for kind in looked_in for field in kind.walk()]
    exact = [(kind, field) for kind, field in everywhere if _leads(path, field.path)]
    ends = [(kind, field) for kind, field in everywhere if _leads(path, field.path[-len(path) :])]
    wanted = dict.fromkeys(_key(field) for _, field in exact or ends)
    return [_found([(k, f) for k, f in everywhere if _key(f) == key]) for key in wanted]


def _leads(path: tuple[str, ...], to: tuple[str, ...]) -> bool:
    if len(path) != len(to):
        return False
    return all(one == other or other == NAME for one, other in zip(path, to, strict=True))


def _key(field: FieldDoc) -> _Key:
    """What is the same for a container's field in a service and in a pod's container."""
    return field.owner, field.name


def _found(same: list[tuple[ModelDoc, FieldDoc]]) -> Found:
    places = dict.fromkeys(_place(kind, field.path[:-1]) for kind, field in same)
    tags = {field.tag for _, field in same}
    return Found(same[0][1], tuple(places), tags.pop() if len(tags) == 1 else "")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A key of Quadlet in some sections: the fields that say it, or why there is none."""

    sections: tuple[str, ...]
    fields: tuple[Found, ...] = ()
    reason: str = ""


def of_quadlet(key: str) -> list[Foreign]:
    """Where a key of Quadlet is; sections in which it is the same are taken together."""
    merged: dict[tuple[Place, tuple[str, ...]], list[str]] = {}
    for section, keys in SECTIONS.items():
        if place := keys.get(key):
            within = () if isinstance(place, Why) else kinds_of_section(section)
            merged.setdefault((place, within), []).append(section)
    return [
        Foreign(tuple(sections), reason=place.reason)
        if isinstance(place, Why)
        else Foreign(tuple(sections), tuple(_fields(place, within)))
        for (place, within), sections in merged.items()
    ]


def kinds_of_section(section: str) -> tuple[str, ...]:
    """In which kinds of document the keys of a section of Quadlet are."""
    if kind := KINDS.get(section):
        return (kind,)
    return tuple(kind.title for kind in kinds() if kind.title not in KINDS.values())


def _fields(paths: Iterable[str], within: Collection[str]) -> Iterator[Found]:
    for path in paths:
        yield from find(tuple(path.split(".")), within)


def hint(path: tuple[str, ...]) -> str:
    """What somebody probably meant who asked for a field that is not there."""
    parents = find(path[:-1]) if len(path) > 1 else []
    models = [part.model for found in parents for part in found.field.parts] or [ServiceSpec]
    hints = [unknown_key(path, model).hint for model in models]
    known = {field.dotted for kind in kinds() for field in kind.walk()}
    names = {dotted.rpartition(".")[2] for dotted in known}
    return next(filter(None, hints), "") or did_you_mean(".".join(path), known | names)
