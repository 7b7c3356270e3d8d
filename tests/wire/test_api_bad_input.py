"""What is no request, or too much of it: refused in words of ours, and nothing is left of it."""

import asyncio
import json
import os
import resource
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.statuses import GOOD
from tests.wire.test_api import CUT, Answer, Api, answer, made
from workloadd.api.protocol import MAX_HEADERS, MAX_LINE
from workloadd.api.server import MAX_CONNECTIONS

HOST = b"Host: localhost\r\n"
MANY = b"".join(b"X-%d: 1\r\n" % number for number in range(MAX_HEADERS + 10))
NOT_HTTP = {
    "nothing known": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00secret\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method that is none": b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a NUL in the path": b"GET /secret\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the path": "GET /secretü HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "a target that is no URL": b"GET http://[::1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a port that is none": b"GET http://localhost:99999999/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "no Host": b"GET /secret HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a header that is none": b"GET / HTTP/1.1\r\nAuthorization secret\r\n\r\n",
    "a control character": b"GET / HTTP/1.1\r\nX\x01: secret\r\n\r\n",
    "folded headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n secret\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "a negative length": b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk that is none": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
}
TOO_LARGE = {
    "a path": b"GET /" + b"a" * 2 * MAX_LINE + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a query": b"GET /?" + b"a" * 2 * MAX_LINE + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 2 * MAX_LINE + b"\r\n\r\n",
    "a name": b"GET / HTTP/1.1\r\n" + HOST + b"X" * 2 * MAX_LINE + b": a\r\n\r\n",
    "headers": b"GET / HTTP/1.1\r\n" + HOST + MANY + b"\r\n",
}


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    with tempfile.TemporaryDirectory() as directory:
        yield Api(Path(directory), await made({"web": GOOD}))


@pytest.fixture(params=["tcp", "unix"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the listeners is asked."""
    found: str = request.param
    return found


async def connect(api: Api, kind: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if kind == "tcp":
        return await api.connect()
    return await asyncio.open_unix_connection(str(api.socket))


async def said(api: Api, kind: str, data: bytes) -> Answer:
    reader, writer = await connect(api, kind)
    writer.write(data)
    return await answer(reader, writer)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nothing tells of."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("what", NOT_HTTP)
async def test_what_is_no_http_is_refused_in_our_words(api: Api, kind: str, what: str) -> None:
    async with api.serving():
        got = await said(api, kind, NOT_HTTP[what])
        assert (await api.get("/healthz", unix=kind == "unix")).status == 200
    assert (got.status, got.json["reason"]) == (400, "NotHttp")
    assert got.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert got.headers["server"] == "workloadd"
    assert "secret" not in got.body and "aiohttp" not in got.body
    assert ("https" in got.json["hint"]) is (what == "TLS")


@pytest.mark.parametrize("what", TOO_LARGE)
async def test_what_is_too_large_is_refused(api: Api, kind: str, what: str) -> None:
    async with api.serving():
        got = await said(api, kind, TOO_LARGE[what])
    assert (got.status, got.json["reason"]) == (431, "RequestTooLarge")
    assert "aaaa" not in got.body


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /../../etc/passwd", 404),
        ("GET /%ff%fe%00", 404),
        ("GET /v1/workloads/..%2f..%2fetc", 404),
        ("GET //evil.example/", 404),
        ("OPTIONS *", 404),
        ("DELETE /v1/workloads/web", 405),
        ("PATCH /", 405),
        ("POST /v1/workloads/web/run", 403),
        ("GET /v1/workloads/web/history?limit=1e9", 400),
    ],
)
async def test_questions_that_make_no_sense(api: Api, line: str, status: int) -> None:
    async with api.serving():
        got = await said(api, "tcp", f"{line} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
    assert got.status == status
    assert "server" not in got.headers
    assert "root:" not in got.body


async def test_an_expectation_that_nobody_has_heard_of(api: Api) -> None:
    async with api.serving():
        got = await api.get("/", "Expect: 200-maybe")
    assert got.status == 417
    assert got.body.startswith("Unknown Expect: ")
    assert "server" not in got.headers


async def test_no_protocol_is_upgraded_to(api: Api) -> None:
    async with api.serving():
        got = await api.get("/healthz", "Connection: upgrade", "Upgrade: websocket")
        also = await api.get("/healthz", "Connection: upgrade, http2-settings", "Upgrade: h2c")
    assert (got.status, also.status) == (200, 200)


async def test_of_requests_in_a_row_the_first_is_answered(api: Api) -> None:
    async with api.serving():
        got = await said(api, "tcp", (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 3)
    assert (got.status, got.body) == (200, "ok\n")


@pytest.mark.parametrize(
    "sent", [b"", b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "]
)
async def test_who_takes_too_long_is_told_and_gives_the_place_back(
    api: Api, kind: str, sent: bytes
) -> None:
    async with api.serving(connections=1, deadline=0.05):
        reader, writer = await connect(api, kind)
        writer.write(sent)
        got = await answer(reader, writer)
        assert (got.status, got.json["reason"]) == (408, "TooSlow")
        assert (await api.get("/healthz", unix=kind == "unix")).status == 200


async def test_one_byte_at_a_time_does_not_buy_more_time(api: Api, kind: str) -> None:
    async with api.serving(connections=1, deadline=0.2):
        reader, writer = await connect(api, kind)
        answered = asyncio.create_task(reader.read())
        sent = 0
        while not answered.done():
            writer.write(b"G" if sent == 0 else b"E" if sent == 1 else b"T")
            sent += 1
            await asyncio.sleep(0.01)
        head = (await answered).decode()
        writer.close()
        assert sent > 3
        assert head.startswith(("HTTP/1.1 408 ", "HTTP/1.0 400 "))
        assert (await api.get("/healthz", unix=kind == "unix")).status == 200


async def test_who_does_not_read_the_answer_gives_the_place_back(api: Api) -> None:
    async with api.serving(connections=1, deadline=0.1) as server:
        gate = server._gates[0]
        # More than fits between the two ends.
        api.board.publish(await made({f"w{number:03}": GOOD for number in range(400)}))
        reader, writer = await connect(api, "unix")
        writer.transport.pause_reading()
        writer.write(b"GET /v1/status HTTP/1.1\r\n" + HOST + b"\r\n")
        await until(lambda: not gate.empty.is_set())
        await gate.empty.wait()
        assert (await api.get("/healthz", unix=True)).status == 200
        writer.transport.resume_reading()
        with pytest.raises(CUT):
            await reader.readexactly(10_000_000)
        writer.close()


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Room for both ends of all connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def held() -> tuple[int, int]:
    """Descriptors and tasks of this process."""
    return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())  # noqa: PTH208


@pytest.mark.usefixtures("descriptors")
async def test_a_thousand_connections_at_once(api: Api, kind: str) -> None:
    """The first have places, some are told that there is none; nothing is left of any of them."""
    other = "unix" if kind == "tcp" else "tcp"
    async with api.serving() as server:
        assert (await api.get("/healthz")).status == 200
        before = held()
        clients = []
        for _ in range(10):
            clients += await asyncio.gather(*(connect(api, kind) for _ in range(100)))
            # The other listener has places of its own.
            assert (await api.get("/healthz", unix=other == "unix")).status == 200
        turned_away = clients[MAX_CONNECTIONS:]
        told = 0
        for reader, writer in turned_away:
            try:
                text = (await reader.read()).decode()
            except ConnectionResetError:
                text = ""
            writer.close()
            if text:
                head, _, body = text.partition("\r\n\r\n")
                assert head.startswith("HTTP/1.1 503 Service Unavailable\r\n")
                assert "Retry-After: 1" in head
                assert json.loads(body)["reason"] == "TooManyConnections"
                told += 1
        assert told >= 32
        for reader, writer in clients[:MAX_CONNECTIONS]:
            writer.write(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
            assert (await answer(reader, writer)).status == 200
        await until(lambda: all(gate.empty.is_set() for gate in server._gates))
        assert (await api.get("/healthz", unix=kind == "unix")).status == 200
        clients.clear()
        turned_away.clear()
        await until(lambda: held() <= before)


@pytest.mark.usefixtures("descriptors")
async def test_clients_that_leave_in_the_middle_leave_nothing(api: Api, kind: str) -> None:
    parts = (b"", b"GET /v1/st", b"GET /v1/status HTTP/1.1\r\n" + HOST + b"\r\n", b"\x16\x03\x01")
    async with api.serving() as server:
        assert (await api.get("/healthz")).status == 200
        before = held()
        for part in parts * 50:
            _, writer = await connect(api, kind)
            writer.write(part)
            writer.transport.abort()
        # Also those that come while all places are taken, and are gone before they are told.
        staying = [await connect(api, kind) for _ in range(MAX_CONNECTIONS)]
        for _ in range(100):
            _, writer = await connect(api, kind)
            writer.transport.abort()
        reader, writer = await connect(api, kind)
        assert (await answer(reader, writer)).json["reason"] == "TooManyConnections"
        for _, writer in staying:
            writer.transport.abort()
        staying.clear()
        await until(lambda: all(gate.empty.is_set() for gate in server._gates))
        assert (await api.get("/healthz", unix=kind == "unix")).status == 200
        await until(lambda: held() <= before)
