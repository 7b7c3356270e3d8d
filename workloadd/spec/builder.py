"""YAML events to nodes: the composing and constructing that a workload file needs, and no more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from workloadd.spec.nodes import Entry, Fault, FaultError, Node
from workloadd.spec.scalars import resolve
from workloadd.spec.text import MAX_ITEMS, excerpt, key_name, quote

MAX_DEPTH = 16
MAX_NODES = 4096


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

    def closed(self) -> Node:
        values = {key: entry.node.value for key, entry in self.entries.items()}
        value = values if self.mapping else list(values.values())
        return Node(self.line, self.column, value, self.size, self.entries)


@dataclass(frozen=True, slots=True)
class _Key:
    text: str
    line: int
    column: int


class Builder:
    """Takes events one by one: ``root`` is the document, ``faults`` what could be passed over."""

    def __init__(self) -> None:
        self.root = Node(1, 1)
        self.faults: list[Fault] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def feed(self, event: Event) -> None:
        """Take the next event; raises :class:`FaultError` where reading cannot go on."""
        match event:
            case DocumentStartEvent():
                self._begin_document(event)
            case CollectionStartEvent():
                self._begin(event)
            case CollectionEndEvent():
                ended = self._open.pop()
                self._add(ended.closed(), ended.anchor, is_key=False)
            case AliasEvent():
                self._alias(event)
            case ScalarEvent():
                self._scalar(event)

    def _begin_document(self, event: Any) -> None:
        line, column = _place(event)
        self._documents += 1
        if self._documents > 1:
            hint = "one file holds one workload: make a file of each"
            raise FaultError(
                Fault(line, column, "SeveralDocuments", "a second document begins", hint)
            )
        if event.version not in (None, (1, 2)):
            raise FaultError(Fault(line, column, "YamlVersion", "this is not YAML 1.2"))

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
        mapping = isinstance(event, MappingStartEvent)
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
        self._add(Node(line, column, value), event.anchor, is_key=is_key)

    def _check_tag(self, event: Any) -> None:
        # The tag is not quoted: in an environment variable's value it would be a part of that.
        if event.tag is not None:
            why, hint = "a YAML tag stands here", "quote text that begins with !"
            self.faults.append(Fault(*_place(event), "YamlTag", why, hint))

    def _expects_key(self) -> bool:
        return bool(self._open) and self._open[-1].mapping and self._open[-1].key is None

    def _add(self, node: Node, anchor: str | None, *, is_key: bool) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
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
        if sum(one.size for one in self._open) > MAX_NODES:
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
            self.faults.append(fault)
        else:
            parent.entries[key.text] = Entry(key.line, key.column, node)


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
