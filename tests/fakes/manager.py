"""The state machine of the fake systemd: units, jobs, restarts; no bus.

What it does was seen of systemd 257: a unit that is not loaded is read when it is started, a
loaded one only at a reload; an inactive unit that nothing wants is unloaded; a job that conflicts
with another one on the same unit cancels it.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes import dependencies, sockets, timers, unit_files
from tests.fakes.clock import Clock
from tests.fakes.podman_state import FakeContainer, PodmanError, PodmanState
from tests.fakes.unit_files import UnitFile

ROOT = "/org/freedesktop/systemd1"
TARGET = "workloads.target"


class ManagerError(Exception):
    """An error reply: the last part of the D-Bus error's name, and its text."""

    def __init__(self, name: str, text: str, prefix: str = "org.freedesktop.systemd1") -> None:
        super().__init__(text)
        self.name = f"{prefix}.{name}"
        self.text = text


@dataclass
class Job:
    """A job on a unit: start, stop or restart."""

    id: int
    kind: str
    unit: str
    done: asyncio.Event = field(default_factory=asyncio.Event)
    # Set when what it has started has come to an end or to rest.
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def path(self) -> str:
        return f"{ROOT}/job/{self.id}"


@dataclass
class FakeUnit:
    """A loaded unit."""

    name: str
    file: UnitFile
    active_state: str = "inactive"
    sub_state: str = "dead"
    result: str = "success"
    restarts: int = 0
    active_enter: float = 0.0
    # The container that runs as the service; ExecStart may name another one after a reload.
    main: str = ""
    job: Job | None = None
    # Of a timer.
    next_elapse: float = 0.0
    last_trigger: float = 0.0
    # Of a socket.
    listening: set[str] = field(default_factory=set)
    starts: list[float] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{ROOT}/unit/{escaped(self.name)}"


def escaped(name: str) -> str:
    """A unit's name in an object path."""
    kept = (c if c.isascii() and c.isalnum() else f"_{ord(c):02x}" for c in name)
    return "".join(kept)


class Manager:
    """systemd's user manager as far as workloads see it.

    `changed` is told of each change of a unit, `removed` of each job's end. `restart_delay` in
    seconds overrides RestartSec=. Jobs wait while `hold` is not set. `most_starts` is how many
    start jobs were ever in flight at once.
    """

    def __init__(self, search: Sequence[Path], podman: PodmanState, clock: Clock) -> None:
        self.search = search
        self.clock = clock
        self.started_at = clock.now()
        self.units: dict[str, FakeUnit] = {}
        self.restart_delay: float | None = None
        self.reloads = 0
        self.most_starts = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.changed: Callable[[FakeUnit], None] = lambda _: None
        self.removed: Callable[[Job, str], None] = lambda _job, _result: None
        self._podman = podman
        podman.on_exit.append(self._container_exited)
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted: set[str] = set()
        self._read_wants()

    def load(self, name: str) -> FakeUnit:
        """The unit of a name, read from disk unless it is loaded."""
        unit = self.units.get(name)
        if unit is None:
            unit = self.units[name] = FakeUnit(name, unit_files.read(self.search, name))
            self._load_named(unit)
        elif unit.file.load_state == "not-found":
            found = unit_files.read(self.search, name)
            # The file of a running unit that went (and a reload noticed) and came back: systemd
            # cannot put it on the cgroup that is in use, until it is told to reload.
            busy = found.text is not None and unit.active_state not in ("inactive", "failed")
            unit.file = UnitFile("error") if busy else found
            self._load_named(unit)
        return unit

    def _load_named(self, unit: FakeUnit) -> None:
        """What a unit names is loaded along with it."""
        for name in dependencies.named(unit, "Wants", "Requires", "BindsTo", "After"):
            if unit_files.read(self.search, name).load_state == "loaded":
                self.load(name)

    def reload(self) -> None:
        """daemon-reload."""
        self.reloads += 1
        for unit in self.units.values():
            unit.file = unit_files.read(self.search, unit.name)
            sockets.reloaded(unit)
        for unit in list(self.units.values()):
            self._load_named(unit)
        self._read_wants()
        for unit in list(self.units.values()):
            self._collect(unit)

    def needs_reload(self, unit: FakeUnit) -> bool:
        """Whether the file on disk is not the one that was loaded."""
        found = unit_files.read(self.search, unit.name)
        return (found.load_state, found.text) != (unit.file.load_state, unit.file.text)

    def dispatch(self, kind: str, name: str) -> Job:
        """Make a job, which runs in the loop's next turns."""
        loaded = name in self.units
        unit = self.load(name)
        if kind != "stop":
            self._check_startable(unit)
        elif unit.file.load_state in ("not-found", "masked") and unit.active_state == "inactive":
            if not loaded:
                del self.units[name]
            raise ManagerError("NoSuchUnit", f"Unit {name} not loaded.")
        if unit.job is not None:
            if unit.job.kind == kind:
                return unit.job
            self._finish(unit, unit.job, "canceled")
        job = unit.job = Job(next(self._ids), kind, name)
        self.most_starts = max(self.most_starts, self.starts_in_flight())
        task = asyncio.get_running_loop().create_task(self._run(unit, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def next_id(self) -> int:
        """A number that no job has had."""
        return next(self._ids)

    def starts_in_flight(self) -> int:
        """How many start jobs are in flight."""
        return sum(1 for unit in self.units.values() if unit.job and unit.job.kind == "start")

    def reset_failed(self, name: str) -> None:
        unit = self.units.get(name)
        if unit is None:
            raise ManagerError("NoSuchUnit", f"Unit {name} not loaded.")
        unit.restarts, unit.result = 0, "success"
        unit.starts.clear()
        if unit.active_state == "failed":
            self.enter(unit, "inactive", "dead")
        self._collect(unit)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _check_startable(self, unit: FakeUnit) -> None:
        match unit.file.load_state:
            case "not-found":
                del self.units[unit.name]
                raise ManagerError("NoSuchUnit", f"Unit {unit.name} not found.")
            case "masked":
                self._collect(unit)
                raise ManagerError("UnitMasked", f"Unit {unit.name} is masked.")
            case "error":
                text = f"Unit {unit.name} failed to load properly: Device or resource busy"
                raise ManagerError("EBUSY", text, "System.Error")
            case "bad-setting":
                text = f"Unit {unit.name} has a bad unit file setting."
                raise ManagerError("BadUnitSetting", text)

    async def _run(self, unit: FakeUnit, job: Job) -> None:
        await self.hold.wait()
        if unit.job is not job:
            return
        if unit.name.endswith(timers.SUFFIX):
            timers.switch(self, unit, job.kind)
            self._finish(unit, job, "done")
            self._collect(unit)
            return
        stopped: list[str] = []
        if job.kind in ("stop", "restart"):
            stopped = await dependencies.stop_dependents(self, unit, job)
            if unit.job is job and not unit.name.endswith(sockets.SUFFIX):
                self._stop(unit)
        if unit.name.endswith(sockets.SUFFIX):
            self._finish(unit, job, sockets.switch(self, unit, job.kind))
            self._collect(unit)
            return
        result = "done"
        if job.kind in ("start", "restart") and unit.active_state != "active":
            result = await self._start_job(unit, job)
        if unit.job is job:
            self._finish(unit, job, result)
            self._collect(unit)
        if job.kind == "restart":
            for name in stopped:
                self.dispatch("start", name)

    async def _start_job(self, unit: FakeUnit, job: Job) -> str:
        """Start a unit and what it needs; what is to run to its end is waited for."""
        if not await dependencies.pull_in(self, unit, job):
            return "dependency"
        if unit.job is not job:
            return "canceled"
        if not self._start(unit):
            return "failed"
        if unit.file.value("Type") == "oneshot":
            await job.settled.wait()
            return "done" if unit.active_state == "active" else "failed"
        return "done"

    def _finish(self, unit: FakeUnit, job: Job, result: str) -> None:
        unit.job = None
        job.done.set()
        job.settled.set()
        self.changed(unit)
        self.removed(job, result)

    def _start(self, unit: FakeUnit) -> bool:
        """Run ExecStart; False where that failed."""
        if self._limit_hit(unit):
            self.enter(unit, "failed", "failed", "start-limit-hit")
            return False
        self.enter(unit, "activating", "start", "success")
        try:
            unit.main = self._podman.start(unit.file.container).id
        except PodmanError:
            self._ended(unit, "exit-code")
            return False
        if unit.file.value("Type") == "oneshot":
            return True
        unit.active_enter = self.clock.now()
        self.enter(unit, "active", "running")
        return True

    def _limit_hit(self, unit: FakeUnit) -> bool:
        burst, interval = unit.file.start_limit
        now = self.clock.now()
        unit.starts = [t for t in unit.starts if now - t < interval]
        if interval and len(unit.starts) >= burst:
            return True
        unit.starts.append(now)
        return False

    def _stop(self, unit: FakeUnit) -> None:
        if unit.active_state == "active" or unit.main:
            self.enter(unit, "deactivating", "stop")
            for container in self._stopped_by(unit):
                self._podman.stop(container)
        unit.main = ""
        if unit.active_state != "failed":
            self.enter(unit, "inactive", "dead")

    def _stopped_by(self, unit: FakeUnit) -> list[str]:
        """The containers that ExecStop= names, by label or ID; else what runs is killed."""
        command = unit.file.command("ExecStop")
        labels = [w.removeprefix("label=") for w in command if w.startswith("label=")]
        if labels:
            wanted = dict(label.split("=", 1) for label in labels)
            found = self._podman.containers.values()
            return [c.id for c in found if c.running and wanted.items() <= c.labels.items()]
        named = [word for word in command[2:] if word in self._podman.containers]
        return named or [unit.main]

    def _container_exited(self, container: FakeContainer, code: int) -> None:
        for unit in list(self.units.values()):
            if unit.main == container.id and unit.active_state in ("active", "activating"):
                unit.main = ""
                self._ended(unit, "success" if code in unit.file.clean_exits else "exit-code")

    def _ended(self, unit: FakeUnit, result: str) -> None:
        """The service ended by itself: restart it, or leave it so."""
        policy = unit.file.value("Restart", "no")
        if policy == "always" or (policy == "on-failure" and result != "success"):
            self.enter(unit, "activating", "auto-restart", result)
            delay = self.restart_delay
            if delay is None:
                delay = unit_files.seconds(unit.file.value("RestartSec", "100ms"))
            self.clock.call_later(delay, lambda: self._restart(unit))
            if unit.file.value("RestartMode") != "direct":
                dependencies.gone_down(self, unit)
        elif result == "success" and unit.file.value("RemainAfterExit") == "yes":
            unit.active_enter = unit.active_enter or self.clock.now()
            self.enter(unit, "active", "exited", result)
        elif result == "success":
            self.enter(unit, "inactive", "dead", result)
            self._collect(unit)
        else:
            self.enter(unit, "failed", "failed", result)
            dependencies.gone_down(self, unit)

    def _restart(self, unit: FakeUnit) -> None:
        if self.units.get(unit.name) is unit and unit.sub_state == "auto-restart":
            unit.restarts += 1
            if self._start(unit):
                for name in dependencies.named(unit, "Wants"):
                    self.dispatch("start", name)

    def clean(self, name: str) -> None:
        """Forget when a timer last elapsed."""
        self.load(name).last_trigger = 0.0
        self._collect(self.units[name])

    def enter(self, unit: FakeUnit, active: str, sub: str, result: str | None = None) -> None:
        unit.active_state, unit.sub_state = active, sub
        unit.result = result or unit.result
        if unit.job and active in ("active", "inactive", "failed"):
            unit.job.settled.set()
        self.changed(unit)

    def _read_wants(self) -> None:
        self._wanted = unit_files.wanted(self.search, TARGET)
        for name in self._wanted:
            self.load(name)

    def _collect(self, unit: FakeUnit) -> None:
        """Unload a unit that nothing keeps."""
        idle = unit.active_state == "inactive" and unit.job is None
        if idle and unit.name not in dependencies.kept(self, self._wanted):
            self.units.pop(unit.name, None)
            for name in dependencies.named(unit, "Wants", "Requires", "BindsTo", "After"):
                if name in self.units:
                    self._collect(self.units[name])
