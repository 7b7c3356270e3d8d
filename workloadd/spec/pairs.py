"""Mappings that may be lists of ``KEY=VALUE``: the environment, labels and the like."""

from __future__ import annotations

import re
from collections.abc import Callable

from workloadd.spec.problems import ProblemsError, each, reject
from workloadd.spec.scalars import WrittenFloat, WrittenInt
from workloadd.spec.text import MAX_ITEMS, MAX_TEXT, as_line, as_list, bounded, kind, quote

MAX_VALUE = 32 * 1024
"""Characters of one environment variable's value."""

RESERVED_LABELS = "io.workloadd."
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_Items = list[tuple[str | int, object]]


def parse_environment(value: object) -> dict[str, str]:
    """The value of ``environment``, sorted by name.  No message ever shows a variable's value."""
    return _parsed(_pairs(value), _environment_pair)


def parse_labels(value: object) -> dict[str, str]:
    """The value of ``labels``, sorted by key; a label without a value is empty, as in Compose."""
    return _parsed(_pairs(value), _label_pair)


def parse_annotations(value: object) -> dict[str, str]:
    """The value of ``annotations``, sorted by key; without a value it is empty."""
    return _parsed(_pairs(value), _annotation_pair)


def parse_pairs(value: object, parse: Callable[[str, str], str]) -> dict[str, str]:
    """Any other mapping of keys to text, sorted; ``parse`` is given key and text of each pair."""
    return _parsed(_pairs(value), lambda key, given: parse(key, _text(given)))


def _pairs(value: object) -> _Items:
    """The entries of a mapping or a list by key or index; those of a list are not split yet."""
    if isinstance(value, dict):
        if len(value) > MAX_ITEMS:
            raise reject("TooLarge", f"it has {len(value)} entries, more than {MAX_ITEMS}")
        return list(value.items())
    if not isinstance(value, list | tuple):
        hint = "write it as a mapping: KEY: value"
        raise reject("WrongType", f"expected a mapping, got {kind(value)}", hint)
    return list(enumerate(as_list(value)))


def _split(item: object) -> tuple[str, str | None]:
    if not isinstance(item, str):
        raise reject("WrongType", f"expected KEY=VALUE, got {kind(item)}")
    key, equals, text = bounded(item, MAX_VALUE + MAX_TEXT).partition("=")
    return key, text if equals else None


def _parsed(items: _Items, parse_pair: Callable[[str, object], str]) -> dict[str, str]:
    seen: dict[str, str] = {}

    def parse(pair: tuple[str | int, object]) -> None:
        where, item = pair
        key, given = (where, item) if isinstance(where, str) else _split(item)
        text = parse_pair(key, given)
        if key in seen:
            raise reject("DuplicateKey", f"{quote(key)} is there twice", at_key=True)
        seen[key] = text

    each(((item[0], item) for item in items), parse)
    return dict(sorted(seen.items()))


def is_variable_name(name: str) -> bool:
    """Whether an environment variable may be called so."""
    return _ENVIRONMENT_NAME.fullmatch(name) is not None


def _environment_pair(name: str, value: object) -> str:
    if not is_variable_name(name):
        why = "it is not the name of a variable"
        raise reject("InvalidName", why, "use letters, digits and _, no digit first", at_key=True)
    return _variable(value)


def _label_pair(key: str, value: object) -> str:
    if key.startswith(RESERVED_LABELS):
        why = f"{quote(key)} is one of the labels by which workloadd knows its containers"
        raise reject("ReservedLabel", why, "choose another prefix", at_key=True)
    return _annotation_pair(key, value)


def _annotation_pair(key: str, value: object) -> str:
    try:
        as_line(key)
    except ProblemsError as caught:
        problem = caught.problems[0]
        raise reject("InvalidName", f"the key is wrong: {problem.why}", at_key=True) from None
    return "" if value is None else bounded(_scalar(value))


def _variable(value: object) -> str:
    if value is None:
        # Compose takes it from its own environment, which would differ from start to start.
        hint = (
            'write its value, "" for an empty one; the daemon\'s own environment is not passed on'
        )
        raise reject("MissingValue", "the variable has no value", hint, at_key=True)
    return bounded(_scalar(value), MAX_VALUE)


def _text(value: object) -> str:
    if value is None:
        raise reject("MissingValue", "it has no value", at_key=True)
    return as_line(_scalar(value))


def _scalar(value: object) -> str:
    """As Compose does, except that a number keeps its spelling."""
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case WrittenInt() | WrittenFloat():
            return value.source
        case int() | float():
            return str(value)
    raise reject("WrongType", f"expected text, got {kind(value)}")
