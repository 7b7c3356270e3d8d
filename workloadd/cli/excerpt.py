"""The offending line of a workload file with a caret below it; never one with a secret in it."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from workloadd.cli.visible import Visible, visible_lines
from workloadd.spec.errors import SpecError
from workloadd.spec.text import printable

# What YAML counts as the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Source:
    """The lines of a workload file, and what of them may be shown."""

    lines: tuple[str, ...] = ()
    visible: Visible = lambda index: ""

    @classmethod
    def of(cls, data: bytes) -> "Source":
        """The source in the bytes of a file."""
        lines = tuple(_BREAK.split(data.decode("utf-8-sig", "replace")))
        return cls(lines, visible_lines(data, lines))

    def excerpt(self, error: SpecError) -> list[str]:
        """The offending line and the caret, or nothing where the line may hold a secret."""
        if not 1 <= error.line <= len(self.lines):
            return []
        line = self.visible(error.line - 1)
        if not line.strip() or error.column > len(line) + 1:
            return []
        before = line[: error.column - 1].expandtabs(4)
        whole = line.expandtabs(4)
        start = max(0, len(before) - _WIDTH * 2 // 3)
        end = start + _WIDTH
        shown = printable(whole[start:end].rstrip())
        head, tail = "…" if start else "", "…" if end < len(whole.rstrip()) else ""
        caret = " " * (len(head) + _cells(before[start:])) + "^"
        return [f"{head}{shown}{tail}", caret]


def _cells(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return sum(_widths(printable(text)))


def _widths(text: str) -> Iterator[int]:
    for character in text:
        if unicodedata.combining(character):
            yield 0
        else:
            yield 2 if unicodedata.east_asian_width(character) in "WF" else 1
