"""What may be written, read from the models: for the JSON schema, `explain` and the reference."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from workloadd.spec.forms import DURATION, FORM, SIZE
from workloadd.spec.head import DocumentHead
from workloadd.spec.kinds import Spec
from workloadd.spec.model import PodSpec
from workloadd.spec.requirements import podman_of
from workloadd.spec.text import one_of
from workloadd.spec.units import format_duration, format_size
from workloadd.spec.written import inline

NAME = "NAME"
"""Stands in a path for a key that people choose."""

KIND = "kind"
Schema = dict[str, Any]

# Where a model's own name says too little.
_TITLES = {"DocumentHead": "document", "DnsSpec": "DNS", "SandboxSpec": "surroundings"}


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """One key that may be written.

    ``owner`` is the model whose body declares it, ``tag`` what the mapping has to say to have it
    (``type: bind``), ``form`` says in words how its value is written, ``default`` is YAML, or empty
    where leaving it out means nothing that could be written.  ``beside`` are other keys without
    which an example would be refused.
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


class _Generate(GenerateJsonSchema):
    """Titles are only where a shape was given one; the models met are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[str, type[BaseModel]] = {}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> Schema:
        self.models[schema["cls"].__name__] = schema["cls"]
        return super().model_schema(schema)


@cache
def documents() -> tuple[type[BaseModel], ...]:
    """The models of what a document of a file may be."""
    models = get_args(Spec) or (Spec,)
    return models if PodSpec in models else (*models, PodSpec)


@cache
def _generated() -> tuple[Mapping[str, Schema], Mapping[str, type[BaseModel]]]:
    generator = _Generate()
    every: tuple[type[BaseModel], ...] = (DocumentHead, *documents())
    _, schemas = generator.generate_definitions(
        [(model, "validation", model.__pydantic_core_schema__) for model in every]
    )
    return {str(name): schema for name, schema in schemas.items()}, generator.models


def models() -> Mapping[str, type[BaseModel]]:
    """Every model that may be written as a mapping, by its name."""
    return _generated()[1]


def raw_schemas() -> Mapping[str, Schema]:
    """pydantic's JSON schema of each model, by the model's name."""
    return _generated()[0]


@cache
def kinds() -> tuple[ModelDoc, ...]:
    """All that may be written, by what a document declares."""
    found = [_model(model, (), "") for model in documents()]
    head = (_kind(found), *_model(DocumentHead, (), "").fields)
    return tuple(
        replace(kind, fields=(*head, *(f for f in kind.fields if f.name != KIND))) for kind in found
    )


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


def _model(model: type[BaseModel], path: tuple[str, ...], tag: str) -> ModelDoc:
    properties = raw_schemas()[model.__name__]["properties"]
    fields = tuple(
        _field(model, name, properties[name], (*path, name), tag)
        for name in model.model_fields
        if name in properties
    )
    return ModelDoc(model, title_of(model), summary_of(model), tag, fields)


def _field(
    model: type[BaseModel], name: str, schema: Schema, path: tuple[str, ...], tag: str
) -> FieldDoc:
    field = model.model_fields[name]
    return FieldDoc(
        path=path,
        owner=_owner(model, name),
        tag=tag,
        form=form_of(schema),
        required=field.is_required(),
        default=written_default(model, name, schema),
        description=field.description or "",
        examples=tuple(field.examples or ()),
        podman=podman_of(field),
        beside=beside_of(field),
        parts=tuple(_parts(schema, path)),
    )


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


def _parts(schema: Schema, path: tuple[str, ...]) -> Iterator[ModelDoc]:
    """The models that the value of a field may be made of."""
    found = list(_references(schema, path))
    for name, below in found:
        tag = _tag(raw_schemas()[name]) if len(found) > 1 else ""
        yield _model(models()[name], below, tag)


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


def form_of(schema: Schema) -> str:
    """How a value is written, in words."""
    choices = [choice for choice in _formed(schema) if choice.get("type") != "null"]
    words = list(dict.fromkeys(_one_form(choice) for choice in choices))
    if {"a whole number", "a number"} <= set(words):
        words.remove("a whole number")
    compound = any(" of " in word or " or " in word for word in words)
    return ", or ".join(words) if compound else one_of(words)


def choices_of(schema: Schema) -> list[Schema]:
    """The shapes that a value may have, of which none is a choice itself."""
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    return [inner for choice in choices for inner in choices_of(choice)] or [schema]


def _formed(schema: Schema) -> list[Schema]:
    """The choices, but what has a word of its own is one."""
    choices = schema.get("anyOf") if FORM not in schema else None
    return [inner for choice in choices or () for inner in _formed(choice)] or [schema]


def _one_form(schema: Schema) -> str:
    if form := schema.get(FORM):
        return str(form)
    if "const" in schema:
        return inline(schema["const"])
    if "enum" in schema:
        return one_of([str(value) for value in schema["enum"]])
    if "$ref" in schema:
        return "a mapping"
    match schema.get("type"):
        case "array":
            return f"a list of {_many(schema.get('items', {}))}"
        case "object" if isinstance(values := schema.get("additionalProperties"), dict):
            return f"a mapping of names to {_many(values)}"
    return _WORDS[schema.get("type", "")]


def _many(schema: Schema) -> str:
    words = form_of(schema)
    return " or ".join(_PLURALS.get(word, word) for word in re.split(",? or ", words))


_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "": "anything",
}
_PLURALS = {"a mapping": "mappings", "a whole number": "whole numbers", "a number": "numbers"}
