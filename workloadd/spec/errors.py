"""What is wrong with a workload file, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpecError:
    """One error (or warning) of one workload file.

    ``line`` and ``column`` are 1-based.  ``reason`` is for machines (CamelCase, stable),
    ``message`` and ``hint`` are for people.  ``text`` is the offending text, shortened; it never
    holds the value of an environment variable.
    """

    file: str
    line: int
    column: int
    reason: str
    message: str
    text: str = ""
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.message} ({self.hint})" if self.hint else f"{where}: {self.message}"
