"""One document over another: what a drop-in does to the file that it is for."""

from __future__ import annotations

from dataclasses import replace

from workloadd.spec.nodes import Entry, Node


def merge(base: Node, over: Node) -> Node:
    """``base`` as changed by ``over``, which is read as a JSON merge patch (RFC 7396).

    Mappings are merged key by key; a null takes a key away; a list or a scalar replaces what is
    there.  Every node keeps the file and the place that it was written at.
    """
    if not over.is_mapping:
        return over
    merged: dict[str | int, Entry] = dict(base.entries) if base.is_mapping else {}
    for key, entry in over.entries.items():
        if entry.node.value is None:
            merged.pop(key, None)
            continue
        before = merged.get(key)
        inner = before.node if before and before.node.is_mapping else _nothing(entry.node)
        place = before if before and before.node.is_mapping and entry.node.is_mapping else entry
        merged[key] = replace(place, node=merge(inner, entry.node))
    return (base if base.is_mapping else over).having(merged)


def _nothing(node: Node) -> Node:
    """What stands where nothing was: not a mapping."""
    return Node(node.line, node.column, file=node.file)
