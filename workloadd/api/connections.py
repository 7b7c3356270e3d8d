"""Bounds on connections, so that no client keeps the daemon from answering others."""

import asyncio
from collections.abc import Callable


class Gate:
    """A protocol factory that lets in `limit` connections at a time, each for `deadline` seconds.

    Every connection serves one request, so the deadline covers a client that sends slowly, one
    that reads slowly, and one that does neither. One that comes when all places are taken is
    closed at once.
    """

    def __init__(
        self, make: Callable[[], asyncio.Protocol], *, limit: int, deadline: float
    ) -> None:
        self._make = make
        self._free = limit
        self._deadline = deadline

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self, self._make())

    def enter(self, transport: asyncio.Transport) -> asyncio.TimerHandle | None:
        """A place and the end of its time, or None where all are taken."""
        if self._free == 0:
            transport.abort()
            return None
        self._free -= 1
        return asyncio.get_running_loop().call_later(self._deadline, transport.abort)

    def leave(self, timer: asyncio.TimerHandle) -> None:
        """Give a place back."""
        timer.cancel()
        self._free += 1


class _Connection(asyncio.Protocol):
    """Passes everything on to the inner protocol, once it was let in."""

    def __init__(self, gate: Gate, inner: asyncio.Protocol) -> None:
        self._gate = gate
        self._inner = inner
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._timer = self._gate.enter(transport)
        if self._timer:
            self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._gate.leave(self._timer)
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._timer:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._timer else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
