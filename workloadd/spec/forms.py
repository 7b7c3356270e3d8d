"""The shapes in which people write values, as a JSON Schema says them.

They are given to a field's validator as ``json_schema_input_type``.  ``form`` is the word by which
documentation calls the shape; the patterns are looser than the parsers, which have the better words
for what is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

_NUMBER_SIZE = {"type": "integer", "minimum": 0}
_TEXT_SIZE = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([kmgtpKMGTP]?[iI]?[bB]?)\s*$"}
_NUMBER_DURATION = {"type": "number", "minimum": 0}
_TEXT_DURATION = {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d+)?\s*([a-z]+\s*(\d+(\.\d+)?\s*[a-z]+\s*)*)?$",
}

FORM = "form"
SIZE = "a size"
DURATION = "a duration"
OCTAL = "an octal mode"

SizeForm = Annotated[Any, WithJsonSchema({FORM: SIZE, "anyOf": [_NUMBER_SIZE, _TEXT_SIZE]})]
"""Bytes, or a number with a suffix: ``512m``."""

DurationForm = Annotated[
    Any, WithJsonSchema({FORM: DURATION, "anyOf": [_NUMBER_DURATION, _TEXT_DURATION]})
]
"""Seconds, or numbers with suffixes: ``1m30s``."""

# Editors read YAML's 0755 as a number, of which only decimal digits are left.
OctalForm = Annotated[
    Any,
    WithJsonSchema(
        {
            FORM: OCTAL,
            "anyOf": [{"type": "string", "pattern": "^(0o)?[0-7]{3,5}$"}, {"type": "integer"}],
        }
    ),
]
"""Permission bits: ``0755``."""

ScalarForm = Annotated[
    Any, WithJsonSchema({FORM: "text or a number", "type": ["string", "number", "boolean"]})
]
"""Text, of which numbers, true and false keep their spelling."""

RestartForm = Annotated[
    Any,
    WithJsonSchema(
        {
            FORM: "always, on-failure, on-failure:N or no",
            "anyOf": [
                {"enum": ["always", "on-failure", "no"], "type": "string"},
                {"type": "string", "pattern": "^on-failure:[1-9][0-9]{0,5}$"},
            ],
        }
    ),
]
"""A restart policy."""
