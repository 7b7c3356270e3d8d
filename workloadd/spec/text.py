"""Text as it may appear in a workload file, and words to talk about it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from workloadd.spec.problems import reject

MAX_TEXT = 4096
"""Characters of any one string, unless its field says otherwise (PATH_MAX on Linux is 4096)."""

MAX_ITEMS = 256
"""Entries of any one list or mapping, unless its field says otherwise."""

# C0 and C1 controls, and the two separators that some tools take for line breaks.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHOWN = 80


def quote(text: str) -> str:
    """``text`` in double quotes, shortened, and with nothing in it that a terminal would obey."""
    return f'"{excerpt(text)}"'


def excerpt(text: str) -> str:
    """At most 80 printable characters of ``text``."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)


def printable(text: str) -> str:
    """``text`` with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def key_name(key: str) -> str:
    """``key`` as it may be shown: who writes KEY=VALUE for a key, or forgets the colon behind it,
    may have a secret behind the = or the blank."""
    return re.split(r"[=\s]", key, maxsplit=1)[0]


def kind(value: object) -> str:
    """What a YAML value is, in plain words."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping"
    return "something else"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the closest of ``known``, or an empty one."""
    if len(word) > _SHOWN:
        return ""
    by_fold = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f"did you mean {by_fold[close[0]]}?" if close else ""


def one_of(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def as_text(value: object) -> str:
    """``value`` if it is text; a number or a boolean is not silently made into one."""
    if isinstance(value, str):
        return value
    hint = "put it in quotes" if isinstance(value, int | float) else ""
    raise reject("WrongType", f"expected text, got {kind(value)}", hint)


def as_line(value: object, limit: int = MAX_TEXT) -> str:
    """One line of non-empty text without control characters, as unit files and argv need it."""
    text = as_text(value)
    if not text.strip():
        raise reject("BadValue", "it is empty")
    if found := _CONTROL.search(text):
        raise reject("BadValue", f"it has the control character U+{ord(found[0]):04X} in it")
    return bounded(text, limit)


def bounded(text: str, limit: int = MAX_TEXT) -> str:
    """``text``, refused beyond ``limit`` characters or with a NUL, which no C string can hold."""
    if len(text) > limit:
        raise reject("TooLarge", f"it has {len(text)} characters, more than {limit}")
    if "\0" in text:
        raise reject("BadValue", "it has a NUL character in it")
    return text


def as_list(value: object, limit: int = MAX_ITEMS) -> Sequence[Any]:
    """``value`` if it is a list of at most ``limit`` entries."""
    if not isinstance(value, list | tuple):
        hint = "write it as a list: one entry a line, each after “- ”" if value is not None else ""
        raise reject("WrongType", f"expected a list, got {kind(value)}", hint)
    if len(value) > limit:
        raise reject("TooLarge", f"it has {len(value)} entries, more than {limit}")
    return value
