"""From pydantic's errors to problems in plain words.

This is the only place that knows pydantic's error types.  A validator of ours that raised
:class:`~workloadd.spec.problems.ProblemsError` comes out as it went in, with pydantic's path in
front.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from workloadd.spec.foreign import unknown_key
from workloadd.spec.problems import Path, Problem, ProblemsError, reject
from workloadd.spec.text import did_you_mean, kind, one_of, quote

Model = TypeVar("Model", bound=BaseModel)
_Details = Mapping[str, Any]

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_FOREIGN_WORDS = {
    "if_not_present": "write missing",
    "IfNotPresent": "write missing",
    "json-file": "write k8s-file",
    "passthrough": "write journald: the output is in the journal either way",
    "kill": "write restart",
    "stop": "write restart: what is stopped for good serves nobody",
}
_YAML_1_1_BOOLEANS = {"y", "yes", "on", "n", "no", "off"}


def validated(model: type[Model], value: object) -> Model:
    """``value`` as ``model``; raises :class:`ProblemsError`, never pydantic's own error."""
    if isinstance(value, model):
        return value
    if not isinstance(value, dict):
        raise reject("WrongType", f"expected a mapping, got {kind(value)}")
    try:
        return model.model_validate(value)
    except ValidationError as caught:
        raise ProblemsError(*_problems_of(caught, model)) from None


def _problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    found: list[Problem] = []
    for details in error.errors(include_url=False):
        path: Path = details["loc"]
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, ProblemsError):
            found += cause.below(*path).problems
        else:
            found.append(_problem(details, path, model))
    return found


def _problem(details: _Details, path: Path, model: type[BaseModel]) -> Problem:
    given, context, problem_type = details["input"], details.get("ctx", {}), details["type"]
    if problem_type == "extra_forbidden":
        return unknown_key(path, _model_at(model, path[:-1]))
    if problem_type == "missing":
        return Problem("MissingField", f"the key {path[-1]} is missing", "", path[:-1], at_key=True)
    if expected := _EXPECTED.get(problem_type):
        why = f"expected {expected}, got {kind(given)}"
        return Problem("WrongType", why, _type_hint(problem_type, given), path)
    if explain := _EXPLAINED.get(problem_type):
        why, hint = explain(given, context)
        return Problem("BadValue", why, hint, path)
    return Problem("BadValue", details["msg"], "", path)


def _type_hint(problem_type: str, given: object) -> str:
    if problem_type == "bool_type" and isinstance(given, str):
        booleans = _YAML_1_1_BOOLEANS if given.lower() in _YAML_1_1_BOOLEANS else set()
        return f"YAML 1.2 takes {quote(given)} for text: write true or false" if booleans else ""
    if problem_type == "string_type" and isinstance(given, int | float):
        return "put it in quotes"
    if problem_type in ("int_type", "float_type") and isinstance(given, str):
        return "write the number without quotes"
    return ""


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """The model that pydantic validated at ``path`` of ``model``."""
    for key in path:
        nested = model.model_fields[str(key)].annotation
        if not (isinstance(nested, type) and issubclass(nested, BaseModel)):
            raise TypeError(f"{model.__name__}.{key} is not a model")
        model = nested
    return model


def _literal(given: object, context: _Details) -> tuple[str, str]:
    choices = [
        choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")
    ]
    if not isinstance(given, str):
        return f"expected {one_of(choices)}, got {kind(given)}", ""
    hint = _FOREIGN_WORDS.get(given) or did_you_mean(given, choices)
    return f"{quote(given)} is not one of {one_of(choices)}", hint


def _bound(words: str, key: str) -> Callable[[object, _Details], tuple[str, str]]:
    return lambda given, context: (f"{given} is not {words} {context[key]}", "")


_EXPLAINED: Mapping[str, Callable[[object, _Details], tuple[str, str]]] = {
    "literal_error": _literal,
    "greater_than": _bound("above", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("below", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "finite_number": lambda given, context: (f"{given} is not a finite number", ""),
}
