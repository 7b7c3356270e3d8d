"""Listening sockets that the service manager passes on, or keeps for the next daemon."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.statuses import GOOD
from tests.wire.test_api import Answer, Api, answer, made
from workloadd.api.inherited import Inherited
from workloadd.api.server import Server
from workloadd.host import passed
from workloadd.host.passed import Passed

ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class PassedApi(Api):
    """The application, with what is passed on to it."""

    passed: tuple[Passed, ...] = ()

    def server(self, listen: tuple[str, int] | None = None, **limits: Any) -> Server:
        return super().server(listen, inherited=Inherited(self.passed), **limits)


@pytest.fixture
async def api() -> AsyncIterator[PassedApi]:
    with tempfile.TemporaryDirectory() as directory:
        yield PassedApi(Path(directory), await made({"web": GOOD}))


def unix(path: Path) -> socket.socket:
    """A listener there, as a socket unit makes it."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen()
    return sock


async def asked(sock: socket.socket) -> asyncio.Task[Answer]:
    """A request to a listener, be there somebody who accepts it or not."""
    name = sock.getsockname()
    if isinstance(name, str):
        reader, writer = await asyncio.open_unix_connection(name)
    else:
        reader, writer = await asyncio.open_connection(*name)
    writer.write(ASK)
    await writer.drain()
    return asyncio.create_task(answer(reader, writer))


async def test_who_asked_before_the_daemon_was_there_is_answered(api: PassedApi) -> None:
    tcp, own = socket.create_server(("127.0.0.1", 0)), unix(api.socket)
    early = [await asked(tcp), await asked(own)]
    api.passed = (Passed("tcp", tcp), Passed("unix", own))
    async with api.serving(tcp.getsockname()) as server:
        assert [(await one).status for one in early] == [200, 200]
        assert server.problems == ()
        assert server.address == tcp.getsockname()
        assert (await (await asked(tcp))).status == 200
    # The file is the socket unit's, which goes on listening.
    assert api.socket.exists()


async def test_a_listener_that_the_settings_do_not_name_is_a_problem(api: PassedApi) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    for listen in (None, ("127.0.0.1", 0)):
        other = socket.create_server(("127.0.0.1", port))
        api.passed = (Passed("tcp", other),)
        async with api.serving(listen) as server:
            (problem,) = server.problems
            assert f"127.0.0.1 port {port}" in problem.message
            assert "disable --now workloadd-tcp.socket" in problem.hint
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)


async def test_an_old_one_that_was_kept_is_let_go(
    api: PassedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(passed, "forget", forgotten.append)
    tcp, own = socket.create_server(("127.0.0.1", 0)), unix(api.socket)
    api.socket.unlink()
    api.passed = (Passed("kept-tcp", tcp), Passed("kept-1", own))
    async with api.serving() as server:
        assert server.problems == ()
        assert (await api.get("/healthz", unix=True)).status == 200
    assert forgotten == ["kept-tcp", "kept-1"]
    assert (tcp.fileno(), own.fileno()) == (-1, -1)


class Manager:
    """A service manager that keeps what it is given, as systemd does with FDSTORE=1."""

    def __init__(self, path: Path) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(path))
        self._sock.setblocking(False)
        self._kept: dict[str, int] = {}

    def passed(self) -> tuple[Passed, ...]:
        """What the next daemon gets."""
        return tuple(
            Passed(name, socket.socket(fileno=os.dup(self._kept[name]))) for name in self.names()
        )

    def names(self) -> list[str]:
        """What is kept."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._sock, 4096, 4)
            except BlockingIOError:
                break
            said = dict(line.split("=", 1) for line in message.decode().splitlines())
            if said.get("FDSTORE") == "1":
                self._kept[said["FDNAME"]] = descriptors[0]
            elif said.get("FDSTOREREMOVE") == "1":
                os.close(self._kept.pop(said["FDNAME"]))
        return list(self._kept)

    def close(self) -> None:
        self._sock.close()
        for descriptor in self._kept.values():
            os.close(descriptor)


@pytest.fixture
def manager(api: PassedApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    path = api.socket.parent.parent / "notify"
    found = Manager(path)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    yield found
    found.close()


async def test_nobody_is_refused_while_a_daemon_follows_another(
    api: PassedApi, manager: Manager, unused_tcp_port: int
) -> None:
    address = ("127.0.0.1", unused_tcp_port)
    async with api.serving(address):
        inode = api.socket.stat().st_ino
    api.passed = manager.passed()
    assert {one.name for one in api.passed} == {"kept-tcp", f"kept-{inode}"}
    reader, writer = await asyncio.open_connection(*address)
    own_reader, own_writer = await asyncio.open_unix_connection(str(api.socket))
    for one in (writer, own_writer):
        one.write(ASK)
    async with api.serving(address) as server:
        assert (await answer(reader, writer)).status == 200
        assert (await answer(own_reader, own_writer)).status == 200
        assert server.problems == ()
    # Kept still: it is given away once.
    api.passed = manager.passed()
    async with api.serving(None):
        assert (await api.get("/healthz", unix=True)).status == 200
    # And moved: what is not wanted any more is no longer kept.
    assert manager.names() == [f"kept-{inode}"]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


async def test_who_was_let_in_before_the_end_is_answered(api: PassedApi) -> None:
    async with api.serving(("127.0.0.1", 0)):
        reader, writer = await api.connect()
        # It comes after the other one, which is in by then.
        assert (await api.get("/healthz")).status == 200
        ended = asyncio.get_running_loop().call_later(0.05, writer.write, ASK)
    assert (await answer(reader, writer)).status == 200
    ended.cancel()


SCRIPT = """
import json, os, socket, sys
from workloadd.host import passed

tcp = socket.create_server(("127.0.0.1", 0))
udp = socket.socket(type=socket.SOCK_DGRAM)
mute = socket.socket()
file = open(os.devnull)
client = socket.create_connection(tcp.getsockname())
for number, one in enumerate((tcp, udp, mute, file), 40):
    os.dup2(one.fileno(), number)
for number in range(4):
    os.dup2(40 + number, 3 + number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "4", "LISTEN_FDNAMES": "a:b:c:d"}
if sys.argv[1] == "refuse":
    passed.refuse_waiting()
    print(json.dumps(repr(client.recv(1))))
else:
    found = passed.passed_sockets()
    said = [(one.name, one.kept, one.sock.gettimeout()) for one in found]
    print(json.dumps([said, "LISTEN_FDS" in os.environ]))
"""


def run(how: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_only_what_listens_is_taken_over() -> None:
    assert run("take") == [[["a", False, 0.0]], False]


def test_who_waits_for_a_daemon_that_cannot_start_is_cut_off() -> None:
    assert run("refuse") == "b''"
