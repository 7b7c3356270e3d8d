"""Bounds on connections, so that no client keeps the daemon from answering others."""

import asyncio
from collections.abc import Callable


class Gate:
    """A protocol factory that lets in `limit` connections at a time, each for `deadline` seconds.

    Every connection serves one request, so the deadline covers a client that sends slowly, one
    that reads slowly, and one that does neither. One that comes when all places are taken is
    closed at once. Answers without an end leave by `Connection.detach`. `empty` is set while
    there is none.
    """

    def __init__(
        self, make: Callable[[], asyncio.Protocol], *, limit: int, deadline: float
    ) -> None:
        self._make = make
        self._free = self._limit = limit
        self._deadline = deadline
        self.empty = asyncio.Event()
        self.empty.set()

    def __call__(self) -> asyncio.Protocol:
        return Connection(self, self._make())

    def enter(self, transport: asyncio.Transport) -> asyncio.TimerHandle | None:
        """A place and the end of its time, or None where all are taken."""
        if self._free == 0:
            transport.abort()
            return None
        self._free -= 1
        self.empty.clear()
        return asyncio.get_running_loop().call_later(self._deadline, transport.abort)

    def leave(self) -> None:
        """Give a place back."""
        self._free += 1
        if self._free == self._limit:
            self.empty.set()


class Connection(asyncio.Protocol):
    """Passes everything on to the inner protocol, once it was let in."""

    def __init__(self, gate: Gate, inner: asyncio.Protocol) -> None:
        self._inner = inner
        self._gate = gate
        self._let_in = self._detached = False
        self._leave: Callable[[], None] = gate.leave
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._timer = self._gate.enter(transport)
        if self._timer:
            self._let_in = True
            self._inner.connection_made(transport)

    def detach(self, leave: Callable[[], None]) -> None:
        """Give the gate's place back and go on without a deadline; `leave` is told of the end.

        What the client still says is dropped: it has had its request.
        """
        self._stop_timer()
        self._leave()
        self._leave = leave
        self._detached = True

    def end_within(self, seconds: float, transport: asyncio.Transport) -> None:
        """Set a deadline again, for what was written to be read."""
        if transport.is_closing():
            return
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._let_in:
            self._stop_timer()
            self._leave()
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._let_in and not self._detached:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._let_in else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
