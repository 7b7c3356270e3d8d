"""The whole daemon with workloads that systemd starts on a connection."""

import itertools

import pytest

from tests.fakes import sockets
from tests.fakes.installed import Installed
from tests.wire.test_daemon_killed import Killed, kill_after

ONE = "image: localhost/app:1\nsockets: [8080]\n"
OTHER = "image: localhost/app:2\nsockets: [8081, {listen: 8082, name: more}]\n"
BAD = "image: localhost/app:bad\nsockets: [8081]\n"
PUBLISHED = "image: localhost/app:2\nports: ['8080:80']\n"


def listening(host: Installed, name: str = "web") -> set[str]:
    """What systemd listens on for a workload."""
    prefixes = (f"workload-{name}.", f"workload-{name}_")
    units = host.world.manager.units.values()
    return {one for unit in units if unit.name.startswith(prefixes) for one in unit.listening}


def ready(host: Installed, name: str = "web") -> str:
    """Why a workload is Ready, or is not."""
    status = host.status(name)
    condition = status.condition("Ready") if status else None
    return condition.reason if condition else ""


async def test_it_sleeps_until_somebody_connects(host: Installed) -> None:
    await host.start()
    host.write("web", ONE)
    status = await host.settled()
    assert (ready(host), listening(host)) == ("Running", {"8080"})
    assert status.ports == ("8080",)
    assert {link.name for link in host.world.wants.iterdir()} == {"workload-web.socket"}

    host.world.manager.dispatch("stop", "workload-web.service")
    await host.until(lambda: ready(host) == "Listening")
    await host.passes()
    unit = host.world.unit("web")
    assert unit and unit.active_state == "inactive" and host.is_in("Ready")

    sockets.connect(host.world.manager, "8080")
    await host.until(lambda: ready(host) == "Running")
    assert await host.outcomes() == ["stable"]
    assert await host.notes("drift") == []


async def test_disabled_and_removed_it_does_not_listen(host: Installed) -> None:
    await host.start()
    host.write("web", ONE)
    await host.settled()
    host.write("web", f"{ONE}enabled: false\n")
    await host.until(lambda: host.is_in("Disabled") and host.is_idle())
    assert listening(host) == set() and not list(host.world.wants.iterdir())
    host.write("web", ONE)
    await host.until(lambda: ready(host) == "Listening")
    host.remove("web")
    await host.gone()
    assert (host.unit_files(), listening(host)) == (set(), set())


SCENARIOS = {
    "deploy": ("", ONE, {"8080"}),
    "update": (ONE, OTHER, {"8081", "8082"}),
    "fewer": (OTHER, ONE, {"8080"}),
    "bad": (ONE, BAD, {"8080"}),
    "to ports": (ONE, PUBLISHED, set()),
    "from ports": (PUBLISHED, ONE, {"8080"}),
    "remove": (ONE, "", set()),
}


def finished(host: Installed, name: str, before: str, after: str) -> bool:
    if not after:
        return host.status(name) is None and host.is_idle(name)
    image = after.partition("\n")[0].removeprefix("image: ")
    if after == BAD:
        return host.is_in("Degraded", name) and host.is_idle(name)
    return host.is_settled(name, image)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_killed_after_every_call_it_listens_as_the_file_says(
    host: Installed, scenario: str
) -> None:
    before, after, expected = SCENARIOS[scenario]
    await host.start()
    for count in itertools.count(1):
        name = f"w{count}"
        if before:
            host.write(name, before)
            await host.until(lambda name=name: finished(host, name, "", before))  # type: ignore[misc]
        made = kill_after(host.daemon, count)
        if after:
            host.write(name, after)
        else:
            host.remove(name)
        try:
            await host.until(lambda name=name: finished(host, name, before, after))  # type: ignore[misc]
            await host.stop()
        except BaseExceptionGroup as end:
            assert end.subgroup(Killed)
        await host.start()
        await host.until(lambda name=name: finished(host, name, before, after))  # type: ignore[misc]
        await host.until(lambda name=name: listening(host, name) == expected)  # type: ignore[misc]
        if after:
            # Going back, what was deployed before may be left to the next connection.
            for address in expected:
                sockets.connect(host.world.manager, address)
            await host.until(lambda name=name: ready(host, name) == "Running")  # type: ignore[misc]
            host.remove(name)
            await host.gone(name)
        if len(made) < count:
            break
    assert count > 5
    assert host.unit_files() == set() and not host.world.podman.containers
