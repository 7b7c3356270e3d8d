"""The whole daemon: how it starts, lives, ends, and what it tells systemd meanwhile."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.fakes.installed import CountingDaemon, Installed
from tests.fakes.registry import Remote
from tests.fakes.world import until
from workloadd import gather
from workloadd.api.server import Server
from workloadd.daemon import run
from workloadd.reconcile import Reconciler
from workloadd.sources.watch import Watcher

# Seconds in which a daemon that was asked to stop has to be gone, on a machine that is busy.
A_MOMENT = 5.0


def crash(*_: object, **__: object) -> None:
    raise RuntimeError("a bug")


async def crash_soon(*_: object, **__: object) -> None:
    crash()


BUGS: dict[str, Callable[[CountingDaemon], None]] = {
    "publishing": lambda d: setattr(d.board, "publish", crash),
    "loading": lambda d: setattr(d.source, "load", crash),
    "observing": lambda d: setattr(d.observer, "observe", crash_soon),
    "carrying out": lambda d: setattr(d.podman, "create", crash_soon),
    "pulling": lambda d: setattr(d.podman, "pull", crash_soon),
    "recording": lambda d: setattr(d.history, "begin", crash_soon),
}


class TestEnd:
    @pytest.mark.parametrize("plant", BUGS.values(), ids=BUGS)
    async def test_a_bug_anywhere_ends_the_daemon(
        self, host: Installed, plant: Callable[[CountingDaemon], None]
    ) -> None:
        """systemd starts it again; containers go on, and the next daemon takes them over."""
        await host.start()
        host.write("web")
        await host.settled()
        plant(host.daemon)
        host.write("new", "image: localhost/app:2\n")
        host.write("far", "image: registry.test/far:1\n")
        with pytest.raises(ExceptionGroup) as ended:
            await host.end()
        assert ended.group_contains(RuntimeError, match="a bug")
        assert host.containers() == {"web": "running"}
        await host.start()
        await host.settled("new", "localhost/app:2")

    @pytest.mark.parametrize("part", [Watcher, Server, Reconciler])
    async def test_a_bug_in_what_runs_for_ever(
        self, host: Installed, monkeypatch: pytest.MonkeyPatch, part: type
    ) -> None:
        monkeypatch.setattr(part, "run", crash_soon)
        host.launch()
        with pytest.raises(ExceptionGroup) as ended:
            await host.end()
        assert ended.group_contains(RuntimeError, match="a bug")

    async def test_there_is_one_for_each_user(self, host: Installed) -> None:
        await host.start()
        second = CountingDaemon(host.paths, host.settings)
        with pytest.raises(ExceptionGroup) as ended:
            await second.run()
        assert "another workloadd answers there" in str(ended.value.exceptions[0])
        assert (await host.get("/healthz"))[0] == 200

    async def test_asked_to_while_everything_hangs(self, host: Installed) -> None:
        """A pull, a create, a look at the host and a start job."""
        world = host.world
        world.libpod.registry["registry.test/far:1"] = Remote("sha256:1", gate=asyncio.Event())
        await host.start()
        host.write("web")
        await host.settled()
        container = world.container("web")
        assert container
        began = container.started
        world.manager.hold.clear()
        host.write("starting")
        await until(lambda: world.manager.starts_in_flight() == 1)
        host.write("far", "image: registry.test/far:1\n")
        await host.until(lambda: host.is_in("Pulling", "far"))
        creation = world.libpod.inject("POST containers/create", hold=True)
        host.write("creating")
        await creation.reached.wait()
        look = world.libpod.inject("GET containers/json", hold=True)
        host.daemon.wake()
        await look.reached.wait()
        async with asyncio.timeout(A_MOMENT):
            await host.stop()
        assert container.running and container.started == began
        assert not host.paths.socket.exists()

    async def test_by_a_signal(self, host: Installed) -> None:
        running = asyncio.create_task(run(host.paths, host.settings))
        host.write("web")
        await until(lambda: host.containers() == {"web": "running"})
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(A_MOMENT):
            await running
        assert host.containers() == {"web": "running"}
        await host.start()
        await host.settled()
        assert await host.outcomes() == ["stable"]


class Listener:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))
        self.heard: list[tuple[float, str]] = []
        self.came = asyncio.Event()

    def attach(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        message = self._socket.recv(4096).decode()
        self.heard.append((asyncio.get_running_loop().time(), message))

    def messages(self) -> list[str]:
        return [message for _, message in self.heard]

    def times(self, message: str) -> list[float]:
        return [at for at, heard in self.heard if heard == message]

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


@pytest.fixture
async def manager(host: Installed, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listener]:
    path = host.paths.xdg_runtime_dir / "notify"
    listener = Listener(path)
    listener.attach()
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "60000")
    yield listener
    await host.kill()
    listener.close()


class TestNotify:
    async def test_ready_after_the_first_pass(self, host: Installed, manager: Listener) -> None:
        look = host.world.libpod.inject("GET containers/json", hold=True)
        host.launch()
        host.write("web")
        await look.reached.wait()
        assert "READY=1" not in manager.messages()
        look.release.set()
        await host.settled()
        await until(lambda: "STATUS=web is as declared" in manager.messages())
        assert manager.messages().count("READY=1") == 1
        await host.stop()
        await until(lambda: "STOPPING=1" in manager.messages())

    async def test_beats_while_nothing_happens(self, host: Installed, manager: Listener) -> None:
        """A pass beats at most twice, when it is done and when the rest begins."""
        daemon = await host.start()
        await until(
            lambda: len(manager.times("WATCHDOG=1")) > 2 * daemon.board.status.passes.count + 4
        )

    async def test_no_beat_without_progress(
        self, host: Installed, manager: Listener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A look that hangs is silent until it is given up; no timer beats in its place."""
        monkeypatch.setattr(gather, "LOOK_TIMEOUT", 0.5)
        await host.start()
        look = host.world.libpod.inject("GET containers/json", hold=True, times=1)
        host.daemon.wake()
        await look.reached.wait()
        hung = asyncio.get_running_loop().time()
        await host.until(lambda: "no answer within" in host.daemon.board.status.passes.problem)
        given_up = asyncio.get_running_loop().time()
        assert not [t for t in manager.times("WATCHDOG=1") if hung + 0.05 < t < given_up - 0.05]
        await until(lambda: manager.times("WATCHDOG=1")[-1] > given_up - 0.05)

    async def test_says_what_is_wrong(self, host: Installed, manager: Listener) -> None:
        await host.start()
        host.write("web", "image: registry.test/none:1\n")
        await host.until(lambda: host.is_in("Failed"))
        told = "STATUS=0 of 1 workloads are as declared; not: web (Failed)"
        await until(lambda: told in manager.messages())
