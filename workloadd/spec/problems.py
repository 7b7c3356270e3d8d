"""Problems of a value, before anyone knows where in a file the value stands.

Validators raise :class:`ProblemsError` with paths relative to what they were given; every caller
on the way out puts its own key in front, so that one bad item of a list never hides the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

Path = tuple[str | int, ...]
"""Where a value is in a document: keys of mappings and 0-based indexes of lists."""

In = TypeVar("In")
Out = TypeVar("Out")
Key = TypeVar("Key", bound=str | int)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at ``path``.

    ``why`` completes the sentence "cannot accept PATH: …".  ``at_key`` says that the key itself is
    wrong, not its value.
    """

    reason: str
    why: str
    hint: str = ""
    path: Path = ()
    at_key: bool = False

    def __str__(self) -> str:
        return f"{self.why} ({self.hint})" if self.hint else self.why


class ProblemsError(ValueError):
    """Everything that is wrong with a value, at least one problem."""

    def __init__(self, first: Problem, *others: Problem) -> None:
        super().__init__("; ".join(str(problem) for problem in (first, *others)))
        self.problems = (first, *others)

    def below(self, *keys: str | int) -> ProblemsError:
        """The same problems, seen from the container that holds the value at ``keys``."""
        return ProblemsError(*(replace(p, path=(*keys, *p.path)) for p in self.problems))


def reject(
    reason: str, why: str, hint: str = "", *path: str | int, at_key: bool = False
) -> ProblemsError:
    """A single problem, ready to be raised."""
    return ProblemsError(Problem(reason, why, hint, path, at_key))


def gather(
    items: Iterable[tuple[Key, In]], parse: Callable[[In], Out]
) -> tuple[list[tuple[Key, Out]], list[Problem]]:
    """``parse`` every item: what could be parsed, and the problems of the others."""
    parsed: list[tuple[Key, Out]] = []
    problems: list[Problem] = []
    for key, item in items:
        try:
            parsed.append((key, parse(item)))
        except ProblemsError as caught:
            problems += caught.below(key).problems
    return parsed, problems


def each(items: Iterable[tuple[Key, In]], parse: Callable[[In], Out]) -> list[tuple[Key, Out]]:
    """``parse`` every item; the problems of all of them are raised together."""
    parsed, problems = gather(items, parse)
    if problems:
        raise ProblemsError(*problems)
    return parsed
