"""Answers that go on for as long as the client listens, in places of their own.

They leave the gate of `connections.py`: listeners neither take the places of those who ask once,
nor are they cut off by the deadline. What bounds them is their own number, and that each has to
read what it is sent.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from aiohttp import web

from workloadd.api.connections import Connection
from workloadd.api.problems import Refusal
from workloadd.spec.text import quote

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds within which a client has to take what it is sent once its buffers are full."""
_AGAIN = "10"


class Streams:
    """At most `limit` answers at a time that have no end of their own.

    `what` names them in the refusal, in the plural. `close`, given to the application's
    `on_shutdown`, ends all of them in order, so that clients see a complete answer.
    """

    def __init__(self, what: str, *, limit: int, patience: float = PATIENCE) -> None:
        self._what = what
        self._limit = self._free = limit
        self._patience = patience
        self._scopes: set[asyncio.Timeout] = set()
        self._closed = False

    async def answer(
        self,
        request: web.Request,
        content_type: str,
        chunks: AsyncGenerator[bytes, None],
        headers: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:
        """Send what `chunks` yields until it ends, the client leaves, or the daemon stops.

        `chunks` is closed in any case. What can be refused has to be before: once an answer has
        begun, the client is told of an error only by its being cut off.

        Raises:
            Refusal: too many listen already.
        """
        async with aclosing(chunks):
            response = web.StreamResponse(headers=headers)
            response.content_type = content_type
            response.charset = "utf-8"
            transport = request.transport
            if transport is None or request.method == "HEAD":
                return response
            connection = self._detach(transport)
            try:
                await self._send(request, response, chunks)
            except TimeoutError:
                log.info("a client does not read what it asked for: %s", quote(request.path))
                transport.abort()
            except ConnectionError:
                pass  # it left
            except Exception as error:
                log.error("cannot go on with %s", quote(request.path), exc_info=error)
                transport.abort()
            finally:
                connection.end_within(self._patience, transport)
            return response

    async def close(self, _: web.Application) -> None:
        """End all streams, and refuse new ones."""
        self._closed = True
        for scope in self._scopes:
            scope.reschedule(0)

    def _detach(self, transport: asyncio.Transport) -> Connection:
        headers = {"Retry-After": _AGAIN}
        if self._closed:
            raise Refusal(503, "Stopping", "cannot begin: workloadd is stopping", headers=headers)
        if self._free == 0:
            detail = f"cannot open more than {self._limit} {self._what} at a time"
            hint = "end one of them, or ask again in a moment"
            raise Refusal(503, "TooManyStreams", detail, hint, headers=headers)
        protocol = transport.get_protocol()
        if not isinstance(protocol, Connection):
            raise RuntimeError("this connection did not come by the gate")
        self._free -= 1
        protocol.detach(self._leave)
        return protocol

    def _leave(self) -> None:
        self._free += 1

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        chunks: AsyncGenerator[bytes, None],
    ) -> None:
        scope = asyncio.timeout(None)
        self._scopes.add(scope)
        try:
            async with scope:
                await response.prepare(request)
                async for chunk in chunks:
                    async with asyncio.timeout(self._patience):
                        await response.write(chunk)
        except TimeoutError:
            if not scope.expired():
                raise
        finally:
            self._scopes.discard(scope)
