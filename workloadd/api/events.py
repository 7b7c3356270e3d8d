"""`/v1/events`: changes of the status as they come about (server-sent events)."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

from aiohttp import web

from workloadd.api.problems import Refusal
from workloadd.api.streams import Streams
from workloadd.events import Event, Events
from workloadd.spec.text import quote

FOLLOWERS = 128
"""At one time; a browser has one for each of its windows."""
# Seconds without news after which the stream says that it is still there: less than proxies wait.
HEARTBEAT = 15.0
# Milliseconds after which a browser that was cut off comes back.
_RETRY = b"retry: 2000\n\n"
_MAX_ID = 64
# Bytes that are sent at once.
_BIT = 16 * 1024


class EventsApi:
    """The handler, and the places that its streams have."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.streams = Streams("streams of events", limit=FOLLOWERS)

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Send what is known, or what was missed, and then every change."""
        last = request.headers.get("Last-Event-ID", "")
        if len(last) > _MAX_ID:
            raise Refusal(400, "BadEventId", f"cannot go on from {quote(last)}", "leave it out")
        only = request.query.get("workload", "")
        chunks = self._chunks(last, only)
        return await self.streams.answer(request, "text/event-stream", chunks)

    async def _chunks(self, last: str, only: str) -> AsyncGenerator[bytes, None]:
        subscription, found = self._events.subscribe(last)
        try:
            yield _RETRY
            for text in _sent(found, only):
                yield text
            while not subscription.lost:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        found = await subscription.next()
                except TimeoutError:
                    yield b": nothing new\n\n"
                    continue
                for text in _sent(found, only):
                    yield text
        finally:
            self._events.leave(subscription)


def _sent(events: list[Event], only: str) -> Iterator[bytes]:
    """What is sent of these, bit by bit: a client that is slow has little of it in memory.

    `only` is the workload to which a client has kept itself.
    """
    texts, size = [], 0
    for event in events:
        if not only or event.workload == only or event.kind == "reset":
            texts.append(event.text)
            size += len(event.text)
        if size >= _BIT:
            yield b"".join(texts)
            texts, size = [], 0
    if texts:
        yield b"".join(texts)
