"""Pieces of text for a terminal: durations, wrapped sentences, columns that fit."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from workloadd.spec.text import printable

WIDTH = 80
_GAP = "  "
_UNITS = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def duration(seconds: float) -> str:
    """Whole seconds in at most two units: `41s`, `3h12m`, `2d4h`; a clock set back gives `0s`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
        if len(parts) == 2:
            break
    return "".join(parts) or "0s"


def since(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was, `-` for never."""
    return duration((now - moment).total_seconds()) if moment else "-"


def clean(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal would obey."""
    return printable(" ".join(text.split()))


def clean_line(text: str) -> str:
    """As `clean`, but for a line whose blanks mean something: source text, a log line."""
    return printable(text.expandtabs(4).rstrip())


def sentence(text: str, indent: int = 0, hanging: int = 0) -> list[str]:
    """`text` wrapped to the width. Words stay whole: paths and commands are there to be copied."""
    return textwrap.wrap(
        clean(text),
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `least` is the width it may be cut down to, None for never cut.

    `end` says that the end of its text tells most, so that it is cut at the front.
    """

    title: str
    least: int | None = None
    end: bool = False


def columns(
    heads: Sequence[Column], rows: Iterable[Sequence[str]], width: int = WIDTH
) -> list[str]:
    """The lines of a table with its titles, cut to `width` from the last column to the first."""
    cells = [[head.title for head in heads], *([clean(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    excess = sum(widths) + len(_GAP) * (len(heads) - 1) - width
    for index in sorted(_cuttable(heads), key=lambda i: (not heads[i].end, -i)):
        least = max(heads[index].least or 0, len(heads[index].title))
        cut = max(0, min(excess, widths[index] - least))
        widths[index] -= cut
        excess -= cut
    return [
        _GAP.join(
            _cut(cell, size, head.end).ljust(size)
            for cell, size, head in zip(row, widths, heads, strict=True)
        ).rstrip()
        for row in cells
    ]


def _cuttable(heads: Sequence[Column]) -> list[int]:
    return [i for i, head in enumerate(heads) if head.least is not None]


def _cut(text: str, width: int, end: bool) -> str:
    if len(text) <= width:
        return text
    if not end:
        return text[: width - 1] + "…"
    kept = text[len(text) - width + 1 :]
    return "…" + kept[max(kept.find("/"), 0) :]
