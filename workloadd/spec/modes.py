"""Permission bits."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import PlainSerializer

from workloadd.spec.problems import reject
from workloadd.spec.scalars import WrittenInt
from workloadd.spec.text import kind, quote

Octal = Annotated[int | None, PlainSerializer(lambda mode: None if mode is None else f"{mode:04o}")]
"""Permission bits that are written, and written out again, in octal."""

Mode = Annotated[int, PlainSerializer(lambda mode: f"{mode:04o}")]
"""The same where there always are some."""

_OCTAL = re.compile(r"(?:0o)?([0-7]{3,5})")


def parse_mode(value: object, highest: int = 0o7777) -> int:
    """Permission bits.  Plain 755 is a decimal number in YAML 1.2, which nobody means."""
    text = value.source if isinstance(value, WrittenInt) else value
    found = _OCTAL.fullmatch(text) if isinstance(text, str) else None
    if not found or (isinstance(value, WrittenInt) and not value.source.startswith("0o")):
        shown = quote(text) if isinstance(text, str) else kind(value)
        raise reject("BadValue", f"{shown} is not an octal mode", "write for example 0755 or 1777")
    if (mode := int(found[1], 8)) > highest:
        raise reject("BadValue", f"{quote(found[0])} is not an octal mode", f"at most {highest:o}")
    return mode
