"""The whole daemon: what follows when a container's probes turn."""

import pytest

from tests.fakes.installed import Installed
from workloadd.core import liveness
from workloadd.core.status import WorkloadStatus

GOOD, ILL = (0, b""), (1, b"")
WEB = "image: localhost/app:1\n"
TRY = "exec: [check], interval: 100ms, failure_threshold: 2"
READY = f"{WEB}probes: {{readiness: {{{TRY}}}}}\n"
ALIVE = f"{WEB}probes: {{liveness: {{{TRY}}}}}\n"


def status(host: Installed) -> WorkloadStatus:
    found = host.status()
    assert found
    return found


def started(host: Installed) -> float:
    current = status(host).current
    assert current
    return host.world.podman.containers[current.container].started


async def test_ready_goes_by_readiness_and_nothing_is_restarted(host: Installed) -> None:
    host.world.podman.exec_result = GOOD
    await host.start()
    host.write("web", READY)
    await host.settled()
    before = started(host)
    host.world.podman.exec_result = ILL
    await host.until(lambda: host.is_in("NotReady"))
    (probe,) = status(host).probes
    assert (probe.kind, probe.ok, probe.verdict) == ("readiness", False, False)
    ready = status(host).condition("Ready")
    assert ready and ready.reason == "NotReady" and "its readiness probe failed" in ready.message
    host.world.podman.exec_result = GOOD
    await host.until(lambda: host.is_in("Ready"))
    assert started(host) == before
    assert await host.notes("liveness") == []


async def test_what_is_not_alive_is_started_again_and_the_next_daemon_goes_on_counting(
    host: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "_BASE", 0.05)
    host.world.podman.exec_result = GOOD
    await host.start()
    host.write("web", ALIVE)
    await host.settled()
    before = started(host)
    host.world.podman.exec_result = ILL
    await host.until(lambda: started(host) > before)
    assert "its liveness probe failed" in (await host.notes("liveness"))[0]
    await host.restart()
    await host.until(lambda: host.is_in("Degraded"))
    assert "times in a row, as it was not alive" in status(host).message
    host.world.podman.exec_result = GOOD
    await host.until(lambda: _ready(host))
    alive = status(host).condition("Alive")
    assert alive and alive.reason == "Relapsing", "it has to hold"


async def test_a_version_that_is_not_alive_is_undone(host: Installed) -> None:
    host.world.podman.exec_result = GOOD
    await host.start()
    host.write("web", WEB)
    before = await host.settled()
    host.world.podman.exec_result = ILL
    host.write("web", f"{ALIVE}update: {{soak: 10s}}\n")
    await host.until(lambda: host.is_in("Degraded") and host.is_idle())
    after = status(host)
    assert after.current and before.current
    assert after.current.container == before.current.container
    assert after.last_rollout and after.last_rollout.reason == "ProbeFailed"


def _ready(host: Installed) -> bool:
    ready = status(host).condition("Ready")
    return ready is not None and ready.status == "True" and not host.daemon.executor.busy
