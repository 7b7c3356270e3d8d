"""A fake host with workloadd on it: daemons come, die and come again, the host stays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, UnixConnector

from tests.fakes.journal import FakeJournal
from tests.fakes.world import World
from workloadd.core.names import LABEL_WORKLOAD, candidate_name
from workloadd.core.status import WorkloadStatus
from workloadd.daemon import Daemon
from workloadd.history.rows import RolloutRow
from workloadd.host.journal_logs import JournalLog
from workloadd.settings import Paths, Settings
from workloadd.settings.model import (
    ApiSettings,
    PullSettings,
    ReconcileSettings,
    RolloutSettings,
)
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.updates import Asker

# Seconds until a condition that should come true is given up; a busy machine may need them.
PATIENCE = 20.0
SOAK = 0.05


class CountingDaemon(Daemon):
    """The daemon; it also counts how often something woke it."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        registry: Asker | None = None,
        journal: Callable[[str], JournalLog] = JournalLog,
    ) -> None:
        self.wakes = 0
        super().__init__(paths, settings, registry=registry, journal=journal)

    def wake(self) -> None:
        self.wakes += 1
        super().wake()


def fast_settings() -> Settings:
    """Everything soon, and nothing by the periodic pass: wake-ups alone have to do."""
    return Settings(
        api=ApiSettings(listen=""),
        reconcile=ReconcileSettings(interval=3600, jitter=0, debounce=0.01, workers=2, jobs=3),
        rollout=RolloutSettings(soak=SOAK, deadline=PATIENCE, restarts=2),
        pull=PullSettings(backoff_base=0.1, backoff_max=0.1),
    )


class Installed:
    """The host, its workload files, and the daemon that runs just now.

    Files are the administrator's: `write` and `remove` work on /etc. Conditions are awaited with
    `until`, which looks again whenever the daemon publishes a status.
    """

    def __init__(self, directory: Path) -> None:
        self.paths = Paths.under(directory)
        self.files = self.paths.workload_roots[1]
        self.files.mkdir(parents=True)
        bus = self.paths.xdg_runtime_dir
        bus.mkdir(parents=True, mode=0o700)
        self.world = World(bus, paths=self.paths)
        self.settings = fast_settings()
        self.journal = FakeJournal()
        self._daemon: CountingDaemon | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def daemon(self) -> CountingDaemon:
        """The daemon that runs, or ran last."""
        assert self._daemon is not None
        return self._daemon

    @property
    def ended(self) -> bool:
        """Whether no daemon runs."""
        return self._task is None or self._task.done()

    def launch(self) -> CountingDaemon:
        """Start a daemon, as systemd does; it has done nothing yet."""
        assert self.ended
        self._daemon = CountingDaemon(
            self.paths, self.settings, self.world.libpod.asker, self.journal.log
        )
        self._task = asyncio.create_task(self._daemon.run(), name="daemon")
        return self._daemon

    async def start(self) -> CountingDaemon:
        """Start a daemon and wait for its first pass."""
        daemon = self.launch()
        await self.until(lambda: daemon.board.status.passes.count > 0)
        return daemon

    async def stop(self) -> None:
        """Ask the daemon to stop, and wait until it did."""
        if self._daemon and self._task:
            self._daemon.stop()
            await self.end()

    async def restart(self) -> CountingDaemon:
        """Another daemon takes over."""
        await self.stop()
        return await self.start()

    async def end(self) -> None:
        """Wait for the daemon's end; raises what it ended with."""
        if self._task:
            task, self._task = self._task, None
            async with asyncio.timeout(PATIENCE):
                await task

    async def kill(self) -> None:
        """End the daemon whatever it does."""
        if self._task:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition; the daemon must not end before."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    await self._next_status()
        except TimeoutError:
            status = self.daemon.board.status.model_dump_json(indent=1, exclude={"host"})
            raise AssertionError(f"it did not come true; the status is\n{status}") from None

    async def _next_status(self) -> None:
        assert self._task is not None
        changed = asyncio.create_task(self.daemon.board.changed())
        await asyncio.wait({changed, self._task}, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        if self._task.done():
            self._task.result()
            raise AssertionError("the daemon ended")

    async def passes(self, more: int = 2) -> None:
        """Wait for passes; of two that are woken for, the second sees all that was before."""
        for _ in range(more):
            seen = self.daemon.board.status.passes.count
            self.daemon.wake()
            await self.until(lambda seen=seen: self.daemon.board.status.passes.count > seen)  # type: ignore[misc]

    def write(self, name: str, text: str = "image: localhost/app:1\n") -> Path:
        """Write a workload file."""
        path = self.files / f"{name}.yaml"
        path.write_text(text)
        return path

    def remove(self, name: str) -> None:
        """Remove a workload file."""
        (self.files / f"{name}.yaml").unlink()

    def status(self, name: str = "web") -> WorkloadStatus | None:
        """The status of a workload, as of the last pass."""
        return self.daemon.board.status.workload(name)

    def is_in(self, state: str, name: str = "web") -> bool:
        """Whether a workload is in a state, as of the last pass."""
        status = self.status(name)
        return status is not None and status.state == state

    def is_idle(self, name: str = "web") -> bool:
        """Whether nothing is being done for a workload, as of the last pass and since."""
        status = self.status(name)
        busy = name in self.daemon.executor.busy
        return not busy and not (status and status.rollout)

    def is_settled(self, name: str = "web", image: str = "localhost/app:1") -> bool:
        """Whether a workload runs an image under its plain name, with nothing left to do.

        A pass that failed leaves an older status of the workloads, which counts for nothing.
        """
        status = self.status(name)
        converged = status.condition("Converged") if status else None
        return bool(
            status
            and converged
            and not self.daemon.board.status.passes.problem
            and (status.state, converged.status) == ("Ready", "True")
            and status.current
            and (status.current.image, status.current.container_name) == (image, name)
        )

    async def settled(self, name: str = "web", image: str = "localhost/app:1") -> WorkloadStatus:
        """Wait for `is_settled`."""
        await self.until(lambda: self.is_settled(name, image))
        status = self.status(name)
        assert status is not None
        return status

    async def gone(self, name: str = "web") -> None:
        """Wait until nothing is known of a workload, nor being done for it."""
        await self.until(lambda: self.status(name) is None and self.is_idle(name))

    def containers(self, name: str = "web") -> dict[str, str]:
        """The state of each container of a workload, by its name."""
        found = self.world.podman.containers.values()
        return {c.name: c.state for c in found if c.labels.get(LABEL_WORKLOAD) == name}

    def unit_file(self, name: str = "web") -> Path:
        return self.paths.unit_dir / f"workload-{name}.service"

    def unit_files(self) -> set[str]:
        """The name of everything where generated units are, hidden files included."""
        return {path.name for path in self.paths.unit_dir.iterdir()}

    async def rollouts(self, name: str = "web") -> list[RolloutRow]:
        """The rollouts in the history, the newest first."""
        return await self.daemon.history.rollouts(name)

    async def outcomes(self, name: str = "web") -> list[str]:
        """How they ended, the newest first."""
        return [row.outcome for row in await self.rollouts(name)]

    async def notes(self, kind: str, name: str = "web") -> list[str]:
        """What the history notes of a kind, the newest first."""
        return [e.message for e in await self.daemon.history.events(name) if e.kind == kind]

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and document that the API answers with on its Unix socket."""
        return await self._ask("GET", path)

    async def told(self, path: str) -> str:
        """What it answers people with."""
        connector = UnixConnector(str(self.paths.socket))
        async with (
            ClientSession(connector=connector) as session,
            session.get(f"http://localhost{path}", headers={"Accept": "text/plain"}) as answer,
        ):
            return await answer.text()

    async def post(self, action: str, name: str = "web") -> tuple[int, Any]:
        """The same of an action, with its parameters."""
        return await self._ask("POST", f"/v1/workloads/{name}/{action}")

    async def _ask(self, method: str, path: str) -> tuple[int, Any]:
        connector = UnixConnector(str(self.paths.socket))
        headers = {"Accept": "application/json"}
        async with (
            ClientSession(connector=connector) as session,
            session.request(method, f"http://localhost{path}", headers=headers) as answer,
        ):
            return answer.status, await answer.json()


def candidate(status: WorkloadStatus, name: str = "web") -> str:
    """The name that the current deployment's container has while it is not the serving one."""
    assert status.current is not None
    return candidate_name(name, MAIN_CONTAINER, status.current.revision)


@asynccontextmanager
async def installed(directory: Path) -> AsyncIterator[Installed]:
    """A host with an image that runs, one that runs as well, and one that crashes."""
    host = Installed(directory)
    await host.world.start()
    host.world.manager.restart_delay = 0.01
    for tag in ("1", "2", "3"):
        host.world.podman.add_image(f"localhost/app:{tag}")
    host.world.podman.add_image("localhost/app:bad", exits=1, log=("cannot open /data",))
    try:
        yield host
    finally:
        await host.kill()
        await host.world.close()
