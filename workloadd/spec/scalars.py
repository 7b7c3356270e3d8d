"""Plain YAML scalars: YAML 1.2's core schema, without the traps of 1.1."""

from __future__ import annotations

import re

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})|0o[0-7]{1,21}|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class WrittenInt(int):
    """A whole number that remembers how it was written: ``0o755``, ``+1``."""

    source: str


class WrittenFloat(float):
    """A number that remembers how it was written: ``1.10`` as a version is not ``1.1``."""

    source: str


def resolve(text: str) -> object:
    """The value of the plain scalar ``text``.

    Digits with leading zeros stay text: YAML 1.1 reads ``0755`` as octal, YAML 1.2 as decimal, and
    only the field knows what is meant.  ``no``, ``on`` and ``22:22`` are text, as in YAML 1.2.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        whole = WrittenInt(text, base)
        whole.source = text
        return whole
    if _FLOAT.fullmatch(text) or _SPECIAL.fullmatch(text):
        number = WrittenFloat(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        number.source = text
        return number
    return text
