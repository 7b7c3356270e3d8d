"""The parts of a workload file, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workloadd.spec.problems import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the YAML itself; line and column are 1-based."""

    line: int
    column: int
    reason: str
    why: str
    hint: str = ""
    text: str = ""


class FaultError(Exception):
    """A fault after which nothing of the file can be read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.why)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a file.

    ``value`` is plain data; ``size`` counts the node and all below it, as often as aliases repeat
    them; ``entries`` are the nodes in a mapping by key, or in a list by index.  ``file`` is where
    it was written, which need not be the file of the nodes around it.

    ``plain`` says that a scalar was written without quotes.  ``dollars`` is where each dollar sign
    of a text stands, where that can be told.  ``origin`` says where the variables in it came from.
    """

    line: int
    column: int
    value: object = field(default=None, repr=False)
    size: int = 1
    entries: Mapping[str | int, Entry] = field(default_factory=dict, repr=False)
    file: str = ""
    plain: bool = False
    dollars: tuple[tuple[int, int], ...] = ()
    origin: str = ""

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return isinstance(self.value, dict)

    def find(self, path: Path) -> tuple[Entry | None, Node]:
        """The node at ``path`` and the entry that leads to it, or the nearest that exists."""
        entry, node = None, self
        for key in path:
            if key not in node.entries:
                break
            entry = node.entries[key]
            node = entry.node
        return entry, node

    def child(self, key: str) -> Node | None:
        """What a mapping has at ``key``."""
        entry = self.entries.get(key)
        return entry.node if entry else None

    def having(self, entries: Mapping[str | int, Entry]) -> Node:
        """The same mapping or list with other entries."""
        values = {key: entry.node.value for key, entry in entries.items()}
        value = values if self.is_mapping else list(values.values())
        size = 1 + sum(entry.node.size for entry in entries.values())
        return replace(self, value=value, size=size, entries=entries)


@dataclass(frozen=True, slots=True)
class Entry:
    """A node in its mapping or list.  The place is that of the key, or of the item."""

    line: int
    column: int
    node: Node


@dataclass(frozen=True, slots=True)
class Document:
    """One of the documents in a file, and the faults after which reading could go on."""

    root: Node
    faults: tuple[Fault, ...] = ()
