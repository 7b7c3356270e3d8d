"""Values as YAML, the way people write them: short lists in brackets, long ones line by line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from workloadd.spec.scalars import resolve

_WIDTH = 72
# Text that no reader of YAML, 1.1 or 1.2, takes for anything else, in brackets or not.
_PLAIN = re.compile(
    r"[A-Za-z_./~](?:[\w./@~+=$;%*()'-]|:(?=[\w./])| (?=[\w./@~+=$;%*()'-]))*"
    r"|[1-9]\d*(?:\.\d+)?[a-df-wyz]\w*",
    re.ASCII,
)
_WORDS_OF_1_1 = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}


def yaml_of(value: object) -> str:
    """``value`` as the lines of a YAML document, without a line break at the end."""
    return "\n".join(_lines(value))


def inline(value: object) -> str:
    """``value`` on one line."""
    match value:
        case str():
            return _quoted(value.replace("$", "$$"))
        case Mapping():
            return "{" + ", ".join(f"{_quoted(k)}: {inline(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(inline(item) for item in value) + "]"
        case float() if value.is_integer():
            return str(int(value))
    return json.dumps(value)


def _quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_1_1 and resolve(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


def _lines(value: object) -> list[str]:
    match value:
        case Mapping() if value:
            return [
                line for key, item in value.items() for line in _entry(f"{_quoted(key)}:", item)
            ]
        case list() | tuple() if value:
            return [line for item in value for line in _item(item)]
    return [inline(value)]


def _entry(key: str, value: object) -> list[str]:
    if isinstance(value, str) and "\n" in value:
        return [f"{key} |", *(f"  {line}" for line in value.replace("$", "$$").splitlines())]
    if _is_short(value, _WIDTH - len(key)):
        return [f"{key} {inline(value)}"]
    return [key, *(f"  {line}" for line in _lines(value))]


def _item(value: object) -> list[str]:
    first, *rest = [inline(value)] if _is_short(value, _WIDTH) else _lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _is_short(value: object, width: int) -> bool:
    match value:
        case Mapping():
            short = all(_is_leaf(item) for item in value.values())
        case list() | tuple():
            short = all(_is_leaf(item) for item in value)
        case _:
            return True
    return short and len(inline(value)) <= width


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, Mapping | Sequence) or (
        isinstance(value, str) and "\n" not in value
    )
