"""Decoding the log stream of a container into lines that are safe to show and to keep."""

import re
from collections import deque

MAX_LINE = 2048

# Stream number, three zeros, length in big endian; then that many bytes.
_HEADER_SIZE = 8
_STREAMS = (0, 1, 2)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class LogDecoder:
    """Takes the multiplexed stream in pieces and keeps its last `tail` lines.

    The output of a container with a terminal has no frame headers: what does not begin with one
    is taken as it is. Memory is bounded by `tail` lines of `MAX_LINE` bytes.
    """

    def __init__(self, tail: int) -> None:
        self._lines: deque[bytes] = deque(maxlen=tail)
        self._line = bytearray()
        self._header = bytearray()
        self._left = 0
        self._raw: bool | None = None

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        while data:
            if self._raw:
                self._text(data)
                return
            if self._left:
                text, data = data[: self._left], data[self._left :]
                self._left -= len(text)
                self._text(text)
                continue
            missing = _HEADER_SIZE - len(self._header)
            self._header += data[:missing]
            data = data[missing:]
            if len(self._header) == _HEADER_SIZE:
                self._start_frame()

    def lines(self) -> tuple[str, ...]:
        """The last lines, the unfinished one included."""
        rest = [bytes(self._line)] if self._line else []
        if self._raw is None and self._header:
            rest = [bytes(self._header)]
        kept = [*self._lines, *rest][-(self._lines.maxlen or 0) :]
        return tuple(harmless(line) for line in kept)

    def _start_frame(self) -> None:
        header = bytes(self._header)
        self._header.clear()
        if self._raw is None:
            self._raw = header[0] not in _STREAMS or header[1:4] != b"\0\0\0"
        if self._raw:
            self._text(header)
        else:
            self._left = int.from_bytes(header[4:], "big")

    def _text(self, text: bytes) -> None:
        *ended, rest = text.split(b"\n")
        for part in ended:
            self._extend(part)
            self._lines.append(bytes(self._line))
            self._line.clear()
        self._extend(rest)

    def _extend(self, part: bytes) -> None:
        # One byte over the bound shows that the line was cut.
        self._line += part[: MAX_LINE + 1 - len(self._line)]


def harmless(line: bytes, limit: int = MAX_LINE) -> str:
    """A log line as text: bounded, and without what would steer a terminal."""
    text = line[:limit].decode(errors="replace").rstrip("\r")
    text = _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text.replace("\t", "    "))
    return text + "…" if len(line) > limit else text
