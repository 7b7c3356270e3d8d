"""The parts of a workload file, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """A value in the file.

    ``value`` is plain data; ``size`` counts the node and all below it, as often as aliases repeat
    them; ``entries`` are the nodes in a mapping by key, or in a list by index.
    """

    line: int
    column: int
    value: object = field(default=None, repr=False)
    size: int = 1
    entries: Mapping[str | int, Entry] = field(default_factory=dict, repr=False)

    def find(self, path: Path) -> tuple[Entry | None, Node]:
        """The node at ``path`` and the entry that leads to it, or the nearest that exists."""
        entry, node = None, self
        for key in path:
            if key not in node.entries:
                break
            entry = node.entries[key]
            node = entry.node
        return entry, node


@dataclass(frozen=True, slots=True)
class Entry:
    """A node in its mapping or list.  The place is that of the key, or of the item."""

    line: int
    column: int
    node: Node
