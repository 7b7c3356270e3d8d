"""One fake host: Podman on a socket, systemd on a bus, their containers and units one world."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.bus_daemon import BusDaemon
from tests.fakes.clock import Clock, RealClock
from tests.fakes.libpod import FakeLibpod
from tests.fakes.manager import TARGET, FakeUnit, Manager
from tests.fakes.podman_state import FakeContainer, PodmanState
from tests.fakes.systemd1 import FakeSystemd
from workloadd.settings import Paths


class World:
    """The fake host in a directory of a test's own, laid out as `paths` say where they are given.

    `unit_dir` is where units are written, `control_dir` what systemd prefers to it (where an
    operator masks), `wants` where units are enabled. Methods named after commands are what an
    operator does by hand.
    """

    def __init__(
        self, directory: Path, clock: Clock | None = None, paths: Paths | None = None
    ) -> None:
        self.clock = clock or RealClock()
        self.unit_dir = paths.unit_dir if paths else directory / "systemd" / "user"
        self.control_dir = (
            paths.unit_config_dir if paths else directory / "systemd" / "user.control"
        )
        self.wants = (self.control_dir if paths else self.unit_dir) / f"{TARGET}.wants"
        self.podman_socket = paths.podman_socket if paths else directory / "podman.sock"
        for path in (self.unit_dir, self.control_dir, self.podman_socket.parent):
            path.mkdir(parents=True, exist_ok=True)
        self.libpod = FakeLibpod(self.podman_socket, self.clock)
        search = (self.control_dir, self.unit_dir)
        self.manager = Manager(search, self.libpod.state, self.clock)
        self.bus = BusDaemon(directory)
        self.systemd = FakeSystemd(self.bus.address, self.manager)

    @property
    def bus_address(self) -> str:
        return self.bus.address

    @property
    def podman(self) -> PodmanState:
        return self.libpod.state

    async def start(self) -> None:
        await self.libpod.start()
        await self.bus.start()
        await self.systemd.start()

    async def close(self) -> None:
        await self.manager.close()
        await self.systemd.stop()
        await self.bus.stop()
        await self.libpod.stop()

    async def restart_bus(self) -> None:
        """The bus dies and comes back; systemd joins it again."""
        await self.bus.stop()
        await self.systemd.stop()
        await self.bus.start()
        await self.systemd.start()

    async def reboot(self) -> None:
        """Everything stops; Podman's containers and the unit files stay, the target is started."""
        await self.manager.close()
        await self.systemd.stop()
        self.podman.on_exit.clear()
        for container in self.podman.containers.values():
            self.podman.stop(container.id)
        await self.libpod.restart()
        self.manager = Manager(self.manager.search, self.podman, self.clock)
        self.systemd = FakeSystemd(self.bus.address, self.manager)
        await self.systemd.start()
        self.start_target()

    def start_target(self) -> None:
        """What `systemctl --user start workloads.target` pulls in."""
        for directory in self.manager.search:
            wants = directory / f"{TARGET}.wants"
            for link in sorted(wants.iterdir()) if wants.is_dir() else ():
                self.manager.dispatch("start", link.name)

    def unit(self, name: str) -> FakeUnit | None:
        """The loaded unit of a workload."""
        return self.manager.units.get(f"workload-{name}.service")

    def container(self, name: str) -> FakeContainer | None:
        """The container of a name."""
        return next((c for c in self.podman.containers.values() if c.name == name), None)

    def podman_rm(self, name: str) -> None:
        """`podman rm --force NAME`."""
        self.podman.remove(name, force=True)

    def podman_stop(self, name: str) -> None:
        """`podman stop NAME`."""
        self.podman.stop(name)

    def podman_rename(self, old: str, new: str) -> None:
        """`podman rename OLD NEW`."""
        self.podman.rename(old, new)

    def crash(self, name: str, code: int = 1) -> None:
        """The main process of a running container ends."""
        self.podman.exit(name, code)

    def systemctl(self, verb: str, workload: str = "") -> None:
        """`systemctl --user VERB workload-NAME.service`, or daemon-reload."""
        unit = f"workload-{workload}.service"
        match verb:
            case "start" | "stop" | "restart":
                self.manager.dispatch(verb, unit)
            case "mask":
                (self.control_dir / unit).symlink_to("/dev/null")
                self._files_changed()
            case "unmask":
                (self.control_dir / unit).unlink()
                self._files_changed()
            case "enable":
                self.wants.mkdir(exist_ok=True)
                (self.wants / unit).symlink_to(self.unit_dir / unit)
                self._files_changed()
            case "disable":
                (self.wants / unit).unlink()
                self._files_changed()
            case "reset-failed":
                self.manager.reset_failed(unit)
            case "daemon-reload":
                self.systemd.reload()
            case _:
                raise ValueError(verb)

    def _files_changed(self) -> None:
        self.systemd.unit_files_changed()
        self.systemd.reload()


@asynccontextmanager
async def running_world(directory: Path, clock: Clock | None = None) -> AsyncIterator[World]:
    """A fake host, up."""
    world = World(directory, clock)
    await world.start()
    try:
        yield world
    finally:
        await world.close()


async def until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
    """Let the loop turn until a condition holds."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - conditions are of any kind
            await asyncio.sleep(0)
