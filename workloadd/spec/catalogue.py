"""All models of the format, found from those of documents, and pydantic's JSON schemas of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from workloadd.spec.head import DocumentHead
from workloadd.spec.kinds import Spec
from workloadd.spec.shapes import Schema


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


def documents() -> tuple[type[BaseModel], ...]:
    """The models of what a document of a file may be."""
    models: tuple[type[BaseModel], ...] = get_args(Spec)
    return models


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
