"""Sizes and durations as people write them, and back.

Sizes are bytes.  Every suffix is 1024-based, in either case, as in Compose, Podman and systemd:
``b``; ``k``, ``kb``, ``kib``; and so on for m, g, t and p.  A bare number is bytes.

Durations are seconds.  Suffixes are those of Compose and systemd: ``us``, ``ms``, ``s`` (``sec``),
``m`` (``min``), ``h``, ``d``, ``w``, the largest first (``1m30s``).  A bare number is seconds.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from workloadd.spec.problems import reject
from workloadd.spec.text import kind, quote

MAX_SIZE = 2**63 - 1
MAX_DURATION = 365 * 86400.0
"""A year: nothing in a workload takes longer, and microseconds stay exact in a float."""

_SIZE = re.compile(r"(\d{1,19}(?:\.\d{1,9})?)\s*(?:([kmgtp])(?:i?b)?|b)?", re.ASCII | re.IGNORECASE)
_POWERS = "kmgtp"

_DURATION = re.compile(r"(?:\d{1,15}(?:\.\d{1,9})?\s*[a-z]+\s*)+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.ASCII)
_BARE = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_MICROSECONDS = {
    "w": 7 * 86400 * 10**6,
    "d": 86400 * 10**6,
    "h": 3600 * 10**6,
    "m": 60 * 10**6,
    "s": 10**6,
    "ms": 1000,
    "us": 1,
}
_SYNONYMS = {"min": "m", "sec": "s"}
_SIZE_HINT = "write for example 512m, 1.5g or 64KiB; all suffixes are 1024-based"
_DURATION_HINT = "write for example 10s, 1m30s or 1h"


def parse_size(value: object) -> int:
    """Bytes from ``512m``, ``1.5g``, ``64KiB`` or an int; a fraction of a byte is cut off."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise reject("WrongType", f"expected a size, got {kind(value)}", _SIZE_HINT)
    size = value if isinstance(value, int) else _size_of(value)
    if not 0 <= size <= MAX_SIZE:
        raise reject("BadValue", "a size is between 0 and 8 EiB", _SIZE_HINT)
    return int(size)


def _size_of(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise reject("BadValue", f"{quote(text)} is not a size", _SIZE_HINT)
    number, suffix = found.groups()
    power = _POWERS.index(suffix.lower()) + 1 if suffix else 0
    return math.floor(Fraction(number) * Fraction(1024) ** power)


def format_size(size: int) -> str:
    """The shortest exact spelling that :func:`parse_size` reads back: ``512MiB``, ``1000B``."""
    power = 0
    while size and size % 1024 == 0 and power < len(_POWERS):
        size //= 1024
        power += 1
    return f"{size}{_POWERS[power - 1].upper()}iB" if power else f"{size}B"


def parse_duration(value: object) -> float:
    """Seconds from ``10s``, ``1m30s``, ``1h`` or a number, exact to the microsecond."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise reject("WrongType", f"expected a duration, got {kind(value)}", _DURATION_HINT)
    if isinstance(value, float) and not math.isfinite(value):
        raise reject("BadValue", "a duration is finite", _DURATION_HINT)
    micros = _microseconds_of(value) if isinstance(value, str) else round(Fraction(value) * 10**6)
    if not 0 <= micros <= MAX_DURATION * 10**6:
        raise reject("BadValue", "a duration is between 0 and 365d", _DURATION_HINT)
    return micros / 10**6


def _microseconds_of(text: str) -> int:
    stripped = text.strip()
    if _BARE.fullmatch(stripped):
        return round(Fraction(stripped) * 10**6)
    if not _DURATION.fullmatch(stripped):
        raise reject("BadValue", f"{quote(text)} is not a duration", _DURATION_HINT)
    total, last = Fraction(0), math.inf
    for number, suffix in _PART.findall(stripped):
        unit = _MICROSECONDS.get(_SYNONYMS.get(suffix, suffix))
        if unit is None:
            raise reject("BadValue", f"{quote(suffix)} is not a unit of time", _DURATION_HINT)
        if unit >= last:
            raise reject(
                "BadValue", f"{quote(text)} is not in order", "the largest unit comes first"
            )
        total, last = total + Fraction(number) * unit, unit
    return round(total)


def format_duration(seconds: float) -> str:
    """The spelling that :func:`parse_duration` reads back: ``1m30s``, ``500ms``, ``0s``."""
    left = round(Fraction(seconds) * 10**6)
    parts = []
    for suffix, unit in _MICROSECONDS.items():
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count}{suffix}")
    return "".join(parts) or "0s"
