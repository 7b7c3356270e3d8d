"""Reading the journal: what containers wrote to their outputs.

conmon takes it down line by line, within the control group of the container's unit: journald says
which that is (`_SYSTEMD_USER_UNIT`), whatever the container says of itself. So the lines of a
container can be read for as long as the journal keeps them, also when it is long gone.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from systemd import journal

from workloadd.core.names import SLOTS, WHOLE, parse_unit_name, plain_name, unit_name
from workloadd.host.podman_logs import harmless

MAX_LINE = 16384
"""Bytes of a line that are shown."""
# Entries looked at in one go, and bytes of them after which it is enough.
_BATCH, _BATCH_BYTES = 500, 64 * 1024
# Entries looked at to find the first line wanted: most are lines, some are pieces of one.
_MAX_STEPS = 50_000
# What a program writes for colours; everything else that steers a terminal is shown as text.
_COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
_ERROR = b"3"
_SHORT = 12


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a container, harmless to show: bounded, and nothing a terminal would obey.

    `at` is in microseconds since the epoch, `container` empty for a workload's only one.
    """

    at: int
    container: str
    id: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line so far: conmon writes a long one down in pieces."""

    at: int
    container: str
    id: str
    stream: str
    text: bytes

    def line(self) -> LogLine:
        plain = _COLOURS.sub(b"", self.text)
        text = harmless(plain, MAX_LINE)
        return LogLine(self.at, self.container, self.id[:_SHORT], self.stream, text)


class JournalLog:
    """The lines of a workload's containers, read on from a place in the journal.

    Everything here blocks, and is for one thread at a time. The journal is closed with the last
    reference, so that no thread still reads in what is unmapped.

    Raises (all of it):
        OSError: the journal cannot be read.
    """

    def __init__(self, workload: str, reader: Any = None) -> None:
        self._workload = workload
        self._reader = reader or journal.Reader(journal.LOCAL_ONLY)
        # A threshold cuts a field with its name; one byte more shows that it was cut.
        self._reader.data_threshold = MAX_LINE + len("MESSAGE=") + 1
        self._units: frozenset[str] = frozenset()
        self._begun: dict[tuple[str, str], _Piece] = {}

    def is_readable(self) -> bool:
        """Whether there is any entry that we may read."""
        self._reader.flush_matches()
        self._reader.seek_tail()
        return bool(self._reader._previous())

    def parts(self) -> frozenset[str]:
        """The parts of the workload whose units the journal knows."""
        return frozenset(
            found[1]
            for unit in self._reader.query_unique("_SYSTEMD_USER_UNIT")
            if (found := parse_unit_name(str(unit))) and found[0] == self._workload
        )

    def select(self, parts: Iterable[str]) -> None:
        """Read lines of these parts alone, from where it is."""
        units = frozenset(unit_name(self._workload, part) for part in parts)
        if units == self._units:
            return
        self._units = units
        self._reader.flush_matches()
        self._reader.add_match(_UID=str(os.getuid()), _TRANSPORT="journal")
        for unit in units:
            self._reader.add_match(f"_SYSTEMD_USER_UNIT={unit}")

    def seek(self, tail: int, since: float, now: float) -> None:
        """Go to where the last `tail` lines begin, but not before `since`."""
        first = ""
        lines = 0
        self._reader.seek_tail()
        for _ in range(_MAX_STEPS):
            if not self._reader._previous():
                break
            if self._reader._get_realtime() < since * 1e6:
                break
            if not self._field("CONTAINER_ID_FULL"):
                continue
            if not self._is_piece():
                if lines == tail:
                    break
                lines += 1
            first = self._reader._get_cursor()
        if first:
            self._reader.seek_cursor(first)
        else:
            self._reader.seek_realtime(max(now, since))

    def read(self) -> tuple[list[LogLine], bool]:
        """The next lines, and whether there may be more already."""
        self._reader.process()
        lines: list[LogLine] = []
        size = 0
        for _ in range(_BATCH):
            if not self._reader._next():
                return [*lines, *self._unfinished()], False
            if line := self._line():
                lines.append(line)
                size += len(line.text)
            if size > _BATCH_BYTES:
                break
        return lines, True

    def fileno(self) -> int:
        """Becomes readable when the journal has changed; `read` makes it wait again."""
        number: int = self._reader.fileno()
        return number

    def _line(self) -> LogLine | None:
        """The line that the entry at hand ends."""
        if not self._field("CONTAINER_ID_FULL"):
            return None
        piece = self._piece()
        key = (piece.id, piece.stream)
        if begun := self._begun.pop(key, None):
            piece = replace(begun, text=(begun.text + piece.text)[: MAX_LINE + 1])
        if self._is_piece():
            self._begun[key] = piece
            return None
        return piece.line()

    def _piece(self) -> _Piece:
        at: int = self._reader._get_realtime()
        stream = "stderr" if self._field("PRIORITY") == _ERROR else "stdout"
        # conmon leaves the end of the line on.
        text = self._field("MESSAGE").removesuffix(b"\n")
        return _Piece(at, self._container(), _text(self._field("CONTAINER_ID_FULL")), stream, text)

    def _container(self) -> str:
        """Which of a pod's containers it is, by its unit."""
        found = parse_unit_name(_text(self._field("_SYSTEMD_USER_UNIT")))
        part = found[1] if found else WHOLE
        if f"_{part}" not in SLOTS:
            return part
        # A container of a pod, or a slot of an only one?
        name = plain_name(self._workload, part)
        given = _text(self._field("CONTAINER_NAME"))
        return part if given == name or given.startswith(f"{name}_") else ""

    def _unfinished(self) -> list[LogLine]:
        """What has been written with no end of a line so far, as a prompt is."""
        begun, self._begun = self._begun, {}
        return [piece.line() for piece in begun.values()]

    def _is_piece(self) -> bool:
        return self._field("CONTAINER_PARTIAL_MESSAGE") == b"true"

    def _field(self, name: str) -> bytes:
        try:
            value: bytes = self._reader._get(name)
        except KeyError:
            return b""
        return value


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
