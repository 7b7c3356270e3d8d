"""A workload file's bytes as plain data of which every part knows where it stands.

YAML 1.2 from a parser's events, so that nothing recurses and every bound holds before memory is
used: size, depth, entries, and nodes counted as often as aliases repeat them.  Tags are refused.

Two parsers: libyaml, which is thirty times as fast, and ruamel.yaml.  libyaml is of YAML 1.1; what
the versions see differently, and whatever it cannot read, is ruamel.yaml's to read or to explain.
What a plain scalar means is ours to say in any case (:mod:`workloadd.spec.scalars`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from workloadd.spec.builder import Builder
from workloadd.spec.nodes import Document, Fault, FaultError

if TYPE_CHECKING:
    from ruamel.yaml.error import YAMLError

MAX_BYTES = 1024 * 1024

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_YAML = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# Tabs, other line breaks, and an alias with a colon behind it.
_SEEN_DIFFERENTLY = re.compile(r"[\t\x85\u2028\u2029]|\*\S*:(?:\s|$)")
_QUOTED = re.compile(r""" \(?(?:'[^']*'|"[^"]*")(?:,\))?""")
_PUNCTUATION = {",", ":", "?", "-", "]", "}"}
_HINTS = {
    "cannot start any token": "quote text that begins with @, ` or %",
    "mapping values are not allowed": "quote text that has “: ” in it, and check the indentation",
    "could not find expected :": "write KEY: VALUE, and check the indentation",
    "expected <block end>": "check the indentation",
    "unknown escape": "in double quotes a backslash is written twice; use single quotes",
    "while parsing a flow": "a bracket is not closed",
    "unexpected end of stream": "a quote or bracket is not closed",
}


def read_documents(data: bytes, file: str = "") -> tuple[Document, ...]:
    """The documents in ``data``, which is the content of ``file``; at least one.

    Raises :class:`~workloadd.spec.nodes.FaultError` where it is not YAML.
    """
    if len(data) > MAX_BYTES:
        why = f"the file has {len(data)} bytes, more than {MAX_BYTES}"
        raise FaultError(Fault(1, 1, "TooLarge", why))
    text = _decode(data)
    return _read_fast(text, file) or _read_exactly(text, file)


def _read_fast(text: str, file: str) -> tuple[Document, ...] | None:
    """The documents as libyaml sees them, or None if that cannot be relied on."""
    if not yaml.__with_libyaml__ or _SEEN_DIFFERENTLY.search(text):
        return None
    try:
        return _build(yaml.parse(text, Loader=yaml.CLoader), text, file)
    except yaml.YAMLError:
        return None


def _read_exactly(text: str, file: str) -> tuple[Document, ...]:
    # Most files never need it, and loading it takes as long as reading a hundred of them.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return _build(YAML(typ="safe", pure=True).parse(text), text, file)
    except YAMLError as caught:
        raise FaultError(_syntax(caught, text)) from None


def _build(events: Iterator[Any], text: str, file: str) -> tuple[Document, ...]:
    builder = Builder(text, file)
    for event in events:
        builder.feed(event)
    return builder.documents


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as caught:
        line, column = _place(data[: caught.start].decode("utf-8-sig", "replace"))
        why = f"the byte 0x{data[caught.start]:02x} is not UTF-8"
        raise FaultError(Fault(line, column, "BadEncoding", why, "save it as UTF-8")) from None
    if found := _NOT_YAML.search(text):
        line, column = _place(text[: found.start()])
        why = f"the character U+{ord(found[0]):04X} is not allowed in YAML"
        raise FaultError(Fault(line, column, "BadCharacter", why))
    return text


def _place(before: str) -> tuple[int, int]:
    """1-based line and column of what follows ``before``."""
    ends = [found.end() for found in _BREAK.finditer(before)]
    return len(ends) + 1, len(before) - (ends[-1] if ends else 0) + 1


def _syntax(error: YAMLError, text: str) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if "end of stream" in str(getattr(error, "problem", "")):
        # What is never closed is best looked for where it was opened.
        mark = getattr(error, "context_mark", None) or mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    why = " ".join(_words(error)) or "it is not YAML"
    if _lines(text)[line - 1][column - 1 : column] == "\t":
        return Fault(line, column, "YamlSyntax", "a tab stands here", "indent with spaces")
    hint = next((hint for words, hint in _HINTS.items() if words in why), "")
    if "flow" in why and "${" in _lines(text)[line - 1]:
        hint = "between brackets quote text with ${ in it, or write one entry a line"
    return Fault(line, column, "YamlSyntax", why, hint)


def _lines(text: str) -> list[str]:
    return [*_BREAK.split(text), ""]


def _words(error: YAMLError) -> Iterator[str]:
    """What ruamel.yaml says, without what it quotes, which may be of a secret value."""
    for words in (getattr(error, "context", None), getattr(error, "problem", None)):
        if words:
            yield _QUOTED.sub(_syntax_only, str(words).split("\n", 1)[0])


def _syntax_only(quoted: re.Match[str]) -> str:
    """Names of syntax, as ``<block end>``, are kept; text of the file is not."""
    name = quoted[0].strip(" ()',\"")
    return f" {name}" if name.startswith("<") or name in _PUNCTUATION else ""
