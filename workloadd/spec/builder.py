"""YAML events to nodes: the composing and constructing that a workload file needs, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workloadd.spec.nodes import Document, Entry, Fault, FaultError, Node
from workloadd.spec.scalars import resolve
from workloadd.spec.text import MAX_ITEMS, excerpt, key_name, quote

MAX_DEPTH = 16
MAX_NODES = 4096
MAX_DOCUMENTS = 64

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun and not ended."""

    line: int
    column: int
    anchor: str | None
    mapping: bool
    key: _Key | None = None
    size: int = 1
    entries: dict[str | int, Entry] = field(default_factory=dict)

    def closed(self, file: str) -> Node:
        values = {key: entry.node.value for key, entry in self.entries.items()}
        value = values if self.mapping else list(values.values())
        return Node(self.line, self.column, value, self.size, self.entries, file)


@dataclass(frozen=True, slots=True)
class _Key:
    text: str
    line: int
    column: int


class Builder:
    """Takes the events of ``text`` one by one; the ``documents`` are complete at its end."""

    def __init__(self, text: str = "", file: str = "") -> None:
        self._text = text
        self._file = file
        self._documents: list[Document] = []
        self._root = Node(1, 1, file=file)
        self._faults: list[Fault] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._size = 0

    @property
    def documents(self) -> tuple[Document, ...]:
        """What was read; a file without a document has an empty one."""
        return tuple(self._documents) or (Document(self._root),)

    def feed(self, event: Any) -> None:
        """Take the next event; raises :class:`FaultError` where reading cannot go on."""
        # libyaml's events and ruamel.yaml's are of different classes with the same names.
        handle = _HANDLERS.get(type(event).__name__)
        if handle:
            handle(self, event)

    def _begin_document(self, event: Any) -> None:
        line, column = _place(event)
        if len(self._documents) >= MAX_DOCUMENTS:
            why = f"there are more than {MAX_DOCUMENTS} documents in the file"
            raise FaultError(Fault(line, column, "TooLarge", why))
        if event.version not in (None, (1, 2)):
            raise FaultError(Fault(line, column, "YamlVersion", "this is not YAML 1.2"))
        self._root = Node(line, column, file=self._file)
        self._faults, self._anchors = [], {}

    def _end_document(self, _event: Any) -> None:
        self._size += self._root.size
        self._documents.append(Document(self._root, tuple(self._faults)))

    def _end(self, _event: Any) -> None:
        ended = self._open.pop()
        self._add(ended.closed(self._file), ended.anchor, is_key=False)

    def _begin(self, event: Any) -> None:
        line, column = _place(event)
        self._check_tag(event)
        if self._expects_key():
            why = "a key has to be plain text"
            raise FaultError(
                Fault(line, column, "BadKey", why, "quote text that begins with [ or {")
            )
        if len(self._open) >= MAX_DEPTH:
            raise FaultError(
                Fault(line, column, "TooDeep", f"it is nested deeper than {MAX_DEPTH}")
            )
        mapping = type(event).__name__ == "MappingStartEvent"
        self._open.append(_Open(line, column, event.anchor, mapping))

    def _alias(self, event: Any) -> None:
        line, column = _place(event)
        node = self._anchors.get(event.anchor)
        if node is None or self._expects_key():
            why = "there is no anchor of that name before" if node is None else "an alias is no key"
            hint = "quote text that begins with *"
            raise FaultError(Fault(line, column, "BadAlias", why, hint))
        self._add(replace(node, line=line, column=column), None, is_key=False)

    def _scalar(self, event: Any) -> None:
        line, column = _place(event)
        self._check_tag(event)
        text: str = event.value
        if not _is_unicode(text):
            fault = Fault(line, column, "BadCharacter", "it has half of a surrogate pair in it")
            raise FaultError(fault)
        if is_key := self._expects_key():
            value: object = text
        else:
            value = resolve(text) if event.implicit[0] else text
            if value is None and not text and self._open and (key := self._open[-1].key):
                # The parser puts a value that is not there at whatever comes next.
                line, column = key.line, key.column
        node = Node(line, column, value, file=self._file, plain=event.implicit[0])
        if not is_key and "$" in text:
            node = replace(node, dollars=self._dollars(event))
        self._add(node, event.anchor, is_key=is_key)

    def _dollars(self, event: Any) -> tuple[tuple[int, int], ...]:
        """Where the dollar signs of a text stand; nothing where some are written otherwise."""
        written = self._text[event.start_mark.index : event.end_mark.index]
        if written.count("$") != event.value.count("$"):
            return ()
        first, column = _place(event)
        places = []
        for number, line in enumerate(_BREAK.split(written)):
            before = 1 if number else column
            places += [(first + number, before + i) for i, c in enumerate(line) if c == "$"]
        return tuple(places)

    def _check_tag(self, event: Any) -> None:
        # The tag is not quoted: in an environment variable's value it would be a part of that.
        if event.tag is not None:
            why, hint = "a YAML tag stands here", "quote text that begins with !"
            self._faults.append(Fault(*_place(event), "YamlTag", why, hint))

    def _expects_key(self) -> bool:
        return bool(self._open) and self._open[-1].mapping and self._open[-1].key is None

    def _add(self, node: Node, anchor: str | None, *, is_key: bool) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if is_key:
            parent.key = _Key(str(node.value), node.line, node.column)
            return
        self._count(parent, node)
        if parent.key is None:
            parent.entries[len(parent.entries)] = Entry(node.line, node.column, node)
        else:
            self._enter(parent, parent.key, node)
            parent.key = None

    def _count(self, parent: _Open, node: Node) -> None:
        parent.size += node.size
        if self._size + sum(one.size for one in self._open) > MAX_NODES:
            why = f"it comes to more than {MAX_NODES} values, aliases repeated"
            raise FaultError(Fault(node.line, node.column, "TooLarge", why))
        if len(parent.entries) >= MAX_ITEMS:
            why = f"there are more than {MAX_ITEMS} entries here"
            raise FaultError(Fault(node.line, node.column, "TooLarge", why))

    def _enter(self, parent: _Open, key: _Key, node: Node) -> None:
        if first := parent.entries.get(key.text):
            why = f"the key {quote(key_name(key.text))} is there already, in line {first.line}"
            fault = Fault(
                key.line, key.column, "DuplicateKey", why, "", excerpt(key_name(key.text))
            )
            self._faults.append(fault)
        else:
            parent.entries[key.text] = Entry(key.line, key.column, node)


_HANDLERS: Mapping[str, Callable[[Builder, Any], None]] = {
    "DocumentStartEvent": Builder._begin_document,
    "DocumentEndEvent": Builder._end_document,
    "MappingStartEvent": Builder._begin,
    "SequenceStartEvent": Builder._begin,
    "MappingEndEvent": Builder._end,
    "SequenceEndEvent": Builder._end,
    "AliasEvent": Builder._alias,
    "ScalarEvent": Builder._scalar,
}


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
