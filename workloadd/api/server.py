"""The listeners: the Unix socket, which has to be, and TCP on loopback, which may."""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from workloadd.api.connections import Gate
from workloadd.api.sockets import bind_unix
from workloadd.core.errors import Problem

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
"""At one time, for each listener."""
DEADLINE = 10.0
"""Seconds that one connection may take from beginning to end."""
RETRY = 10.0
"""Seconds before a TCP port that was taken is tried again."""

_MAX_LINE = 4096
_MAX_HEADERS = 64
_SHUTDOWN_SECONDS = 2.0

# aiohttp logs a traceback for every malformed request, which anybody on this machine may send;
# what goes wrong in a handler of ours never gets there.
_http_log = logging.getLogger(f"{__name__}.http")
_http_log.setLevel(logging.CRITICAL)


class Server:
    """Serves one application.

    `problem` says why TCP is not served, `address` where it is. `listening` is set once the Unix
    socket is there and TCP was tried, `reachable` once TCP is served as well.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        socket: Path,
        listen: tuple[str, int] | None,
        connections: int = MAX_CONNECTIONS,
        deadline: float = DEADLINE,
        retry: float = RETRY,
    ) -> None:
        self._app = app
        self._socket = socket
        self._listen = listen
        self._connections = connections
        self._deadline = deadline
        self._retry = retry
        self.problem: Problem | None = None
        self.address: tuple[str, int] | None = None
        self.listening = asyncio.Event()
        self.reachable = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            Permanent: the Unix socket cannot be had.
        """
        runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=_http_log,
            handler_cancellation=True,
            keepalive_timeout=self._deadline,
            lingering_time=0,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
            max_headers=_MAX_HEADERS,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        async with AsyncExitStack() as stack:
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await self._serve_unix(runner, stack)
            await self._serve_tcp(runner, stack)
            await asyncio.Event().wait()

    async def _serve_unix(self, runner: web.AppRunner, stack: AsyncExitStack) -> None:
        listener = await asyncio.to_thread(bind_unix, self._socket)
        stack.push_async_callback(asyncio.to_thread, listener.remove)
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(self._gate(runner), sock=listener.sock)
        stack.callback(server.close)

    async def _serve_tcp(self, runner: web.AppRunner, stack: AsyncExitStack) -> None:
        """Listen on TCP, however long it takes until the port is free."""
        if self._listen is None:
            self.listening.set()
            return
        host, port = self._listen
        loop = asyncio.get_running_loop()
        while True:
            try:
                server = await loop.create_server(self._gate(runner), host, port)
            except OSError as error:
                self._report(host, port, error)
                self.listening.set()
                await asyncio.sleep(self._retry)
                continue
            stack.callback(server.close)
            self.problem = None
            self.address = server.sockets[0].getsockname()[:2]
            log.info("listening on %s and on %s port %d", self._socket, *self.address)
            self.listening.set()
            self.reachable.set()
            return

    def _report(self, host: str, port: int, error: OSError) -> None:
        if self.problem is None:
            reason = error.strerror or str(error)
            self.problem = Problem(
                "ListenFailed",
                f"cannot listen on {host} port {port}: {reason}",
                f"see who does: ss -ltnp 'sport = :{port}'; or set [api] listen in workloadd.toml",
            )
            log.warning("%s", self.problem)

    def _gate(self, runner: web.AppRunner) -> Gate:
        server = runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        return Gate(server, limit=self._connections, deadline=self._deadline)
