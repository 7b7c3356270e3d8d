"""What takes long on Podman's API socket: events, pulls, logs, commands that probe.

These go through aiohttp and not through the threads of `podman_http`, because a task that waits
here can be cancelled and a blocked thread cannot. A cancelled pull closes its connection, upon
which Podman stops pulling.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    UnixConnector,
)

from workloadd.core.errors import WorkloaddError
from workloadd.host.podman_errors import rejected, unavailable
from workloadd.host.podman_http import API_VERSION

# A line is an event with all labels of its container, or a progress message.
_MAX_LINE = 1 << 20
_CONNECT_TIMEOUT = 30.0


class Streams:
    """Streamed answers of the Podman service on a Unix socket, any number at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: ClientSession | None = None

    async def close(self) -> None:
        """Break the streams that are open."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        read_timeout: float | None = None,
        refused: Callable[[str, int, bytes], WorkloaddError] = rejected,
    ) -> AsyncIterator[ClientResponse]:
        """Send a request to `/libpod/PATH` and give its answer to be read.

        `read_timeout` bounds each wait for data in seconds. Whatever breaks, here or while the
        body is read, is raised as `Transient`; a status of 400 or above as what `refused` makes
        of `doing`, the status and the body.
        """
        timeout = ClientTimeout(sock_connect=_CONNECT_TIMEOUT, sock_read=read_timeout)
        try:
            async with self._open_session().request(
                method,
                f"http://podman/v{API_VERSION}/libpod/{path}",
                params=params,
                headers=headers,
                json=body,
                timeout=timeout,
                read_bufsize=_MAX_LINE,
            ) as response:
                if response.status >= 400:
                    raise refused(doing, response.status, await response.read())
                yield response
        except TimeoutError as error:
            raise unavailable(doing, "no answer in time") from error
        except ClientConnectionError as error:
            cause = getattr(error, "os_error", None)
            words = (
                cause.strerror if cause is not None and cause.strerror else "the connection broke"
            )
            raise unavailable(doing, words) from error
        except (ClientError, OSError, ValueError) as error:
            raise unavailable(doing, error) from error

    def _open_session(self) -> ClientSession:
        # Made at the first use: aiohttp wants the running loop.
        if self._session is None:
            connector = UnixConnector(str(self._path), limit=0, force_close=True)
            self._session = ClientSession(connector=connector, auto_decompress=False)
        return self._session


async def json_lines(response: ClientResponse) -> AsyncGenerator[dict[str, Any], None]:
    """The objects of a stream of JSON lines; ValueError for a line that is none."""
    async for line in response.content:
        if line.strip():
            parsed = json.loads(line)
            if isinstance(parsed, dict):
                yield parsed
