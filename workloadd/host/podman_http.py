"""Requests and answers over Podman's API socket, through podman-py's low-level client.

The client blocks, so it runs in a few threads of our own. A thread cannot be cancelled: what may
take long (events, pulls, logs) goes through `podman_stream` instead.
"""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from podman.api import APIClient
from podman.api.uds import UDSAdapter, UDSConnection, UDSConnectionPool, UDSSocket
from podman.errors import APIError
from requests.exceptions import Timeout

from workloadd.core.errors import Transient
from workloadd.host.podman_errors import rejected, unavailable

T = TypeVar("T")

# The lowest API spoken to: a later service answers a request of this version as that one did.
API_VERSION = "5.0.0"
WORKERS = 4

# How a kept-alive connection ends that the service closed while it was idle.
_BROKEN = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to `/libpod/PATH`.

    `doing` completes "cannot …" in the error of a failure. Statuses of 400 and above are failures
    unless `allowed`. A body of bytes is sent as it is, any other as JSON. `timeout` is in seconds,
    for the connection and for each wait for data.
    """

    method: str
    path: str
    doing: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: object = field(default=None, repr=False)
    allowed: tuple[int, ...] = ()
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer with its whole body."""

    status: int
    body: bytes


class Requests:
    """Request and answer with the Podman service on a Unix socket, at most `WORKERS` at once.

    A session of `requests` is not to be shared between threads: each thread has its own client,
    with a connection that stays open. The socket-activated service exits after 5 s of idleness;
    a request that meets the closing connection got no answer and is sent once more on a fresh
    one. Where it had been carried out all the same, the second may be refused (a create says
    NameConflict): that is `Transient` then, since the next look at the host tells.
    """

    def __init__(self, path: Path) -> None:
        self._url = f"http+unix://{quote(str(path), safe='')}"
        self._local = threading.local()
        self._lock = threading.Lock()
        self._clients: list[APIClient] = []
        self._sockets: set[socket.socket] = set()
        self._closed = False
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="podman")

    async def send(self, request: Request) -> Answer:
        """Send a request; raise `Transient` or `Permanent` where it failed."""
        return await self._in_thread(partial(self._send, request))

    async def fetch(self, request: Request, parse: Callable[[bytes], T]) -> T:
        """Send a request and return what `parse` makes of the body, in the same thread.

        What `parse` cannot read (ValueError, KeyError, TypeError …) is a failed request.
        """
        return await self._in_thread(partial(self._fetch, request, parse))

    async def find(self, request: Request, parse: Callable[[bytes], T]) -> T | None:
        """The same for what may not be there: None where Podman knows of no such thing."""
        return await self._in_thread(partial(self._find, replace(request, allowed=(404,)), parse))

    async def close(self) -> None:
        """Break the requests under way and end the threads."""
        with self._lock:
            self._closed = True
            sockets, self._sockets = self._sockets, set()
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        for client in self._clients:
            client.close()

    async def _in_thread(self, job: Callable[[], T]) -> T:
        if self._closed:
            raise unavailable("ask Podman", "the connection is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, job)

    def _fetch(self, request: Request, parse: Callable[[bytes], T]) -> T:
        return self._parsed(request, self._send(request), parse)

    def _find(self, request: Request, parse: Callable[[bytes], T]) -> T | None:
        answer = self._send(request)
        return None if answer.status == 404 else self._parsed(request, answer, parse)

    def _parsed(self, request: Request, answer: Answer, parse: Callable[[bytes], T]) -> T:
        try:
            return parse(answer.body)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise unavailable(request.doing, f"unexpected answer from Podman: {error!r}") from error

    def _send(self, request: Request) -> Answer:
        resent = False
        try:
            answer = self._send_once(request)
        except APIError as error:
            resent = True
            if self._closed or not _any_cause(error, _BROKEN):
                raise unavailable(request.doing, _words(error, request)) from error
            try:
                answer = self._send_once(request)
            except APIError as again:
                raise unavailable(request.doing, _words(again, request)) from again
        if answer.status >= 400 and answer.status not in request.allowed:
            refusal = rejected(request.doing, answer.status, answer.body)
            if resent:
                problem = refusal.problem
                refusal = Transient(problem.reason, problem.message, problem.hint)
            raise refusal
        return answer

    def _send_once(self, request: Request) -> Answer:
        raw = isinstance(request.body, bytes)
        data = request.body if raw or request.body is None else json.dumps(request.body).encode()
        send = getattr(self._client(), request.method.lower())
        options: dict[str, Any] = {"params": request.params, "timeout": request.timeout}
        if data is not None:
            kind = "application/octet-stream" if raw else "application/json"
            options |= {"data": data, "headers": {"Content-Type": kind}}
        response = send(request.path, **options)
        return Answer(response.status_code, response.content)

    def _client(self) -> APIClient:
        client = getattr(self._local, "client", None)
        if client is None:
            client = APIClient(base_url=self._url, version=API_VERSION)
            client.mount("http://", _Adapter(client.base_url.geturl(), self._opened))
            self._local.client = client
            with self._lock:
                self._clients.append(client)
        return client

    def _opened(self, sock: socket.socket) -> None:
        """Remember a connection, so that `close` can break what a thread waits for."""
        with self._lock:
            self._sockets = {known for known in self._sockets if known.fileno() >= 0}
            self._sockets.add(sock)
            if self._closed:
                sock.shutdown(socket.SHUT_RDWR)


class _Adapter(UDSAdapter):
    """podman-py's transport; it tells of each connection, and closes one that failed."""

    def __init__(self, url: str, opened: Callable[[socket.socket], None]) -> None:
        super().__init__(url)

        class Connection(UDSConnection):
            def connect(self) -> None:
                sock = UDSSocket(self.uds)
                sock.settimeout(self.timeout)
                try:
                    sock.connect()  # type: ignore[no-untyped-call]
                except BaseException:
                    sock.close()
                    raise
                self.sock = sock
                opened(sock)

        class Pool(UDSConnectionPool):
            ConnectionCls = Connection

        if self.poolmanager is not None:
            self.poolmanager.pool_classes_by_scheme = {"http": Pool}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything it came from; urllib3 also hides errors in arguments."""
    seen: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        current = todo.pop()
        if not isinstance(current, BaseException) or current in seen:
            continue
        seen.append(current)
        yield current
        todo += [*current.args, current.__context__, current.__cause__]


def _any_cause(
    error: BaseException, kinds: type[BaseException] | tuple[type[BaseException], ...]
) -> bool:
    return any(isinstance(cause, kinds) for cause in _causes(error))


def _words(error: BaseException, request: Request) -> str:
    if _any_cause(error, Timeout):
        return f"no answer within {request.timeout:g} s"
    system = [cause for cause in _causes(error) if type(cause).__module__ == "builtins"]
    words = next((c.strerror for c in system if isinstance(c, OSError) and c.strerror), None)
    if words is None and _any_cause(error, _BROKEN):
        words = "the connection broke"
    return words or str(error)
