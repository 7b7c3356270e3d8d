"""The listeners: the Unix socket, which has to be, and one for a group and TCP, which may."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from workloadd.api.connections import Gate
from workloadd.api.inherited import Inherited, keep_tcp
from workloadd.api.protocol import MAX_HEADERS, MAX_LINE, HttpProtocol
from workloadd.api.sockets import BACKLOG, Listener, bind_shared, bind_unix
from workloadd.core.errors import Permanent, Problem

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
"""At one time, for each listener."""
DEADLINE = 10.0
"""Seconds that one connection may take from beginning to end."""
RETRY = 10.0
"""Seconds before a place that could not be had is tried again."""

_TCP, _GROUP, _UNUSED = "tcp", "group", "unused"
_TURNS, _GRACE = 3, 1.0
_AT_ONCE = 16
_SHUTDOWN_SECONDS = 2.0

# aiohttp logs a traceback for every malformed request, which anybody on this machine may send;
# what goes wrong in a handler of ours never gets there.
_http_log = logging.getLogger(f"{__name__}.http")
_http_log.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Shared:
    """A Unix socket that a group may open as well."""

    path: Path
    group: str


class Server:
    """Serves one application.

    `problems` says where it does not listen and why, `address` where TCP is served. `listening` is
    set once the Unix socket is there and the others were tried, `reachable` once TCP is served as
    well, `shared_there` once the group's socket is.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        socket: Path,
        listen: tuple[str, int] | None,
        shared: Shared | None = None,
        inherited: Inherited | None = None,
        connections: int = MAX_CONNECTIONS,
        deadline: float = DEADLINE,
        retry: float = RETRY,
    ) -> None:
        self._app = app
        self._socket = socket
        self._listen = listen
        self._shared = shared
        self._inherited = inherited or Inherited()
        self._gates: list[Gate] = []
        self._connections = connections
        self._deadline = deadline
        self._retry = retry
        self._problems: dict[str, Problem] = {}
        self._untried = {_TCP, *([_GROUP] if shared else [])}
        self.address: tuple[str, int] | None = None
        self.listening = asyncio.Event()
        self.reachable = asyncio.Event()
        self.shared_there = asyncio.Event()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Where it would listen, but cannot just now."""
        return tuple(self._problems.values())

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            Permanent: the Unix socket cannot be had.
        """
        runner = web.AppRunner(
            self._app, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(self._answer_rest)
            listener = await asyncio.to_thread(bind_unix, self._socket, self._inherited)
            await self._serve(listener, runner, stack)
            async with asyncio.TaskGroup() as tasks:
                if shared := self._shared:
                    tasks.create_task(self._serve_group(shared, runner, stack), name="group")
                await self._serve_tcp(runner, stack)
                await asyncio.Event().wait()

    async def _serve(
        self, listener: Listener, runner: web.AppRunner, stack: AsyncExitStack
    ) -> None:
        stack.push_async_callback(asyncio.to_thread, listener.remove)
        stack.callback((await self._listen_on(listener.sock, runner)).close)

    async def _listen_on(self, sock: socket.socket, runner: web.AppRunner) -> asyncio.Server:
        # create_unix_server would remove the file at its end, which may be systemd's.
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._gate(runner), sock=sock, backlog=_AT_ONCE)
        # For asyncio that is also how many it accepts in one turn; the kernel may have more wait.
        sock.listen(BACKLOG)
        return server

    async def _serve_group(
        self, shared: Shared, runner: web.AppRunner, stack: AsyncExitStack
    ) -> None:
        async def serve() -> None:
            listener = await asyncio.to_thread(
                bind_shared, shared.path, shared.group, self._inherited
            )
            await self._serve(listener, runner, stack)

        await self._until_done(_GROUP, serve)
        log.info("listening on %s for the group %s", shared.path, shared.group)
        self.shared_there.set()

    async def _serve_tcp(self, runner: web.AppRunner, stack: AsyncExitStack) -> None:
        """Listen on TCP, however long it takes until the port is free."""
        if self._listen is None:
            self._tried(_TCP)
            return
        host, port = self._listen

        async def serve() -> None:
            sock = self._inherited.tcp(host, port) or _bound(host, port)
            server = await self._listen_on(sock, runner)
            stack.callback(server.close)
            self.address = server.sockets[0].getsockname()[:2]

        await self._until_done(_TCP, serve)
        log.info("listening on %s and on %s port %d", self._socket, host, port)
        self.reachable.set()

    async def _until_done(self, name: str, serve: Callable[[], Awaitable[None]]) -> None:
        """Try again and again."""
        while True:
            try:
                await serve()
            except Permanent as error:
                if self._problems.get(name) != error.problem:
                    log.warning("%s", error.problem)
                self._problems[name] = error.problem
                self._tried(name)
                await asyncio.sleep(self._retry)
                continue
            self._problems.pop(name, None)
            self._tried(name)
            return

    def _tried(self, name: str) -> None:
        self._untried.discard(name)
        if not self._untried and not self.listening.is_set():
            if unused := self._inherited.close_rest():
                log.warning("%s", unused)
                self._problems[_UNUSED] = unused
            self.listening.set()

    async def _answer_rest(self) -> None:
        """Who was let in before the listeners were closed is still answered, if that is quick."""
        # What was accepted in this turn of the loop is a connection after the next ones.
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                for gate in self._gates:
                    await gate.empty.wait()

    def _gate(self, runner: web.AppRunner) -> Gate:
        server = runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        loop = asyncio.get_running_loop()

        def make() -> HttpProtocol:
            return HttpProtocol(
                server,
                loop=loop,
                access_log=_http_log,
                logger=_http_log,
                keepalive_timeout=self._deadline,
                lingering_time=0,
                max_line_size=MAX_LINE,
                max_field_size=MAX_LINE,
                max_headers=MAX_HEADERS,
            )

        gate = Gate(make, limit=self._connections, deadline=self._deadline)
        self._gates.append(gate)
        return gate


def _bound(host: str, port: int) -> socket.socket:
    """A TCP listener, which is kept over restarts."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise _not_free(host, port, error) from None
    keep_tcp(sock)
    return sock


def _not_free(host: str, port: int, error: OSError) -> Permanent:
    # What socket.create_server makes of it names the address once more.
    why = os.strerror(error.errno) if error.errno else str(error)
    return Permanent(
        "ListenFailed",
        f"cannot listen on {host} port {port}: {why}",
        f"see who does: ss -ltnp 'sport = :{port}'; or set [api] listen in workloadd.toml",
    )
