"""The whole daemon with workloads that wait for each other, and killed after every call."""

import itertools

from tests.fakes.installed import Installed
from tests.fakes.podman_state import FakeContainer
from tests.fakes.world import until
from tests.wire.test_daemon_killed import carried_on, kill_after

IMAGE = "image: localhost/app:1\n"
JOB = "kind: job\nimage: localhost/app:done\n"
APP = f"{IMAGE}depends_on: {{db: {{condition: healthy}}, load: {{condition: completed}}}}\n"
NAMES = ("app", "db", "load")
POD = """\
containers:
  app:
    image: localhost/app:1
    depends_on: {db: {condition: healthy}, load: {condition: completed}}
  db: {image: 'localhost/app:1'}
  load: {image: 'localhost/app:done', restart: no}
"""


def needing(name: str) -> str:
    return f"{IMAGE}depends_on: [{name}]\n"


def in_order(host: Installed, *names: str) -> bool:
    """Whether containers of these names were started one after the other."""
    found = [host.world.container(name) for name in names]
    times = [one.started for one in found if one]
    return len(times) == len(names) and all(a < b for a, b in itertools.pairwise(times))


def stops(host: Installed, *names: str) -> list[str]:
    """Those of some containers that are stopped from now on, in that order."""
    found: list[str] = []

    def ended(container: FakeContainer, _code: int) -> None:
        if container.name in names:
            found.append(container.name)

    host.world.podman.on_exit.append(ended)
    return found


def runs(host: Installed, name: str) -> bool:
    container = host.world.container(name)
    return container is not None and container.running


def is_waiting(host: Installed, name: str, what: str) -> bool:
    status = host.status(name)
    return bool(status and status.state == "Waiting" and what in status.message)


async def test_a_file_that_comes_later(host: Installed) -> None:
    host.write("app", needing("db"))
    await host.start()
    await host.until(lambda: is_waiting(host, "app", "db (there is no such workload)"))
    host.write("db")
    await host.settled("app")


async def test_systemd_starts_nothing_that_is_not_to_run(host: Installed) -> None:
    host.write("app", needing("db"))
    host.write("db")
    await host.start()
    await host.settled("app")
    await host.settled("db")
    host.write("db", f"{IMAGE}enabled: false\n")
    await host.until(lambda: host.is_in("Disabled", "db") and host.is_idle("db"))
    host.world.crash("app")
    await host.until(lambda: (s := host.status("app")) is not None and s.restarts == 1)
    await host.passes()
    found = [c for c in host.world.systemd.calls if c == ("StopUnit", "workload-db.service")]
    assert len(found) == 1, "it never ran again"


async def test_after_every_kill_all_is_started_in_order_and_once(host: Installed) -> None:
    host.world.podman.add_image("localhost/app:done", exits=0)
    for count in itertools.count(1):
        await host.start()
        made = kill_after(host.daemon, count)
        for name, text in zip(NAMES, (APP, IMAGE, JOB), strict=True):
            host.write(name, text)
        await carried_on(
            host, lambda: host.is_settled("app") and all(host.is_idle(name) for name in NAMES)
        )
        assert in_order(host, "db", "app") and in_order(host, "load", "app")
        assert (await host.outcomes("app"))[0] == "stable"
        done = await host.daemon.history.runs.of("load")

        await host.kill()
        await host.world.reboot()
        await host.start()
        await host.settled("app")
        assert in_order(host, "db", "app")
        assert await host.daemon.history.runs.of("load") == done, "what is done is done"

        order = stops(host, "app", "db")
        for name in NAMES:
            host.remove(name)
        await host.until(lambda: not any(host.status(name) for name in NAMES))
        assert order == ["app", "db"]
        await host.stop()
        if len(made) < count:
            break
    assert count > 10


async def test_in_a_pod_as_well(host: Installed) -> None:
    host.world.podman.add_image("localhost/app:done", exits=0)
    for count in itertools.count(1):
        await host.start()
        made = kill_after(host.daemon, count)
        host.write("web", POD)
        await carried_on(host, lambda: host.is_in("Ready") and host.is_idle())
        assert in_order(host, "web_db", "web_app") and in_order(host, "web_load", "web_app")
        host.remove("web")
        await host.gone()
        await host.stop()
        if len(made) < count:
            break
    assert count > 5


async def test_with_no_daemon_the_target_starts_all_of_a_pod(host: Installed) -> None:
    host.world.podman.add_image("localhost/app:done", exits=0)
    await host.start()
    host.write("web", POD)
    await host.until(lambda: host.is_in("Ready") and host.is_idle())
    await host.kill()
    await host.world.reboot()
    await until(lambda: runs(host, "web_db") and runs(host, "web_app"))
