"""The namespace helper, with a user and a network namespace that the test makes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from workloadd.core.errors import Transient
from workloadd.core.probe_targets import Target
from workloadd.core.probes import HttpCheck, Probe
from workloadd.host import namespaces as module
from workloadd.host.namespaces import CannotJoin, Namespaces, NotThere, helper_command
from workloadd.host.probes import Failed, Probes, Reach

# In a network of its own, with nothing but loopback: a server on it, and the word when it is up.
INSIDE = """
import socket, subprocess, sys, http.server
for command in ("ip link set lo up", "ip address add 10.9.9.9/32 dev lo"):
    subprocess.run(command.split(), check=True)
address = sys.argv[1]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if self.path == "/ill" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *_):
        pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
server = Server((address, 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass
class Inside:
    """A process in namespaces of its own, which listens on a port there."""

    pid: int
    port: int


@contextmanager
def made_inside(address: str = "127.0.0.1") -> Iterator[Inside]:
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    command = [*alone, sys.executable, "-c", INSIDE, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Inside(process.pid, int(process.stdout.readline()))
        process.kill()


@pytest.fixture
def inside() -> Iterator[Inside]:
    with made_inside() as made:
        yield made


@pytest.fixture
def another() -> Iterator[Inside]:
    with made_inside() as made:
        yield made


@pytest.fixture
async def namespaces() -> AsyncIterator[Namespaces]:
    made = Namespaces()
    yield made
    await made.close()


def group() -> str:
    """Something that is in the path of the control group of every process of this test."""
    return Path("/proc/self/cgroup").read_text().strip().rpartition("/")[2] or "/"


def target(inside: Inside, probe: Probe) -> Target:
    return Target("web", "main", group(), inside.pid, 1.0, (probe,))


def links(process: str) -> set[str]:
    """The descriptors that a process has open."""
    return {path.name for path in Path(f"/proc/{process}/fd").iterdir()}


def descriptors() -> set[str]:
    return links("self")


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


async def test_a_socket_in_a_network_that_has_nothing_but_loopback(
    inside: Inside, namespaces: Namespaces
) -> None:
    made = await namespaces.open(group(), inside.pid)
    assert made
    with made:
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", inside.port))
        assert os.fstat(made.fileno())


async def test_probes_over_it(inside: Inside, namespaces: Namespaces, tmp_path: Path) -> None:
    probes = Probes(Reach(namespaces, tmp_path), None)  # type: ignore[arg-type]
    port = inside.port
    for check in (HttpCheck(port), HttpCheck(port, body="hel+o")):
        probe = Probe("readiness", http=check, timeout=20)
        await probes.try_once(target(inside, probe), probe)
    tcp = Probe("readiness", tcp=port, timeout=20)
    await probes.try_once(target(inside, tcp), tcp)
    for check, reason in (
        (HttpCheck(port, path="/ill"), "BadStatus"),
        (HttpCheck(port, body="bye"), "BadBody"),
        (HttpCheck(port, scheme="https"), "TlsFailed"),
        (HttpCheck(1), "ConnectionRefused"),
    ):
        probe = Probe("readiness", http=check, timeout=20)
        with pytest.raises(Failed) as failed:
            await probes.try_once(target(inside, probe), probe)
        assert failed.value.problem.reason == reason


@pytest.mark.parametrize("address", ["::1", "10.9.9.9"])
async def test_who_listens_elsewhere_than_on_127_0_0_1(
    address: str, namespaces: Namespaces, tmp_path: Path
) -> None:
    probes = Probes(Reach(namespaces, tmp_path), None)  # type: ignore[arg-type]
    with made_inside(address) as made:
        for probe in (
            Probe("readiness", http=HttpCheck(made.port), timeout=20),
            Probe("readiness", tcp=made.port, timeout=20),
        ):
            await probes.try_once(target(made, probe), probe)


async def test_nothing_is_left_of_many(inside: Inside, namespaces: Namespaces) -> None:
    """`WORKLOADD_TEST_PROBES` says how many."""
    loop = asyncio.get_running_loop()

    async def once() -> None:
        made = await namespaces.open(group(), inside.pid)
        assert made
        with made:
            await loop.sock_connect(made, ("127.0.0.1", inside.port))

    async def nothing_under_way() -> None:
        """The helper answers in turn: it has closed all that went before."""
        with pytest.raises(NotThere):
            await namespaces.open("f" * 64, inside.pid)

    await once()
    (helper,) = {*children()} - {str(inside.pid)}
    await nothing_under_way()
    before, helpers = descriptors(), links(helper)
    for _ in range(int(os.environ.get("WORKLOADD_TEST_PROBES", "1000"))):
        await once()
    await nothing_under_way()
    # What an earlier test left to the garbage collector may have gone meanwhile.
    assert descriptors() <= before
    assert links(helper) == helpers
    assert set(children()) <= {helper, str(inside.pid)}


async def test_a_process_that_is_another_s_or_gone(inside: Inside, namespaces: Namespaces) -> None:
    with pytest.raises(NotThere):
        await namespaces.open("f" * 64, inside.pid)
    with pytest.raises(NotThere):
        await namespaces.open(group(), 2**22 - 1)


async def test_the_host_s_network_needs_no_joining(namespaces: Namespaces) -> None:
    assert await namespaces.open(group(), os.getpid()) is None


async def test_what_cannot_be_joined(namespaces: Namespaces) -> None:
    with pytest.raises(CannotJoin):
        await namespaces.check(os.getpid())


async def test_a_helper_that_is_killed_is_started_again(
    inside: Inside, namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BASE", 0.0)
    made = await namespaces.open(group(), inside.pid)
    assert made
    made.close()
    (helper,) = {*children()} - {str(inside.pid)}
    os.kill(int(helper), signal.SIGSTOP)
    asked = asyncio.create_task(namespaces.open(group(), inside.pid))
    await asyncio.sleep(0)
    os.kill(int(helper), signal.SIGKILL)
    with pytest.raises(Transient):
        await asked
    again = await namespaces.open(group(), inside.pid)
    assert isinstance(again, socket.socket)
    again.close()
    assert helper not in children()


async def test_a_helper_that_hangs_is_ended(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ANSWER", 0.05)
    namespaces = Namespaces(lambda: ["sleep", "60"])
    with pytest.raises(Transient, match="no answer"):
        await namespaces.open(group(), inside.pid)
    with pytest.raises(Transient, match="started again soon"):
        await namespaces.open(group(), inside.pid)
    await namespaces.close()
    assert {*children()} == {str(inside.pid)}


async def test_a_new_user_namespace_of_podman_s(
    inside: Inside, another: Inside, namespaces: Namespaces
) -> None:
    """`podman system migrate`: what is there now is in another one."""
    for one in (inside, another):
        made = await namespaces.open(group(), one.pid)
        assert made
        with made:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", one.port))


async def test_where_nothing_can_be_joined_published_ports_are_used(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        place = listener.getsockname()
        reach = Reach(None, tmp_path)
        probes = Probes(reach, None)  # type: ignore[arg-type]
        probe = Probe("readiness", tcp=80)
        await probes.try_once(Target("web", "main", "c", 2, 1.0, (probe,), {80: place}), probe)
        with pytest.raises(Transient, match="not published"):
            await probes.try_once(Target("web", "main", "c", 2**22 - 1, 1.0, (probe,)), probe)


def test_the_helper_is_small() -> None:
    """What it has for itself; the rest it shares with the daemon, or with the page cache."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(module.__file__).parent)!r})\n"
        "import namespaces_helper\n"
        "print(open('/proc/self/smaps_rollup').read())"
    )
    done = subprocess.run(
        [*helper_command()[:-1], "-c", script], capture_output=True, text=True, check=True
    )
    private = next(line for line in done.stdout.splitlines() if line.startswith("Private_Dirty"))
    assert int(private.split()[1]) < 5 * 1024
