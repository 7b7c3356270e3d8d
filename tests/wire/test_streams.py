"""Answers without an end, on real sockets: what bounds them, and how they end."""

import asyncio
import logging
import socket
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from workloadd.api.guard import answer_errors, set_headers
from workloadd.api.server import Server
from workloadd.api.streams import Streams

DEADLINE = 0.2
# How an answer in chunks ends, if it is whole.
END = b"0\r\n\r\n"


class Listening:
    """A server with one stream at `/`, which says what it is told to, and `/once`."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "run/w.sock"
        self.streams = Streams("things", limit=2, patience=DEADLINE)
        self.said: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.begun = 0
        self.ended = asyncio.Event()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        self.begun += 1
        try:
            while (chunk := await self.said.get()) is not None:
                yield chunk
                if chunk == b"fail":
                    raise ValueError("the insides")
        finally:
            self.ended.set()

    async def follow(self, request: web.Request) -> web.StreamResponse:
        return await self.streams.answer(request, "text/plain", self.chunks(), {"X-Own": "yes"})

    async def once(self, _: web.Request) -> web.Response:
        return web.Response(text="once")

    @asynccontextmanager
    async def serving(self, connections: int = 1) -> AsyncIterator[None]:
        app = web.Application(middlewares=[answer_errors])
        app.on_response_prepare.append(set_headers)
        app.on_shutdown.append(self.streams.close)
        app.add_routes([web.get("/", self.follow), web.get("/once", self.once)])
        server = Server(
            app, socket=self.socket, listen=None, connections=connections, deadline=DEADLINE
        )
        task = asyncio.create_task(server.run())
        await server.listening.wait()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def ask(
        self, path: str = "/", method: str = "GET"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return reader, writer

    async def begin(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A listener that has the head of its answer."""
        reader, writer = await self.ask()
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"X-Own: yes" in head
        return reader, writer

    async def is_let_in(self) -> bool:
        reader, writer = await self.ask()
        line = await reader.readline()
        writer.close()
        return b"200" in line

    async def whole(self, path: str = "/", method: str = "GET") -> bytes:
        reader, writer = await self.ask(path, method)
        data = await reader.read()
        writer.close()
        return data


@pytest.fixture
def served() -> Iterator[Listening]:
    with tempfile.TemporaryDirectory() as directory:
        yield Listening(Path(directory))


async def test_it_outlives_the_deadline_and_takes_no_place_at_the_gate(served: Listening) -> None:
    async with served.serving():
        reader, writer = await served.begin()
        # This one says nothing, and is cut off by the deadline: that much time has passed.
        silent, other = await asyncio.open_unix_connection(str(served.socket))
        assert (await silent.read()).startswith(b"HTTP/1.1 408")
        other.close()
        assert b"once" in await served.whole("/once")
        for chunk in (b"one", b"two"):
            served.said.put_nowait(chunk)
            assert await reader.readuntil(chunk)
        served.said.put_nowait(None)
        assert (await reader.read()).endswith(END)
        writer.close()


async def test_there_are_only_so_many(served: Listening) -> None:
    async with served.serving():
        first, second = await served.begin(), await served.begin()
        refused = await served.whole()
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 10" in refused
        assert b"cannot open more than 2 things" in refused
        first[1].close()
        await served.ended.wait()
        third = await served.begin()
        assert served.begun == 3
        for _, writer in (second, third):
            writer.close()


async def test_a_client_that_does_not_read_is_cut_off(served: Listening) -> None:
    async with served.serving():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(served.socket))
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in range(100):
                served.said.put_nowait(b"x" * 65536)
            await served.ended.wait()
        assert served.said.qsize() > 50


async def test_one_that_does_not_read_the_end_either(
    served: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    """The buffers hold what is left: its place is given back nevertheless."""
    caplog.set_level(logging.INFO)
    served.streams = Streams("things", limit=1, patience=DEADLINE)
    async with served.serving():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(served.socket))
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in range(4):
                served.said.put_nowait(b"x" * 60000)
            served.said.put_nowait(None)
            await served.ended.wait()
            async with asyncio.timeout(10):
                while not await served.is_let_in():
                    pass
    assert not caplog.records


async def test_it_ends_whole_when_the_daemon_stops(served: Listening) -> None:
    async with served.serving():
        reader, writer = await served.begin()
        served.said.put_nowait(b"one")
        await reader.readuntil(b"one")
    assert (await reader.read()).endswith(END)
    assert served.ended.is_set()
    writer.close()


async def test_what_a_listener_says_is_dropped(served: Listening) -> None:
    async with served.serving():
        reader, writer = await served.begin()
        writer.write(b"GET /once HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
        await writer.drain()
        served.said.put_nowait(b"one")
        served.said.put_nowait(None)
        assert b"once" not in await reader.read()
        writer.close()


async def test_a_failure_cuts_it_off(served: Listening, caplog: pytest.LogCaptureFixture) -> None:
    async with served.serving():
        reader, writer = await served.begin()
        served.said.put_nowait(b"fail")
        assert not (await reader.read()).endswith(END)
        writer.close()
    assert 'cannot go on with "/"' in caplog.text
    assert "the insides" in caplog.text


async def test_a_head_has_no_end_to_wait_for(served: Listening) -> None:
    async with served.serving():
        got = await served.whole(method="HEAD")
    assert got.startswith(b"HTTP/1.1 200")
    assert got.endswith(b"\r\n\r\n")
    assert served.begun == 0
