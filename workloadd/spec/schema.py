"""The JSON Schema of workload files, for editors: of what people write, not of what it becomes.

It is looser than the loader where a schema cannot know better; what it refuses, the loader refuses.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from workloadd.spec.catalogue import documents, models, raw_schemas
from workloadd.spec.head import DocumentHead
from workloadd.spec.introspect import summary_of, title_of, written_default
from workloadd.spec.requirements import podman_of
from workloadd.spec.shapes import Schema, choices_of

ID = "urn:workloadd:schema:workload:1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DEFINITIONS = "#/$defs/"
# What says how a value looks, of all that pydantic says of a field.
_KEYWORDS = {
    "$ref", "type", "enum", "const", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "items",
    "additionalProperties",
}  # fmt: skip
_VARIABLE = {
    "description": "A host variable, which may stand where another value is wanted.",
    "type": "string",
    "pattern": r"\$\{",
}


def schema_text() -> str:
    """The schema as a file."""
    return json.dumps(workload_schema(), indent=2, ensure_ascii=False) + "\n"


def workload_schema() -> Schema:
    """The schema of one document of a workload file."""
    definitions = {name: _definition(model) for name, model in sorted(models().items())}
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": "A workload of workloadd",
        "description": "What one document of a workload file may say. "
        "A file may hold several documents, each with a kind and a name of its own.",
        **_root(),
        "$defs": {"Variable": _VARIABLE, **definitions},
    }


def _root() -> Schema:
    """Each kind by a condition of its own: an editor then speaks of that kind's keys alone."""
    kinds = {model: _kind_of(model) for model in documents()}
    names = list(dict.fromkeys(kinds.values()))
    branches = [
        {"if": _condition(model, kind), "then": {"$ref": f"{_DEFINITIONS}{model.__name__}"}}
        for model, kind in kinds.items()
    ]
    return {
        "type": "object",
        "properties": {"kind": {"description": "What it declares.", "enum": names}},
        "allOf": branches,
    }


def _kind_of(model: type[BaseModel]) -> str:
    return str(raw_schemas()[model.__name__]["properties"]["kind"]["const"])


def _condition(model: type[BaseModel], kind: str) -> Schema:
    condition: Schema = {"type": "object", "properties": {"kind": {"const": kind}}}
    if model.model_fields["kind"].is_required():
        condition["required"] = ["kind"]
    if _is_pod(model):
        condition["required"] = [*condition.get("required", ()), "containers"]
    elif any(_is_pod(other) and _kind_of(other) == kind for other in documents()):
        condition["not"] = {"required": ["containers"]}
    return condition


def _is_pod(model: type[BaseModel]) -> bool:
    return "containers" in model.model_fields


def _definition(model: type[BaseModel]) -> Schema:
    raw = raw_schemas()[model.__name__]
    properties = _properties(model)
    if model in documents():
        properties |= _properties(DocumentHead)
    return {
        "title": title_of(model),
        "description": summary_of(model),
        "type": "object",
        "properties": properties,
        "required": raw.get("required", []),
        "additionalProperties": False,
    }


def _properties(model: type[BaseModel]) -> Schema:
    raw = raw_schemas()[model.__name__]["properties"]
    return {name: _property(model, name, schema) for name, schema in raw.items()}


def _property(model: type[BaseModel], name: str, raw: Schema) -> Schema:
    described: Schema = {key: raw[key] for key in ("description", "examples") if key in raw}
    if podman := podman_of(model.model_fields[name]):
        described["description"] += f" Needs Podman {podman}."
    if default := written_default(model, name, raw):
        described["default"] = _plain(default)
    return described | _value(raw)


def _plain(written: str) -> Any:
    """What YAML on one line is as JSON."""
    return YAML(typ="safe", pure=True).load(written)


def _value(raw: Schema) -> Schema:
    """What a value has to look like, where ``${NAME}`` may stand for any that is no name."""
    choices = [_choice(choice) for choice in choices_of(raw)]
    if any(_is_typed(choice) for choice in choices) and {"type": "string"} not in choices:
        choices.append({"$ref": f"{_DEFINITIONS}Variable"})
    bare = [choice["type"] for choice in choices if choice.keys() == {"type"}]
    if len(bare) > 1:
        types = [one for t in bare for one in (t if isinstance(t, list) else [t])]
        choices = [choice for choice in choices if choice.keys() != {"type"}]
        choices.insert(0, {"type": list(dict.fromkeys(types))})
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _choice(raw: Schema) -> Schema:
    choice = {key: value for key, value in raw.items() if key in _KEYWORDS}
    for key in ("items", "additionalProperties"):
        if isinstance(choice.get(key), dict):
            choice[key] = _value(choice[key])
    return choice


def _is_typed(choice: Schema) -> bool:
    """Whether it is a scalar, but not any text."""
    scalar = choice.get("type") in ("boolean", "integer", "number", "string")
    return scalar and "const" not in choice
