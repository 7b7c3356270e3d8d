"""How a value is written, in words, from the JSON schema of its field."""

from __future__ import annotations

import re
from typing import Any

from workloadd.spec.forms import FORM
from workloadd.spec.text import one_of
from workloadd.spec.written import inline

Schema = dict[str, Any]


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
