"""The daemon is killed after every single thing it does, and another one carries on.

What it does are the calls that change something: Podman's, systemd's, unit files, the history. Each
scenario is run with the daemon dying after the first of them, then after the second, and so on,
until one run gets by with fewer. No state of the dead daemon is left but what is on the host.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests import calls
from tests.fakes.installed import CountingDaemon, Installed
from workloadd.render.record import parse_record


class Killed(BaseException):
    """kill -9, as far as a test can: nothing in the daemon catches it."""


@dataclass(frozen=True)
class Scenario:
    """Something to do with a workload that is settled, and the containers and outcomes it ends in.

    `image` is what serves in the end, None for nothing. `older` says that the previous one is kept.
    """

    before: str | None
    after: str | None
    image: str | None
    outcomes: tuple[str, ...]
    older: bool = False


SCENARIOS = {
    "deploy": Scenario(None, "1", "1", ("stable",)),
    "update": Scenario("1", "2", "2", ("stable", "stable"), older=True),
    "bad": Scenario("1", "bad", "1", ("rolled-back", "stable")),
    "remove": Scenario("1", None, None, ("stable",)),
}


def kill_after(daemon: CountingDaemon, count: int) -> list[str]:
    """Have a daemon die when it has made `count` calls; returns what it has called by then."""
    made: list[str] = []

    def done(name: str) -> None:
        made.append(name)
        if len(made) == count:
            raise Killed(name)

    calls.tell(daemon, done)
    return made


async def carried_on(host: Installed, finished: Callable[[], bool]) -> None:
    """Wait for an end, whether or not the daemon dies before it; another one finds the same."""
    try:
        await host.until(finished)
        await host.stop()
    except BaseExceptionGroup as end:
        assert end.subgroup(Killed)
    await host.start()
    await host.until(finished)


def is_finished(host: Installed, name: str, scenario: Scenario) -> bool:
    if scenario.image is None:
        return host.status(name) is None and host.is_idle(name)
    if scenario.image == scenario.after:
        return host.is_settled(name, f"localhost/app:{scenario.image}")
    return host.is_in("Degraded", name) and host.is_idle(name)


async def check(host: Installed, name: str, scenario: Scenario) -> None:
    """What the scenario is to end in, and nothing else."""
    states = sorted(host.containers(name).values(), reverse=True)
    rows = await host.rollouts(name)
    assert tuple(row.outcome for row in rows) == scenario.outcomes
    if scenario.image is None:
        assert states == [] and host.world.unit(name) is None
        return
    assert states == (["running", "exited"] if scenario.older else ["running"])
    container, unit = host.world.container(name), host.world.unit(name)
    record = parse_record(host.unit_file(name).read_text())
    assert container and unit and record
    assert container.image_name == f"localhost/app:{scenario.image}"
    assert container.running and unit.main == container.id == record.containers[0][1]
    assert (unit.active_state, host.world.manager.needs_reload(unit)) == ("active", False)


async def one_run(host: Installed, scenario: Scenario, name: str, count: int) -> list[str]:
    """The scenario with a daemon that dies after `count` calls; returns the calls it made."""
    if scenario.before:
        host.write(name, f"image: localhost/app:{scenario.before}\n")
        await host.settled(name, f"localhost/app:{scenario.before}")
    made = kill_after(host.daemon, count)
    if scenario.after:
        host.write(name, f"image: localhost/app:{scenario.after}\n")
    else:
        host.remove(name)
    await carried_on(host, lambda: is_finished(host, name, scenario))
    return made


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
async def test_killed_after_every_call(host: Installed, scenario: Scenario) -> None:
    await host.start()
    for count in itertools.count(1):
        name = f"w{count}"
        made = await one_run(host, scenario, name, count)
        await check(host, name, scenario)
        if scenario.after:
            host.remove(name)
            await host.gone(name)
        if len(made) < count:
            break
    assert count > 5
    assert host.unit_files() == set() and not host.world.podman.containers
    assert not list(host.world.wants.iterdir())
