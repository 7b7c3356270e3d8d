"""The user's systemd over D-Bus: jobs that are waited for, and the states of our units."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from dbus_fast import Message, Variant

from workloadd.core.errors import Permanent, Transient, WorkloaddError
from workloadd.core.names import workload_of_unit
from workloadd.core.observed import UnitState
from workloadd.host.bus import (
    BUS,
    MANAGER,
    MANAGER_PATH,
    PROPERTIES,
    SYSTEMD,
    Bus,
    session_address,
    unavailable,
)
from workloadd.host.systemd_jobs import Jobs, job_failed
from workloadd.host.systemd_units import UnitTable, unit_of_path

log = logging.getLogger(__name__)

# A daemon-reload runs every generator.
RELOAD_TIMEOUT = 90.0
# A job is waited for so long, and as long as the unit's own timeouts allow where that is longer.
JOB_TIMEOUT = 300.0


class Systemd:
    """The user manager. Errors are `Transient` or `Permanent`; timeouts are in seconds.

    `wake` is called (in the loop's thread, with nothing) whenever a job ended, a workload's unit
    changed, unit files changed, a reload finished, or the manager was executed anew.
    """

    def __init__(self, address: str | None = None, *, wake: Callable[[], None] = lambda: None):
        self._address = address or session_address()
        self._wake = wake
        self._bus: Bus | None = None
        self._jobs = Jobs()
        self._units = UnitTable(self._call)
        self._lost = asyncio.Event()
        self._resubscription: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect to the bus and subscribe; may be called again after the connection was lost."""
        await self.close()
        self._lost.clear()
        self._units.forget()
        self._bus = Bus(self._address, self._on_signal, self._on_lost)
        try:
            await self._bus.connect()
            await self._listen(self._bus)
            await self._subscribe()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect; jobs that are waited for fail."""
        if self._resubscription is not None:
            self._resubscription.cancel()
            await asyncio.wait([self._resubscription])
            self._resubscription = None
        self._jobs.fail_all(unavailable("wait for a job", "the connection was closed"))
        if self._bus is not None:
            await self._bus.close()
            self._bus = None

    async def wait_lost(self) -> None:
        """Return when the connection to the bus was lost; `connect` makes a new one."""
        await self._lost.wait()

    async def start(self, unit: str, *, timeout: float = JOB_TIMEOUT) -> None:
        """Start a unit and wait for the job to end; raise unless it is done."""
        await self._run_job("StartUnit", "start", unit, timeout)

    async def stop(self, unit: str, *, timeout: float = JOB_TIMEOUT) -> None:
        """Stop a unit and wait for the job to end; raise unless it is done."""
        await self._run_job("StopUnit", "stop", unit, timeout)

    async def restart(self, unit: str, *, timeout: float = JOB_TIMEOUT) -> None:
        """Restart (or start) a unit and wait for the job to end; raise unless it is done."""
        await self._run_job("RestartUnit", "restart", unit, timeout)

    async def reset_failed(self, unit: str) -> None:
        """Forget a unit's failure and its restart counter; a unit that is not loaded is fine."""
        try:
            await self._call(
                MANAGER_PATH, MANAGER, "ResetFailedUnit", "s", (unit,), doing=f"reset {unit}"
            )
        except Permanent as error:
            if error.problem.reason != "NoSuchUnit":
                raise
        self._units.mark(unit)

    async def clean(self, unit: str) -> None:
        """Remove what systemd keeps of a stopped unit: of a timer, when it last elapsed.

        Most units have nothing of the kind, which is fine.
        """
        body = (unit, ["state"])
        try:
            await self._call(MANAGER_PATH, MANAGER, "CleanUnit", "sas", body, doing=f"clean {unit}")
        except WorkloaddError as error:
            log.debug("%s", error.problem)

    async def reload(self, *, timeout: float = RELOAD_TIMEOUT) -> None:
        """Have systemd read all unit files again (daemon-reload)."""
        await self._call(
            MANAGER_PATH, MANAGER, "Reload", doing="reload the unit files", timeout=timeout
        )
        self._units.reloaded()

    async def units(self, refresh: Collection[str] = ()) -> dict[str, UnitState]:
        """The states of the loaded services and timers `workload-*`, by unit name.

        One call where nothing changed. The details of a unit are asked for again when its line
        in the list changed, a signal named it, or it is in `refresh` (its file was written).
        """
        return await self._units.look(refresh)

    def known(self, workload: str) -> list[str]:
        """The units of a workload at the last look."""
        return [unit for unit in self._units.names() if workload_of_unit(unit) == workload]

    def written(self, unit: str) -> None:
        """A unit's file was written: what systemd holds of it may be stale from now on."""
        self._units.mark(unit)

    async def manager_started_at(self) -> float:
        """When the user manager started, in seconds since the epoch."""
        reply = await self._call(
            MANAGER_PATH,
            PROPERTIES,
            "Get",
            "ss",
            (MANAGER, "UserspaceTimestamp"),
            doing="ask when the user manager started",
        )
        return float(reply[0].value) / 1_000_000

    async def _call(self, *args: Any, doing: str, **kwargs: Any) -> list[Any]:
        if self._bus is None:
            raise unavailable(doing, "not connected to the user bus")
        return await self._bus.call(*args, doing=doing, **kwargs)

    async def run(
        self, unit: str, command: Sequence[str], description: str, *, timeout: float = JOB_TIMEOUT
    ) -> None:
        """Run a command to its end as a transient service; raise unless it ends with 0.

        systemd starts it: it is under none of the restrictions that this process is under.
        """
        exec_start = [[command[0], list(command), False]]
        properties = [
            ["Description", Variant("s", description)],
            ["Type", Variant("s", "oneshot")],
            ["ExecStart", Variant("a(sasb)", exec_start)],
            ["CollectMode", Variant("s", "inactive-or-failed")],
            ["TimeoutStartUSec", Variant("t", int(timeout * 1_000_000))],
        ]
        body: tuple[Any, ...] = (unit, "fail", properties, [])
        call = ("StartTransientUnit", "ssa(sv)a(sa(sv))", body)
        await self._job(call, f"run {unit}", unit, timeout)

    async def _run_job(self, method: str, verb: str, unit: str, timeout: float) -> None:
        await self._job((method, "ss", (unit, "replace")), f"{verb} {unit}", unit, timeout)

    async def _job(
        self, call: tuple[str, str, tuple[Any, ...]], doing: str, unit: str, timeout: float
    ) -> None:
        """Have systemd make a job, and wait for its end."""
        with self._jobs.dispatch() as dispatched:
            reply = await self._call(MANAGER_PATH, MANAGER, *call, doing=doing)
            job = dispatched(reply[0])
        try:
            result = await self._end_of(job, unit, timeout)
        except TimeoutError as late:
            raise Transient(
                "JobStillRunning", f"cannot {doing}: its job is still running"
            ) from late
        finally:
            self._units.mark(unit)
        if error := job_failed(doing, unit, result):
            raise error

    async def _end_of(
        self, job: "asyncio.Future[str | WorkloaddError]", unit: str, timeout: float
    ) -> str | WorkloaddError:
        """How a job ended; TimeoutError where not even systemd would let it be so long about it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                return await asyncio.shield(job)
        async with asyncio.timeout(await self._units.patience(unit) - timeout):
            return await asyncio.shield(job)

    async def _listen(self, bus: Bus) -> None:
        manager = {"sender": SYSTEMD, "path": MANAGER_PATH, "interface": MANAGER}
        await asyncio.gather(
            bus.match(**manager, member="JobRemoved"),
            bus.match(**manager, member="UnitFilesChanged"),
            bus.match(**manager, member="Reloading"),
            bus.match(
                sender=SYSTEMD,
                interface=PROPERTIES,
                member="PropertiesChanged",
                path_namespace=f"{MANAGER_PATH}/unit",
                arg0=f"{SYSTEMD}.Unit",
            ),
            bus.match(sender=BUS, interface=BUS, member="NameOwnerChanged", arg0=SYSTEMD),
        )

    async def _subscribe(self) -> None:
        """Without a subscriber systemd sends no signals of jobs and units."""
        try:
            await self._call(MANAGER_PATH, MANAGER, "Subscribe", doing="subscribe to systemd")
        except Permanent as error:
            if error.problem.reason != "AlreadySubscribed":
                raise

    def _on_signal(self, message: Message) -> None:
        """Note what may have changed, and wake up where it is about a workload."""
        match message.member:
            case "JobRemoved":
                _, path, unit, result = message.body
                self._jobs.ended(path, result)
                self._unit_changed(unit)
            case "PropertiesChanged":
                self._unit_changed(unit_of_path(message.path or ""))
            case "Reloading":
                if not message.body[0]:
                    self._units.reloaded()
                    self._wake()
            case "UnitFilesChanged":
                self._wake()
            case "NameOwnerChanged" if message.body[0] == SYSTEMD:
                self._owner_changed(message.body[2])

    def _unit_changed(self, unit: str) -> None:
        if workload_of_unit(unit) is not None:
            self._units.mark(unit)
            self._wake()

    def _owner_changed(self, owner: str) -> None:
        """systemd was executed anew, or went: jobs and our subscription may be forgotten."""
        self._jobs.fail_all(unavailable("wait for a job", "systemd was executed anew"))
        self._units.forget()
        if owner:
            self._resubscription = asyncio.create_task(self._resubscribe())
        self._wake()

    async def _resubscribe(self) -> None:
        try:
            await self._subscribe()
        except WorkloaddError:
            # As good as lost: whoever waits for that connects anew, with backoff.
            self._on_lost()
        else:
            self._wake()

    def _on_lost(self) -> None:
        self._jobs.fail_all(unavailable("wait for a job", "the connection to the user bus broke"))
        self._units.forget()
        self._lost.set()
        self._wake()
