"""What a container may answer an HTTP probe, over real sockets: TLS, floods, and what is sought."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from workloadd.core.probe_targets import Target
from workloadd.core.probes import HttpCheck, Probe
from workloadd.host.probes import Failed, Probes, Reach

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

# Made for another name, by itself, for one day that is over.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglIompjBMSYAV+yfI
KrW4Br3Izq1xxQcmy+zwXW3aknihRANCAAQAfHDopei58cGLxB17mbwajojDR6DO
BX2YYytLRaNXU5bOALASMg2GeE+tjCs59Lz62IlllE5vs5NOYHmnpcVy
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBijCCATGgAwIBAgIUKCd2DhCpnW65ASimGAi96M4fl8kwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQc29tZWJvZHkuZXhhbXBsZTAeFw0yNjExMjQxODA4NDVaFw0y
NjExMjUxODA4NDVaMBsxGTAXBgNVBAMMEHNvbWVib2R5LmV4YW1wbGUwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAQAfHDopei58cGLxB17mbwajojDR6DOBX2YYytL
RaNXU5bOALASMg2GeE+tjCs59Lz62IlllE5vs5NOYHmnpcVyo1MwUTAdBgNVHQ4E
FgQULknwCkt4h7Kq+4f+rNvoSRwiAQ4wHwYDVR0jBBgwFoAULknwCkt4h7Kq+4f+
rNvoSRwiAQ4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBbVN6U
Zv9Idv0QQjwU1rT59CvihV6LEq2VgEuFZlphFQIgRApcm82c2O2WVo5nLkzbVaEH
5UZMrmjTdhU3UpUIPOg=
-----END CERTIFICATE-----
"""


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    path = tmp_path / "server.pem"
    path.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class Server:
    """Gives every request the same answer; keeps what was asked, the name asked for in TLS too."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[str] = []
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        try:
            await self._answer(writer)
            await writer.drain()
        except ConnectionError:
            pass  # the probe has seen enough
        finally:
            writer.close()


def saying(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


def endless(head: bytes, piece: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()

    return answer


def page(body: bytes, status: str = "200 OK", *headers: str) -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return saying("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


OK = page(b"hello")
HEAD = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def listening(
    answer: Answer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Server, tuple[str, int]]]:
    server = Server(answer)
    made = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    async with made:
        yield server, made.sockets[0].getsockname()


async def probe(place: tuple[str, int], check: HttpCheck, timeout: float = 20.0) -> str:
    """How a try goes: "" where it went well, else the reason why not."""
    probe = Probe("readiness", http=check, timeout=timeout)
    target = Target("web", "main", "c", 2, 1.0, (probe,), {check.port: place})
    try:
        await Probes(Reach(None, Path("/nowhere")), None).try_once(target, probe)  # type: ignore[arg-type]
    except Failed as failed:
        return failed.problem.reason
    return ""


async def test_a_certificate_is_not_checked(tls: ssl.SSLContext) -> None:
    async with listening(OK, tls) as (server, place):
        assert await probe(place, HttpCheck(8443, scheme="https", body="^hello$")) == ""
        assert await probe(place, HttpCheck(8443, scheme="https", body="bye")) == "BadBody"
        assert await probe(place, HttpCheck(8443)) == "ConnectionClosed"
    assert server.asked[0].startswith("GET / HTTP/1.1\r\nHost: localhost:8443\r\n")


async def test_tls_asks_for_the_host_of_the_header(tls: ssl.SSLContext) -> None:
    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)
    headers = (("Host", "shop.example:443"),)
    async with listening(OK, tls) as (_, place):
        assert await probe(place, HttpCheck(8443, scheme="https", headers=headers)) == ""
        assert await probe(place, HttpCheck(8443, scheme="https")) == ""
    assert names == ["shop.example", None]


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    moved = page(b"", "302 Found", "Location: http://127.0.0.1:1/elsewhere")
    async with listening(moved) as (server, place):
        assert await probe(place, HttpCheck(80)) == ""
        assert await probe(place, HttpCheck(80, status=((200, 299),))) == "BadStatus"
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("answer", "body", "reason"),
    [
        pytest.param(endless(HEAD, b"X-More: x\r\n"), "", "TooLarge", id="headers"),
        pytest.param(endless(HEAD + b"X-More: ", b"x" * 999), "", "TooLarge", id="one-header"),
        pytest.param(endless(b"HTTP/1.1 2", b"0" * 999), "", "TooLarge", id="status-line"),
        pytest.param(endless(HEAD + b"\r\n", b"a" * 999), "", "", id="body-not-asked-for"),
        pytest.param(endless(HEAD + b"\r\nok", b"a" * 999), "^ok", "", id="body"),
        pytest.param(endless(HEAD + b"\r\n", b"a" * 999), "b", "BadBody", id="body-without-it"),
        pytest.param(page(b"a" * 65535 + b"b"), "b", "", id="its-last-byte"),
        pytest.param(page(b"a" * 65536 + b"b"), "b", "BadBody", id="one-too-far"),
        pytest.param(page(b"\xff\xfeok"), "ok$", "", id="no-text"),
    ],
)
async def test_no_more_is_read_than_is_looked_at(answer: Answer, body: str, reason: str) -> None:
    async with listening(answer) as (_, place):
        assert await probe(place, HttpCheck(80, body=body)) == reason


@pytest.mark.parametrize(
    ("pattern", "body"),
    [
        pytest.param("(a+)+$", b"a" * 65535 + b"!", id="nested"),
        pytest.param("(a|aa)+$", b"a" * 65535 + b"!", id="either"),
        pytest.param("(.*a){12}$", b"a" * 65535 + b"!", id="wild"),
    ],
)
async def test_a_pattern_that_others_would_search_for_ever(pattern: str, body: bytes) -> None:
    async with listening(page(body)) as (_, place):
        assert await probe(place, HttpCheck(80, body=pattern)) == "BadBody"


async def test_the_longest_search_holds_nobody_up() -> None:
    """It is elsewhere: the loop turns many times meanwhile."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    async with listening(page(b"ab" * 32768)) as (_, place):
        turning = asyncio.create_task(turn())
        assert await probe(place, HttpCheck(80, body="[ab]*a[ab]{900}c")) == "BadBody"
        turning.cancel()
    assert turns > 20


async def test_who_never_answers() -> None:
    async def nothing(writer: asyncio.StreamWriter) -> None:
        await silence.wait()

    silence = asyncio.Event()
    async with listening(nothing) as (_, place):
        assert await probe(place, HttpCheck(80), timeout=0.05) == "Timeout"
        silence.set()
