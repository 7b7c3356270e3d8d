"""The whole daemon with jobs: run once, at times, by hand; and carried on by the next daemon."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from aiohttp import ClientSession, UnixConnector

from tests.fakes import timers
from tests.fakes.installed import Installed
from tests.fakes.world import until
from tests.wire.test_daemon_killed import Killed, kill_after
from workloadd.core.status import RunStatus
from workloadd.history.runs import RECENT

ONCE = "kind: job\nimage: localhost/app:1\n"
DAILY = f"{ONCE}schedule: daily\n"
TIMER, SERVICE = "workload-web.timer", "workload-web.service"


def runs(host: Installed) -> list[RunStatus]:
    """The runs in the status, the newest first."""
    status = host.status()
    return list(status.job.runs) if status and status.job else []


def outcomes(host: Installed) -> list[str]:
    return [run.outcome for run in runs(host)]


def finish(host: Installed, code: int = 0) -> None:
    """The container that runs ends."""
    (container,) = (c for c in host.world.podman.containers.values() if c.running)
    host.world.podman.exit(container.id, code)


def fresh(host: Installed) -> bool:
    """Whether the next run's container is all there is, and nothing ran in it."""
    found = list(host.world.podman.containers.values())
    return [(c.name, c.state) for c in found] == [("web", "created")] and host.is_idle()


async def post(host: Installed) -> tuple[int, Any]:
    connector = UnixConnector(str(host.paths.socket))
    async with (
        ClientSession(connector=connector) as session,
        session.post("http://localhost/v1/workloads/web/run") as answer,
    ):
        return answer.status, json.loads(await answer.text())


async def test_one_that_runs_once(host: Installed) -> None:
    host.write("web", ONCE)
    await host.start()
    await host.until(lambda: host.is_in("Running"))
    finish(host)
    await host.until(lambda: host.is_in("Completed") and host.is_idle())
    (run,) = runs(host)
    assert (run.trigger, run.outcome, run.exit_code) == ("revision", "succeeded", 0)
    assert await host.outcomes() == ["stable"]
    await host.restart()
    await host.passes()
    assert host.is_in("Completed")
    assert outcomes(host) == ["succeeded"]


async def test_one_that_fails_says_why(host: Installed) -> None:
    host.write("web", "kind: job\nimage: localhost/app:bad\n")
    await host.start()
    await host.until(lambda: host.is_in("Failed") and host.is_idle())
    (row,) = await host.daemon.history.runs.of("web")
    assert (row.run.outcome, row.run.exit_code) == ("failed", 1)
    assert row.log == ("cannot open /data",)
    assert await host.outcomes() == ["failed"]


async def test_one_with_a_schedule(host: Installed) -> None:
    host.write("web", DAILY)
    await host.start()
    await host.until(lambda: host.is_in("Scheduled") and fresh(host))
    assert host.unit_files() == {SERVICE, TIMER}
    assert await host.outcomes() == ["stable"]
    status = host.status()
    assert status and status.job and status.job.next_run
    seen = set()
    for code, state in ((0, "Scheduled"), (3, "Failed")):
        seen |= set(host.world.podman.containers)
        timers.elapse(host.world.manager, TIMER)
        await host.until(lambda: host.is_in("Running"))
        finish(host, code)
        await host.until(lambda state=state: host.is_in(state) and fresh(host))  # type: ignore[misc]
        assert not seen & set(host.world.podman.containers), "each run has its own"
    assert outcomes(host) == ["failed", "succeeded"]
    host.remove("web")
    await host.gone()
    assert not host.unit_files()
    assert TIMER not in host.world.manager.units
    assert ("CleanUnit", TIMER) in host.world.systemd.calls


async def test_a_run_that_no_daemon_saw(host: Installed) -> None:
    host.write("web", DAILY)
    await host.start()
    await host.until(lambda: fresh(host))
    await host.kill()
    timers.elapse(host.world.manager, TIMER)
    await until(lambda: any(c.running for c in host.world.podman.containers.values()))
    finish(host, 4)
    await host.start()
    await host.until(lambda: fresh(host))
    (run,) = runs(host)
    assert (run.trigger, run.outcome, run.exit_code) == ("schedule", "failed", 4)


async def test_a_run_by_hand(host: Installed) -> None:
    host.write("web", DAILY)
    await host.start()
    await host.until(lambda: host.is_in("Scheduled") and fresh(host))
    code, document = await post(host)
    assert (code, document["state"]) == (202, "started")
    await host.until(lambda: host.is_in("Running"))
    assert [(run.id, run.trigger) for run in runs(host)] == [(document["run"], "manual")]
    code, document = await post(host)
    assert (code, document["reason"]) == (409, "AlreadyRunning")
    finish(host)
    await host.until(lambda: host.is_in("Scheduled") and fresh(host))


async def test_a_run_by_hand_that_cannot_start_says_why(host: Installed) -> None:
    image = host.world.podman.add_image("localhost/none:1", start_error="no such program")
    host.write("web", f"kind: job\nimage: {next(iter(image.names))}\nschedule: daily\n")
    await host.start()
    await host.until(lambda: host.is_in("Scheduled") and fresh(host))
    code, document = await post(host)
    assert (code, document["reason"]) == (503, "JobFailed")
    await host.until(lambda: outcomes(host) == ["failed"] and host.is_in("Failed"))


async def test_a_new_revision_waits_for_the_run(host: Installed) -> None:
    host.write("web", DAILY)
    await host.start()
    await host.until(lambda: fresh(host))
    timers.elapse(host.world.manager, TIMER)
    await host.until(lambda: host.is_in("Running"))
    host.write("web", DAILY.replace("app:1", "app:2"))
    await host.passes()
    assert list(host.containers().values()) == ["running"]
    finish(host)
    await host.until(lambda: fresh(host))
    status = host.status()
    assert status and status.current and status.current.image == "localhost/app:2"
    assert outcomes(host) == ["succeeded"]


async def test_killed_after_every_call(host: Installed) -> None:
    """Whenever the daemon dies, the next one carries on: from the file to its removal."""
    for count in itertools.count(1):
        await another(host)
        made = kill_after(host.daemon, count)
        await done(host, lambda: host.write("web", DAILY), lambda: fresh(host))
        await done(
            host,
            lambda: timers.elapse(host.world.manager, TIMER),
            lambda: host.is_in("Running") and outcomes(host)[:1] == [""],
        )
        await done(host, lambda: finish(host), lambda: fresh(host))
        assert outcomes(host) == ["succeeded"] * min(count, RECENT)
        await done(
            host, lambda: host.remove("web"), lambda: host.status() is None and host.is_idle()
        )
        if len(made) < count:
            break
    assert count > 10
    assert not host.unit_files() and not host.world.podman.containers


async def another(host: Installed) -> None:
    """A daemon in the place of one that may have died after all that was waited for."""
    try:
        await host.stop()
    except BaseExceptionGroup as end:
        assert end.subgroup(Killed)
    await host.start()


async def done(host: Installed, do: Callable[[], object], condition: Callable[[], bool]) -> None:
    """Do something, and wait for what comes of it, by another daemon if this one dies."""
    do()
    try:
        await host.until(condition)
    except BaseExceptionGroup as end:
        assert end.subgroup(Killed)
        await host.start()
        await host.until(condition)
