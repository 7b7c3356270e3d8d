"""Names that wait for each other in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def cycles(needs: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """For everything that waits for itself in the end the way there: ``a`` → ``(a, b, a)``.

    What merely waits for something in a cycle is not in one.  Names that are no keys lead nowhere.
    """
    found: dict[str, tuple[str, ...]] = {}
    for start in needs:
        if way := _way(needs, start):
            found[start] = way
    return found


def _way(needs: Mapping[str, Sequence[str]], start: str) -> tuple[str, ...]:
    """The shortest way from ``start`` back to it, empty where there is none."""
    before: dict[str, str] = {}
    edge = [start]
    while edge:
        further: list[str] = []
        for name in edge:
            for need in needs.get(name, ()):
                if need == start:
                    return _back(before, name, start)
                if need not in before:
                    before[need] = name
                    further.append(need)
        edge = further
    return ()


def _back(before: Mapping[str, str], name: str, start: str) -> tuple[str, ...]:
    way = [start, name] if name != start else [start]
    while name in before and before[name] != start:
        name = before[name]
        way.append(name)
    return (start, *way[::-1]) if way[-1] != start else (start, start)


def shown(way: Sequence[str]) -> str:
    """A cycle in a sentence."""
    return " → ".join(way)
