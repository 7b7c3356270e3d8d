"""The dollar sign: ``$$`` is one of them, ``${`` is kept for host variables.

The escape is there from the beginning so that no file changes its meaning when host variables come.
As in Compose it holds for values, not for keys.
"""

from __future__ import annotations

from workloadd.spec.problems import Path, Problem

_HINT = "write $${ for a plain ${; host variables are not supported yet"


def unescape(value: object) -> tuple[object, list[Problem]]:
    """``value`` with the escapes in its text resolved, and what could not be."""
    problems: list[Problem] = []
    return _resolve(value, (), problems), problems


def _resolve(value: object, path: Path, problems: list[Problem]) -> object:
    match value:
        case str() if "$" in value:
            parts = value.split("$$")
            if any("${" in part for part in parts):
                problems.append(Problem("NotSupported", "it has ${ in it", _HINT, path))
            return "$".join(parts)
        case dict():
            return {k: _resolve(item, (*path, k), problems) for k, item in value.items()}
        case list():
            return [_resolve(item, (*path, i), problems) for i, item in enumerate(value)]
    return value
