"""Bounds on connections, so that no client keeps the daemon from answering others."""

import asyncio
from collections.abc import Callable

from workloadd.api.protocol import TOO_MANY, TOO_SLOW, HttpProtocol

# Those that are told why there is no place for them, at a time; the others are just closed.
_TURNED_AWAY = 32
# Seconds that such a one has to read that: closing at once could take it away from the client.
_FAREWELL = 1.0


class Gate:
    """A protocol factory that lets in `limit` connections at a time, each for `deadline` seconds.

    Every connection serves one request, so the deadline covers a client that sends slowly, one
    that reads slowly, and one that does neither. One that comes when all places are taken is told
    so, or closed at once. Answers without an end leave by `Connection.detach`. `empty` is set while
    there is none.
    """

    def __init__(self, make: Callable[[], HttpProtocol], *, limit: int, deadline: float) -> None:
        self._make = make
        self._free = self._limit = limit
        self._farewells = _TURNED_AWAY
        self._deadline = deadline
        self.empty = asyncio.Event()
        self.empty.set()

    def __call__(self) -> asyncio.Protocol:
        return Connection(self, self._make)

    def enter(self, expire: Callable[[], None]) -> asyncio.TimerHandle | None:
        """A place and the end of its time, or None where all are taken."""
        if self._free == 0:
            return None
        self._free -= 1
        self.empty.clear()
        return asyncio.get_running_loop().call_later(self._deadline, expire)

    def leave(self) -> None:
        """Give a place back."""
        self._free += 1
        if self._free == self._limit:
            self.empty.set()

    def turn_away(self, transport: asyncio.Transport) -> asyncio.TimerHandle | None:
        """Say that there is no place; None where so many are told that this one is not."""
        if self._farewells == 0:
            transport.abort()
            return None
        try:
            transport.write(TOO_MANY)
            transport.write_eof()
        except OSError:  # it has left already
            transport.abort()
            return None
        self._farewells -= 1
        return asyncio.get_running_loop().call_later(_FAREWELL, transport.abort)

    def turned_away(self) -> None:
        """One that was told is gone."""
        self._farewells += 1


class Connection(asyncio.Protocol):
    """Passes everything on to an inner protocol, which there is once it was let in."""

    def __init__(self, gate: Gate, make: Callable[[], HttpProtocol]) -> None:
        self._make = make
        self._inner: HttpProtocol | None = None
        self._gate = gate
        self._detached = False
        self._leave: Callable[[], None] = gate.leave
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            return
        self._timer = self._gate.enter(lambda: self._expire(transport))
        if self._timer:
            self._inner = self._make()
            self._inner.connection_made(transport)
        else:
            self._timer = self._gate.turn_away(transport)

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
        self._stop_timer()
        if self._inner:
            self._leave()
            self._inner.connection_lost(exc)
        elif self._timer:
            self._gate.turned_away()

    def data_received(self, data: bytes) -> None:
        if self._inner and not self._detached:
            self._inner.data_received(data)

    def eof_received(self) -> None:
        if self._inner:
            self._inner.eof_received()

    def pause_writing(self) -> None:
        if self._inner:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner:
            self._inner.resume_writing()

    def _expire(self, transport: asyncio.Transport) -> None:
        """Its time is over: say so, unless an answer has begun."""
        if self._inner and not self._inner.heard and not transport.is_closing():
            transport.write(TOO_SLOW)
        if transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
