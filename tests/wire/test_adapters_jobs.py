"""What jobs need of Podman and systemd, through the real adapters."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes import timers
from tests.fakes.clock import ManualClock
from tests.fakes.world import World, running_world
from workloadd.core.runs import Ending
from workloadd.host.podman import Podman
from workloadd.host.podman_runs import parse_ending
from workloadd.host.systemd import Systemd

TIMER, SERVICE = "workload-backup.timer", "workload-backup.service"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    async with running_world(tmp_path, clock) as running:
        running.podman.add_image("localhost/app:1")
        yield running


@pytest.fixture
async def systemd(world: World) -> AsyncIterator[Systemd]:
    client = Systemd(world.bus_address, wake=lambda: None)
    await client.connect()
    yield client
    await client.close()


def add_job(world: World) -> str:
    """A container, its unit and a timer; the container's ID."""
    container = world.podman.create({"name": "backup_1", "image": "localhost/app:1"})
    service = f"[Service]\nExecStart=/usr/bin/podman start {container.id}\nRestart=no\n"
    (world.unit_dir / SERVICE).write_text(service)
    (world.unit_dir / TIMER).write_text(f"[Timer]\nOnCalendar=daily\nUnit={SERVICE}\n")
    return container.id


async def test_a_timer_tells_when_it_elapses_and_did(
    world: World, systemd: Systemd, clock: ManualClock
) -> None:
    add_job(world)
    await systemd.start(TIMER)
    timer = (await systemd.units())[TIMER]
    assert (timer.active, timer.sub_state, timer.triggered_at) == (True, "waiting", 0.0)
    assert timer.next_at == clock.now() + timers.NEXT
    timers.elapse(world.manager, TIMER)
    timer = (await systemd.units(refresh=[TIMER]))[TIMER]
    assert timer.triggered_at == clock.now()
    await systemd.stop(TIMER)
    assert TIMER not in await systemd.units()


async def test_what_systemd_keeps_of_a_timer_is_removed_as_far_as_it_can(
    world: World, systemd: Systemd
) -> None:
    add_job(world)
    await systemd.clean(TIMER)
    assert ("CleanUnit", TIMER) in world.systemd.calls
    world.systemd.fail_next["CleanUnit"] = (
        "org.freedesktop.DBus.Error.NotSupported",
        f"Failed to clean unit {TIMER}: unit type does not support cleaning",
    )
    await systemd.clean(TIMER)


async def test_a_run_is_told_exactly(world: World, systemd: Systemd, clock: ManualClock) -> None:
    container = add_job(world)
    podman = Podman(world.podman_socket, user="workloads")
    try:
        assert await podman.runs.ending(container) == Ending(0.0, 0.0, 0)
        clock.advance(0.25)
        began = clock.now()
        await systemd.start(SERVICE)
        assert await podman.runs.ending(container) == Ending(began, 0.0, 0)
        clock.advance(2.5)
        world.podman.exit(container, 3)
        assert await podman.runs.ending(container) == Ending(began, began + 2.5, 3)
        await systemd.start(SERVICE)
        clock.advance(1)
        await systemd.stop(SERVICE)
        assert (await podman.runs.ending(container)).stopped
    finally:
        await podman.close()


def test_after_a_power_cut_podman_knows_of_no_end() -> None:
    """As Podman 5.4.2 answered of a container that ran as the power went."""
    body = b"""{"State": {"Status": "exited", "ExitCode": 0,
        "StartedAt": "2026-11-24T11:04:28.550397929Z",
        "FinishedAt": "0001-01-01T00:00:00Z"}}"""
    assert parse_ending(body) == Ending(1795518268.550397, 0.0, 0)
