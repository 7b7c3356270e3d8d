"""HTTP and TCP probes over a connection that somebody else made."""

import asyncio
import socket
import ssl
from functools import lru_cache
from typing import cast

import h11

from workloadd.core.probes import HttpCheck
from workloadd.host.probes.outcome import Failed
from workloadd.spec.pattern import is_found

MAX_HEAD = 16 * 1024
MAX_BODY = 64 * 1024


async def ask(made: socket.socket, check: HttpCheck) -> None:
    """Send the request; the connection is closed in any case.

    Raises:
        Failed: the answer is not as it should be.
    """
    loop = asyncio.get_running_loop()
    exchange = _Exchange(check, loop.create_future())
    options = {"ssl": _tls(), "server_hostname": _host(check)} if check.scheme == "https" else {}
    transport: asyncio.BaseTransport | None = None
    try:
        transport, _ = await loop.create_connection(lambda: exchange, sock=made, **options)  # type: ignore[call-overload]
        await exchange.done
        if check.body and not await asyncio.to_thread(is_found, check.body, exchange.body):
            raise Failed("BadBody", "the answer's body does not match")
    except ssl.SSLError as error:
        why = error.reason or error.strerror or "it is no TLS"
        raise Failed("TlsFailed", f"cannot agree on TLS: {why}") from None
    except ConnectionError:
        raise Failed("ConnectionClosed", "the connection was closed before an answer") from None
    except OSError as error:
        raise Failed("ConnectionClosed", f"the connection broke: {error.strerror}") from None
    finally:
        if transport:
            cast(asyncio.Transport, transport).abort()
        else:
            made.close()


class _Exchange(asyncio.Protocol):
    """One request and its answer, read no further than needed."""

    def __init__(self, check: HttpCheck, done: "asyncio.Future[None]") -> None:
        self._check = check
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._body = bytearray()
        self.done = done

    @property
    def body(self) -> bytes:
        """What was read of the answer's body."""
        return bytes(self._body[:MAX_BODY])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        try:
            request = h11.Request(
                method="GET", target=self._check.path.encode(), headers=_headers(self._check)
            )
            data = self._http.send(request) or b""
            data += self._http.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            self._end(Failed("BadRequest", f"cannot make a request of it: {error}"))
            return
        cast(asyncio.Transport, transport).write(data)

    def data_received(self, data: bytes) -> None:
        if not self.done.done():
            self._feed(data)

    def eof_received(self) -> None:
        if not self.done.done():
            self._feed(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._end(exc or ConnectionResetError())

    def _feed(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            while not self.done.done():
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    return
                self._see(event)
        except h11.RemoteProtocolError as error:
            if not data:
                self._end(ConnectionResetError())
            elif error.error_status_hint == 431:
                self._end(Failed("TooLarge", f"the headers are longer than {MAX_HEAD} bytes"))
            else:
                self._end(Failed("BadAnswer", "the answer is no HTTP"))

    def _see(self, event: object) -> None:
        if isinstance(event, h11.Response):
            self._answered(event.status_code)
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) >= MAX_BODY:
                self._end(None)
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            self._end(None)

    def _answered(self, status: int) -> None:
        if not any(low <= status <= high for low, high in self._check.status):
            self._end(Failed("BadStatus", f"the answer has the status {status}"))
        elif not self._check.body:
            self._end(None)

    def _end(self, failure: Exception | None) -> None:
        if self.done.done():
            return
        if failure:
            self.done.set_exception(failure)
        else:
            self.done.set_result(None)


def _headers(check: HttpCheck) -> list[tuple[str, str]]:
    own = {name.lower() for name, _ in check.headers}
    usual = [
        ("Host", f"localhost:{check.port}"),
        ("User-Agent", "workloadd-probe"),
        ("Accept", "*/*"),
        ("Connection", "close"),
    ]
    return [*(pair for pair in usual if pair[0].lower() not in own), *check.headers]


def _host(check: HttpCheck) -> str:
    """The name to ask for in TLS: that of the Host header, if it has one."""
    host = next((value for name, value in check.headers if name.lower() == "host"), "")
    return host.rpartition(":")[0] or host


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """As Kubernetes has it: a probe asks whether somebody answers, not who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
