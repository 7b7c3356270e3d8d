"""A terminal that is drawn on as a whole, again and again, and is as it was afterwards."""

import os
import select
import signal
import sys
import termios
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import NoReturn

# The other screen of the terminal, without a cursor; and back.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
# What is drawn between these appears at once, where the terminal knows of it.
_BEGIN, _END = "\x1b[?2026h\x1b[H", "\x1b[J\x1b[?2026l"
_REST_OF_LINE = "\x1b[K"
_KEYS = {
    "\x1b[A": "up", "\x1bOA": "up", "k": "up", "\x1b[B": "down", "\x1bOB": "down", "j": "down",
    "\x1b[5~": "page-up", "b": "page-up", "\x1b[6~": "page-down", " ": "page-down",
    "\x1b[H": "top", "g": "top", "q": "quit", "Q": "quit",
}  # fmt: skip


def usable() -> bool:
    """Whether there is a terminal that can be drawn on, and that a person sits at."""
    able = os.environ.get("TERM", "dumb") != "dumb"
    return able and sys.stdout.isatty() and sys.stdin.isatty()


def size() -> tuple[int, int]:
    """Columns and lines, as they are just now: what a shell has put into COLUMNS may be old."""
    width, height = os.get_terminal_size(sys.stdout.fileno())
    return max(width, 20), max(height, 4)


class Screen:
    """The terminal while it is ours."""

    def __init__(self) -> None:
        self._input = sys.stdin.fileno()
        self._drawn = ""

    def __enter__(self) -> "Screen":
        self._before = termios.tcgetattr(self._input)
        ours = termios.tcgetattr(self._input)
        # Keys come as they are pressed, and are not shown; Ctrl-C still interrupts.
        ours[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self._input, termios.TCSADRAIN, ours)
        for one in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, _end)
        self._write(_ENTER)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._write(_LEAVE)
        termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)

    def draw(self, lines: Sequence[str]) -> None:
        """Show these, which have to fit; what is there already is not drawn again."""
        text = f"{_REST_OF_LINE}\n".join(lines) + _REST_OF_LINE
        if text != self._drawn:
            self._write(f"{_BEGIN}{text}{_END}")
            self._drawn = text

    def wait(self, news: int, seconds: float) -> str:
        """Until there are news (a file descriptor can be read), or a key: which one, or nothing."""
        ready, _, _ = select.select([news, self._input], [], [], seconds)
        if self._input not in ready:
            return ""
        pressed = os.read(self._input, 16).decode(errors="replace")
        return _KEYS.get(pressed, "") if pressed else "quit"

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
