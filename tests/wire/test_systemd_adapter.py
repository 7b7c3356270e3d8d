"""The systemd adapter against a fake systemd1 on a private dbus-daemon."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.fakes.clock import ManualClock
from tests.fakes.world import World, running_world, until
from workloadd.core.errors import Permanent, Transient, WorkloaddError
from workloadd.host import systemd_units
from workloadd.host.bus import MANAGER, MANAGER_PATH, Bus, refused
from workloadd.host.chown import Owners
from workloadd.host.systemd import Systemd
from workloadd.host.systemd_jobs import job_failed
from workloadd.host.systemd_units import unit_of_path

WEB = "workload-web.service"


class Wakes:
    """Counts the wake-ups, and can be awaited."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1

    async def more(self, than: int) -> None:
        await until(lambda: self.count > than)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    async with running_world(tmp_path, clock) as running:
        running.podman.add_image("localhost/app:1")
        yield running


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
async def systemd(world: World, wakes: Wakes) -> AsyncIterator[Systemd]:
    client = Systemd(world.bus_address, wake=wakes)
    await client.connect()
    yield client
    await client.close()


def add_unit(world: World, name: str = "web", more: str = "Restart=always") -> str:
    """A container and a unit file for it; returns the container's ID."""
    container = world.podman.create({"name": f"{name}_1", "image": "localhost/app:1"})
    text = f"[Service]\nExecStart=/usr/bin/podman start {container.id}\n{more}\n"
    (world.unit_dir / f"workload-{name}.service").write_text(text)
    return container.id


class TestJobs:
    async def test_start_restart_stop(self, world: World, systemd: Systemd) -> None:
        container = add_unit(world)
        await systemd.start(WEB)
        assert world.podman.containers[container].running
        await systemd.start(WEB)
        await systemd.restart(WEB)
        assert (await systemd.units())[WEB].active
        await systemd.stop(WEB)
        assert not world.podman.containers[container].running
        assert WEB not in await systemd.units()

    async def test_an_end_that_comes_before_the_name(self, world: World, systemd: Systemd) -> None:
        world.systemd.early_signals = True
        add_unit(world)
        await asyncio.gather(systemd.start(WEB), systemd.start(WEB))
        await systemd.stop(WEB)

    async def test_waits_for_the_end(self, world: World, systemd: Systemd) -> None:
        add_unit(world)
        world.manager.hold.clear()
        start = asyncio.create_task(systemd.start(WEB))
        await until(lambda: ("StartUnit", WEB) in world.systemd.calls)
        assert (await systemd.units())[WEB].job == "start"
        assert not start.done()
        world.manager.hold.set()
        await start
        assert (await systemd.units())[WEB].job == ""

    async def test_failure(self, world: World, systemd: Systemd) -> None:
        world.podman.find_image("localhost/app:1").start_error = "no such executable"  # type: ignore[union-attr]
        add_unit(world, more="Restart=no")
        with pytest.raises(Permanent) as failed:
            await systemd.start(WEB)
        assert failed.value.problem.reason == "JobFailed"
        assert WEB in failed.value.problem.hint
        state = (await systemd.units())[WEB]
        assert (state.active_state, state.result) == ("failed", "exit-code")
        await systemd.reset_failed(WEB)
        assert WEB not in await systemd.units()

    async def test_another_job_takes_its_place(self, world: World, systemd: Systemd) -> None:
        add_unit(world)
        world.manager.hold.clear()
        start = asyncio.create_task(systemd.start(WEB))
        await until(lambda: ("StartUnit", WEB) in world.systemd.calls)
        stop = asyncio.create_task(systemd.stop(WEB))
        with pytest.raises(Transient) as canceled:
            await start
        assert canceled.value.problem.reason == "JobCanceled"
        world.manager.hold.set()
        await stop

    async def test_one_that_does_not_end(self, world: World, systemd: Systemd) -> None:
        add_unit(world, more="TimeoutStartSec=infinity")
        world.manager.hold.clear()
        with pytest.raises(Transient) as late:
            await systemd.start(WEB, timeout=0.05)
        assert late.value.problem.reason == "JobStillRunning"
        world.manager.hold.set()
        await systemd.start(WEB)

    async def test_one_is_waited_for_while_its_unit_may_take_so_long(
        self, world: World, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_unit(world, more="TimeoutStartSec=500ms\nTimeoutStopSec=1min")
        world.manager.hold.clear()
        start = asyncio.create_task(systemd.start(WEB, timeout=0.01))
        await until(lambda: world.systemd.property_reads == 2)
        world.manager.hold.set()
        await start

        world.manager.hold.clear()
        monkeypatch.setattr(systemd_units, "_MARGIN", 0.02)
        add_unit(world, "hung", more="TimeoutStartSec=20ms\nTimeoutStopSec=10ms")
        with pytest.raises(Transient, match="still running"):
            await systemd.start("workload-hung.service", timeout=0.01)
        world.manager.hold.set()

    async def test_of_unknown_and_masked_units(self, world: World, systemd: Systemd) -> None:
        with pytest.raises(Permanent, match=r"cannot start .*not found") as unknown:
            await systemd.start("workload-none.service")
        assert unknown.value.problem.reason == "NoSuchUnit"
        add_unit(world)
        world.systemctl("mask", "web")
        with pytest.raises(Permanent, match="masked") as masked:
            await systemd.start(WEB)
        assert masked.value.problem.reason == "UnitMasked"

    @pytest.mark.parametrize(
        ("result", "kind", "reason"),
        [
            ("canceled", Transient, "JobCanceled"),
            ("timeout", Permanent, "JobTimeout"),
            ("dependency", Permanent, "JobDependencyFailed"),
            ("skipped", Permanent, "JobSkipped"),
            ("brand-new", Transient, "JobFailed"),
        ],
    )
    def test_results(self, result: str, kind: type[WorkloaddError], reason: str) -> None:
        error = job_failed("start x.service", "x.service", result)
        assert type(error) is kind and error.problem.reason == reason
        assert job_failed("start x.service", "x.service", "done") is None


class TestUnits:
    async def test_details(self, world: World, systemd: Systemd, clock: ManualClock) -> None:
        container = add_unit(world, more="Restart=always\nRestartSec=2")
        add_unit(world, "a-b", "Restart=no")
        clock.advance(10)
        await asyncio.gather(systemd.start(WEB), systemd.start("workload-a-b.service"))
        world.podman.exit(container, 7)
        state = (await systemd.units())[WEB]
        assert (state.active_state, state.sub_state) == ("activating", "auto-restart")
        assert (state.result, state.restarts) == ("exit-code", 0)
        clock.advance(2)
        states = await systemd.units()
        assert (states[WEB].active_state, states[WEB].restarts) == ("active", 1)
        assert states[WEB].active_since == clock.now()
        assert states["workload-a-b.service"].active_since == clock.now() - 2

    async def test_nothing_changed_costs_one_call(self, world: World, systemd: Systemd) -> None:
        for name in ("web", "db"):
            add_unit(world, name)
            await systemd.start(f"workload-{name}.service")
        first = await systemd.units()
        reads, calls = world.systemd.property_reads, len(world.systemd.calls)
        assert await systemd.units() == first
        assert world.systemd.property_reads == reads
        assert len(world.systemd.calls) == calls + 1

    async def test_a_signal_makes_one_unit_be_read(
        self, world: World, systemd: Systemd, wakes: Wakes, clock: ManualClock
    ) -> None:
        """A restart between two looks leaves the listing as it was."""
        for name in ("web", "db"):
            add_unit(world, name)
            await systemd.start(f"workload-{name}.service")
        await systemd.units()
        reads, before = world.systemd.property_reads, wakes.count
        world.crash("web_1")
        clock.advance(1)
        await wakes.more(before)
        assert (await systemd.units())[WEB].restarts == 1
        assert world.systemd.property_reads == reads + 4

    async def test_a_file_that_was_edited(self, world: World, systemd: Systemd) -> None:
        add_unit(world)
        await systemd.start(WEB)
        assert not (await systemd.units())[WEB].needs_reload
        with (world.unit_dir / WEB).open("a") as file:
            file.write("# edited\n")
        assert (await systemd.units([WEB]))[WEB].needs_reload
        await systemd.reload()
        assert not (await systemd.units())[WEB].needs_reload
        assert world.manager.reloads == 1

    async def test_a_reload_by_somebody_else(
        self, world: World, systemd: Systemd, wakes: Wakes
    ) -> None:
        add_unit(world)
        await systemd.start(WEB)
        (world.unit_dir / WEB).unlink()
        assert (await systemd.units([WEB]))[WEB].needs_reload
        before = wakes.count
        world.systemctl("daemon-reload")
        await wakes.more(before)
        state = (await systemd.units())[WEB]
        assert (state.load_state, state.needs_reload, state.active) == ("not-found", False, True)

    async def test_a_file_that_went_and_came_back(self, world: World, systemd: Systemd) -> None:
        """As seen of systemd 257: only a reload helps while the unit runs."""
        add_unit(world)
        await systemd.start(WEB)
        path = world.unit_dir / WEB
        text = path.read_text()
        path.unlink()
        await systemd.reload()
        path.write_text(text)
        with pytest.raises(Transient, match="resource busy"):
            await systemd.restart(WEB)
        await systemd.reload()
        await systemd.restart(WEB)

    async def test_many(self, world: World, systemd: Systemd) -> None:
        """More details than a socket buffer holds calls."""
        for number in range(300):
            add_unit(world, f"w{number}")
            world.systemctl("start", f"w{number}")
        await until(lambda: all(u.active_state == "active" for u in world.manager.units.values()))
        states = await systemd.units()
        assert len(states) == 300 and all(state.active for state in states.values())

    def test_paths(self) -> None:
        root = "/org/freedesktop/systemd1/unit/"
        assert unit_of_path(f"{root}workload_2da_2db_2eservice") == "workload-a-b.service"
        assert unit_of_path(f"{root}init_2escope") == ""
        assert unit_of_path("/org/freedesktop/systemd1") == ""


class TestManager:
    async def test_started_at(self, systemd: Systemd, clock: ManualClock) -> None:
        assert await systemd.manager_started_at() == clock.now()

    async def test_reset_of_what_is_not_loaded(self, systemd: Systemd) -> None:
        await systemd.reset_failed("workload-none.service")

    async def test_wakes(self, world: World, systemd: Systemd, wakes: Wakes) -> None:
        container = add_unit(world)
        await systemd.start(WEB)
        happenings: list[Callable[[], None]] = [
            lambda: world.podman.exit(container, 1),
            world.systemd.unit_files_changed,
            world.systemd.reload,
        ]
        for happening in happenings:
            before = wakes.count
            happening()
            await wakes.more(before)

    async def test_executed_anew(self, world: World, systemd: Systemd, wakes: Wakes) -> None:
        add_unit(world)
        world.manager.hold.clear()
        start = asyncio.create_task(systemd.start(WEB))
        await until(lambda: ("StartUnit", WEB) in world.systemd.calls)
        world.systemd.calls.clear()
        await world.systemd.reexecute()
        with pytest.raises(Transient, match="executed anew"):
            await start
        await until(lambda: ("Subscribe", "") in world.systemd.calls)
        world.manager.hold.set()
        await systemd.start(WEB)
        assert (await systemd.units())[WEB].active

    async def test_no_answer(self, world: World, systemd: Systemd) -> None:
        world.systemd.deaf.add("Reload")
        with pytest.raises(Transient, match=r"cannot reload .*: no answer within 0\.05 s"):
            await systemd.reload(timeout=0.05)


class TestBus:
    async def test_lost_and_found(self, world: World, systemd: Systemd, wakes: Wakes) -> None:
        add_unit(world)
        world.manager.hold.clear()
        start = asyncio.create_task(systemd.start(WEB))
        await until(lambda: ("StartUnit", WEB) in world.systemd.calls)
        await world.restart_bus()
        with pytest.raises(Transient):
            await start
        await systemd.wait_lost()
        with pytest.raises(Transient, match="cannot list the units"):
            await systemd.units()
        world.manager.hold.set()
        await systemd.connect()
        await systemd.start(WEB)
        before = wakes.count
        world.systemctl("stop", "web")
        await wakes.more(before)

    async def test_what_cannot_be_read_ends_the_connection(self, world: World) -> None:
        """dbus-fast ends it so, with whatever its unmarshaller stumbled over."""
        lost = asyncio.Event()
        bus = Bus(world.bus_address, lambda message: None, lost.set)
        await bus.connect()
        world.systemd.deaf.add("Reload")
        call = asyncio.create_task(
            bus.call(MANAGER_PATH, MANAGER, "Reload", doing="reload the unit files")
        )
        await until(lambda: bool(bus._bus._method_return_handlers))
        bus._bus._finalize(IndexError("a message of no sense"))
        async with asyncio.timeout(5):
            await lost.wait()
        with pytest.raises(Transient, match="cannot reload the unit files"):
            await call
        await bus.close()

    async def test_no_bus(self, tmp_path: Path) -> None:
        systemd = Systemd(f"unix:path={tmp_path}/none")
        with pytest.raises(Transient, match="cannot connect to the user bus: No such") as missing:
            await systemd.connect()
        assert missing.value.problem.hint
        with pytest.raises(Transient, match="not connected"):
            await systemd.units()
        await systemd.close()

    async def test_nobody_has_the_name(self, world: World, systemd: Systemd) -> None:
        await world.systemd.stop()
        with pytest.raises(Transient) as away:
            await systemd.manager_started_at()
        assert away.value.problem.reason == "SystemdUnavailable"

    @pytest.mark.parametrize(
        ("name", "kind", "reason"),
        [
            ("org.freedesktop.systemd1.ShuttingDown", Transient, "SystemdShuttingDown"),
            ("org.freedesktop.systemd1.TransactionIsDestructive", Transient, "JobConflict"),
            ("org.freedesktop.DBus.Error.NoReply", Transient, "SystemdUnavailable"),
            ("org.freedesktop.DBus.Error.AccessDenied", Permanent, "AccessDenied"),
            ("org.freedesktop.systemd1.BadUnitSetting", Permanent, "UnitNotLoaded"),
            ("System.Error.EIO", Transient, "SystemdError"),
        ],
    )
    def test_errors(self, name: str, kind: type[WorkloaddError], reason: str) -> None:
        error = refused("start x", name, "some\nwords")
        assert type(error) is kind
        assert (error.problem.reason, error.problem.message) == (
            reason,
            "cannot start x: some words",
        )


async def test_a_command_that_systemd_runs(world: World, systemd: Systemd) -> None:
    await systemd.run("workloadd-x.service", ["/bin/true", "a b"], "Try", timeout=5)
    ((unit, properties),) = world.systemd.transient
    assert unit == "workloadd-x.service"
    ((path, command, _),) = properties["ExecStart"]
    assert (path, command) == ("/bin/true", ["/bin/true", "a b"])
    assert (properties["Type"], properties["Description"]) == ("oneshot", "Try")
    world.systemd.transient_result = "failed"
    with pytest.raises(Permanent, match="it failed"):
        await systemd.run("workloadd-x.service", ["/bin/false"], "Try")


async def test_files_are_given_away_in_podmans_user_namespace(
    world: World, systemd: Systemd
) -> None:
    owners = Owners(systemd)
    await owners.give([Path("/a"), Path("/b c")], 999, 998)
    ((_, properties),) = world.systemd.transient
    ((_, command, _),) = properties["ExecStart"]
    assert command[1:] == ["unshare", "chown", "-h", "999:998", "--", "/a", "/b c"]
    world.systemd.transient_result = "failed"
    with pytest.raises(Permanent) as refused_:
        await owners.give([Path("/a")], 70000, 0)
    assert refused_.value.problem.reason == "NoSuchOwner"
    assert "journalctl --user -u workloadd-chown-" in refused_.value.problem.hint
