"""What may be written, read from the models: for the JSON schema, `explain` and the reference."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workloadd.spec.catalogue import documents, models, raw_schemas
from workloadd.spec.forms import DURATION, FORM, SIZE
from workloadd.spec.head import DocumentHead
from workloadd.spec.quadlet import KINDS, SECTIONS, Why
from workloadd.spec.requirements import podman_of
from workloadd.spec.shapes import Schema, form_of
from workloadd.spec.text import one_of
from workloadd.spec.units import format_duration, format_size
from workloadd.spec.written import inline

NAME = "NAME"
"""Stands in a path for a key that people choose."""

KIND = "kind"
CONTAINERS = "containers"

# Where a model's own name says too little.
_TITLES = {"DocumentHead": "document", "DnsSpec": "DNS", "SandboxSpec": "surroundings"}


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """One key that may be written.

    ``owner`` is the model whose body declares it, ``tag`` what the mapping has to say to have it
    (``type: bind``), ``form`` says in words how its value is written, ``default`` is YAML, or empty
    where leaving it out means nothing that could be written.  ``beside`` are other keys without
    which an example would be refused, ``quadlet`` those of Quadlet that it stands for.
    """

    path: tuple[str, ...]
    owner: type[BaseModel]
    tag: str
    form: str
    required: bool
    default: str
    description: str
    examples: tuple[Any, ...]
    podman: str
    beside: Mapping[str, Any]
    quadlet: tuple[str, ...]
    parts: tuple[ModelDoc, ...] = ()

    def sample(self, example: object) -> dict[str, Any]:
        """One of its examples, as the keys of a mapping."""
        return {**self.beside, self.name: example}

    @property
    def name(self) -> str:
        """The key itself."""
        return self.path[-1]

    @property
    def dotted(self) -> str:
        """The path as people ask for it."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class ModelDoc:
    """A mapping that may be written.  ``tag`` is what tells it from others in its place."""

    model: type[BaseModel]
    title: str
    summary: str
    tag: str
    fields: tuple[FieldDoc, ...]

    def walk(self) -> Iterator[FieldDoc]:
        """Its fields, and those of the mappings in them."""
        for field in self.fields:
            yield field
            for part in field.parts:
                yield from part.walk()


@cache
def kinds() -> tuple[ModelDoc, ...]:
    """All that may be written, by what a document declares."""
    found = [_model(model, _Spot(_kinds_of(model))) for model in documents()]
    head = (_kind(found), *_model(DocumentHead, _Spot()).fields)
    return tuple(
        replace(kind, fields=(*head, *(f for f in kind.fields if f.name != KIND))) for kind in found
    )


def _kinds_of(model: type[BaseModel]) -> Sequence[str]:
    return model.model_fields[KIND].examples or ()


def _kind(every: Sequence[ModelDoc]) -> FieldDoc:
    """The key by which documents are told apart: each model has one value of it only."""
    fields = [field for kind in every for field in kind.fields if field.name == KIND]
    values = tuple(dict.fromkeys(value for field in fields for value in field.examples))
    return replace(
        fields[0],
        owner=DocumentHead,
        form=one_of(values),
        description="What the document declares.",
        examples=values,
    )


def title_of(model: type[BaseModel]) -> str:
    """What a model is called: ``port entry``."""
    if title := _TITLES.get(model.__name__):
        return title
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__.removesuffix("Spec"))
    return words.lower()


def summary_of(model: type[BaseModel]) -> str:
    """The first paragraph of its docstring."""
    return " ".join((model.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")


def beside_of(field: FieldInfo) -> Mapping[str, Any]:
    """Other keys that an example of a field needs."""
    beside = _extra(field).get("beside", {})
    return beside if isinstance(beside, dict) else {}


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where in which kinds of document something may be written."""

    kinds: Sequence[str] = ()
    path: tuple[str, ...] = ()
    tag: str = ""


def _model(model: type[BaseModel], spot: _Spot) -> ModelDoc:
    properties = raw_schemas()[model.__name__]["properties"]
    fields = tuple(
        _field(model, name, properties[name], replace(spot, path=(*spot.path, name)))
        for name in model.model_fields
        if name in properties
    )
    return ModelDoc(model, title_of(model), summary_of(model), spot.tag, fields)


def _field(model: type[BaseModel], name: str, schema: Schema, spot: _Spot) -> FieldDoc:
    field = model.model_fields[name]
    return FieldDoc(
        path=spot.path,
        owner=_owner(model, name),
        tag=spot.tag,
        form=form_of(schema),
        required=field.is_required(),
        default=written_default(model, name, schema),
        description=field.description or "",
        examples=tuple(field.examples or ()),
        podman=podman_of(field),
        beside=beside_of(field),
        quadlet=tuple(sorted(set(_quadlet(spot)))),
        parts=tuple(_parts(schema, spot)),
    )


def _quadlet(spot: _Spot) -> Iterator[str]:
    """The keys of Quadlet that are written there."""
    inside = spot.path[2:] if spot.path[:1] == (CONTAINERS,) else spot.path
    paths = {".".join(spot.path), ".".join(inside)}
    own = [section for section, kind in KINDS.items() if kind in spot.kinds]
    for section in own or SECTIONS.keys() - KINDS.keys():
        for key, place in SECTIONS[section].items():
            if not isinstance(place, Why) and paths & set(place):
                yield key


def _owner(model: type[BaseModel], name: str) -> type[BaseModel]:
    """The class that the field comes from, not the last one that has it."""
    owners = [base for base in model.__mro__ if name in inspect.get_annotations(base)]
    owner: type[BaseModel] = owners[-1]
    return owner


def written_default(model: type[BaseModel], name: str, schema: Schema) -> str:
    """The default as it would be written; nothing for what is empty."""
    field = model.model_fields[name]
    if field.is_required():
        return ""
    made = model.model_construct()
    value: Any = getattr(made, name)
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    else:
        value = made.model_dump(mode="json", include={name})[name]
    if value in (None, "", [], {}):
        return ""
    if schema.get(FORM) == DURATION:
        return format_duration(value)
    return format_size(value) if schema.get(FORM) == SIZE else inline(value)


def _parts(schema: Schema, spot: _Spot) -> Iterator[ModelDoc]:
    """The models that the value of a field may be made of."""
    found = list(_references(schema, spot.path))
    for name, path in found:
        tag = _tag(raw_schemas()[name]) if len(found) > 1 else ""
        yield _model(models()[name], replace(spot, path=path, tag=tag))


def _references(schema: Schema, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2], path
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _references(choice, path)
    if isinstance(items := schema.get("items"), dict):
        yield from _references(items, path)
    if isinstance(values := schema.get("additionalProperties"), dict):
        yield from _references(values, (*path, NAME))


def _tag(schema: Schema) -> str:
    """``type: bind`` of a model that has such a field."""
    for name, field in schema["properties"].items():
        if "const" in field:
            return f"{name}: {field['const']}"
    return ""
