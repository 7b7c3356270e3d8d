"""From problems, which know a path, to errors, which know a line."""

from __future__ import annotations

from dataclasses import dataclass, field

from workloadd.spec.errors import SpecError
from workloadd.spec.nodes import Node
from workloadd.spec.problems import Path, Problem
from workloadd.spec.text import excerpt, key_name

# What is below one of these is never shown.
_SECRET = frozenset({"environment", "files", "headers", "secrets"})


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the parts of one workload stand; ``file`` is the one that declares it.

    ``owner`` names the instance of a template that it is of.
    """

    file: str
    root: Node = field(default=Node(1, 1), repr=False)
    owner: str = ""

    def file_of(self, path: Path) -> str:
        """The file in which the value at ``path``, or the nearest one around it, was written."""
        _, node = self.root.find(path)
        return node.file or self.file

    def at(self, path: Path) -> tuple[int, int]:
        """1-based line and column of the value at ``path``, or of the nearest one around it."""
        _, node = self.root.find(path)
        return node.line, node.column

    def at_key(self, path: Path) -> tuple[int, int]:
        """1-based line and column of the key (or list entry) at the end of ``path``."""
        entry, node = self.root.find(path)
        return (entry.line, entry.column) if entry else (node.line, node.column)

    def error(self, problem: Problem) -> SpecError:
        """``problem`` as an error of this file."""
        return self._located(problem, f"cannot accept {self._subject(problem)}: {problem.why}")

    def warning(self, problem: Problem) -> SpecError:
        """``problem`` as something to think about."""
        return self._located(problem, f"{self._subject(problem)}: {problem.why}")

    def _located(self, problem: Problem, message: str) -> SpecError:
        line, column = (self.at_key if problem.at_key else self.at)(problem.path)
        _, node = self.root.find(problem.path)
        hint = "; ".join(filter(None, (problem.hint, "" if problem.at_key else node.origin)))
        file, text = node.file or self.file, self._text(problem)
        return SpecError(file, line, column, problem.reason, message, text, hint)

    def _text(self, problem: Problem) -> str:
        """The key, or the value if it is a scalar that is no secret."""
        path = problem.path
        key = next(
            (excerpt(key_name(part)) for part in reversed(path) if isinstance(part, str)), ""
        )
        _, node = self.root.find(path)
        if problem.at_key or not path or _SECRET.intersection(path):
            return key
        if isinstance(node.value, dict | list) or node.value is None:
            return key
        return excerpt(str(getattr(node.value, "source", node.value)))

    def _subject(self, problem: Problem) -> str:
        path = problem.path[:-1] if problem.reason == "UnknownKey" else problem.path
        return subject(path, self.owner)


def subject(path: Path, owner: str = "") -> str:
    """What an error is about, in words."""
    shown = "".join(f".{excerpt(key_name(k))}" if isinstance(k, str) else f"[{k}]" for k in path)
    named = shown.removeprefix(".") or "the workload"
    return f"{named} of {owner}" if owner else named
