"""The whole daemon and a reboot of the host: drained, granted, undone, and kept over restarts."""

import pytest

from tests.fakes.installed import Installed
from tests.fakes.world import until
from workloadd import daemon as module
from workloadd import fleetlock
from workloadd.core.errors import Declined, Transient, WorkloaddError
from workloadd.core.fleetlock import Client, Stage
from workloadd.settings.model import FleetLockSettings

ZINCATI, OTHER = Client("zincati", "default"), Client("other", "default")


class Upstream:
    """A server elsewhere, which says what it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.obstacle: WorkloaddError | None = None

    async def lock(self, client: Client) -> None:
        await self._called(f"lock {client.id}")

    async def release(self, client: Client) -> None:
        await self._called(f"release {client.id}")

    async def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.obstacle:
            raise self.obstacle


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Upstream:
    made = Upstream()
    monkeypatch.setattr(module, "Upstream", lambda base: made)
    monkeypatch.setattr(fleetlock, "_RETRY_BASE", 0.01)
    return made


def enable(host: Installed, timeout: float = 600.0, upstream: str = "") -> None:
    settings = FleetLockSettings(enabled=True, timeout=timeout, upstream=upstream)
    host.settings = host.settings.model_copy(update={"fleetlock": settings})


async def serving(host: Installed) -> None:
    host.write("db", "image: localhost/app:1\n")
    host.write("web", "image: localhost/app:1\ndepends_on: [db]\n")
    await host.start()
    await host.settled("db")
    await host.settled("web")
    await host.until(lambda: host.is_idle("db") and host.is_idle("web"))
    await host.passes()


async def refused(host: Installed, client: Client = ZINCATI) -> str:
    with pytest.raises(WorkloaddError) as error:
        await host.daemon.locks.ask(client)
    return error.value.problem.reason


def states(host: Installed) -> set[str]:
    return {*host.containers("db").values(), *host.containers("web").values()}


def stage(host: Installed) -> Stage:
    return host.daemon.locks.lock.stage


async def test_off_there_is_no_lock(host: Installed) -> None:
    await serving(host)
    assert host.daemon.board.status.reboot is None


async def test_asked_granted_and_released(host: Installed) -> None:
    enable(host)
    await serving(host)
    await host.daemon.locks.ask(ZINCATI)
    assert stage(host) is Stage.GRANTED
    assert states(host) == {"exited"}
    calls = [unit for call, unit in host.world.systemd.calls if call == "StopUnit"]
    assert calls.index("workload-web.service") < calls.index("workload-db.service")
    assert host.is_in("Drained", "web")
    await host.daemon.locks.ask(ZINCATI)
    assert await refused(host, OTHER) == "FailedLockHeld"
    await host.daemon.locks.release(OTHER)
    assert stage(host) is Stage.GRANTED
    await host.daemon.locks.release(ZINCATI)
    await host.daemon.locks.release(ZINCATI)
    await host.settled("web")
    assert await host.notes("drift", "web") == []
    assert await host.notes("undrained", "web") == ["started again: the reboot was called off"]
    assert (await host.notes("drained", "db"))[0].startswith("stopped for a reboot")


async def test_before_the_first_look_it_is_refused(host: Installed) -> None:
    enable(host)
    host.launch()
    assert await refused(host) == "FailedLockNotReady"
    await host.until(lambda: host.daemon.board.status.passes.count > 0)


async def test_a_drain_that_takes_long_is_done_the_next_time(
    host: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleetlock, "PATIENCE", 0.0)
    enable(host)
    await serving(host)
    assert await refused(host) == "FailedLockDraining"
    await host.until(lambda: states(host) == {"exited"})
    await host.passes()
    assert "2 of 2 workloads are stopped" in host.daemon.board.status.reboot.message  # type: ignore[union-attr]
    await host.daemon.locks.ask(ZINCATI)
    assert stage(host) is Stage.GRANTED


async def test_a_restart_of_the_daemon_changes_nothing(host: Installed) -> None:
    enable(host)
    await serving(host)
    await host.daemon.locks.ask(ZINCATI)
    await host.restart()
    await host.passes()
    assert stage(host) is Stage.GRANTED
    assert states(host) == {"exited"}
    await host.daemon.locks.ask(ZINCATI)


async def test_after_the_reboot_all_starts_and_the_lock_waits(
    host: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable(host)
    await serving(host)
    await host.daemon.locks.ask(ZINCATI)
    await host.stop()
    monkeypatch.setattr(module, "boot_id", lambda: "another")
    await host.start()
    await host.settled("web")
    assert stage(host) is Stage.REBOOTED
    assert await refused(host, OTHER) == "FailedLockHeld"
    await host.daemon.locks.release(ZINCATI)
    assert stage(host) is Stage.FREE


async def test_a_grant_that_comes_to_nothing_is_undone(host: Installed) -> None:
    enable(host, timeout=1.0)
    await serving(host)
    await host.daemon.locks.ask(ZINCATI)
    await host.until(lambda: stage(host) is Stage.FREE)
    await host.settled("web")
    reboot = host.daemon.board.status.reboot
    assert reboot and "not rebooted in time" in reboot.message


async def test_a_lock_that_cannot_be_kept_is_refused(host: Installed) -> None:
    enable(host)
    await serving(host)

    async def full(lock: object) -> None:
        raise Transient("HistoryFailed", "cannot use the history: disk full")

    host.daemon.history.reboot_lock.keep = full  # type: ignore[method-assign, assignment]
    assert await refused(host) == "HistoryFailed"
    await host.passes()
    assert states(host) == {"running"}


async def test_another_server_is_asked_first(host: Installed, upstream: Upstream) -> None:
    enable(host, upstream="http://lock.example/")
    await serving(host)
    upstream.obstacle = Declined("failed_lock_semaphore_full", "all taken")
    assert await refused(host) == "failed_lock_semaphore_full"
    await host.passes()
    assert states(host) == {"running"}, "nothing is stopped before it says yes"
    upstream.obstacle = None
    await host.daemon.locks.ask(ZINCATI)
    await host.daemon.locks.ask(ZINCATI)
    assert upstream.calls == ["lock zincati"] * 2
    await host.daemon.locks.release(ZINCATI)
    assert upstream.calls[2:] == ["release zincati"]
    await host.settled("web")


async def test_it_is_told_of_a_release_until_it_knows(host: Installed, upstream: Upstream) -> None:
    enable(host, upstream="http://lock.example/")
    await serving(host)
    await host.daemon.locks.ask(ZINCATI)
    upstream.obstacle = Transient("FailedLockUpstreamAway", "cannot ask it")
    with pytest.raises(Transient):
        await host.daemon.locks.release(ZINCATI)
    await host.settled("web")
    await until(lambda: len(upstream.calls) > 3)
    await host.restart()
    assert host.daemon.locks.lock.owed
    upstream.obstacle = None
    await until(lambda: not host.daemon.locks.lock.owed)
    calls = len(upstream.calls)
    await host.passes()
    assert len(upstream.calls) == calls


async def test_an_expired_grant_is_given_back_to_it(host: Installed, upstream: Upstream) -> None:
    enable(host, timeout=1.0, upstream="http://lock.example/")
    await serving(host)
    await host.daemon.locks.ask(ZINCATI)
    await until(lambda: upstream.calls[-1:] == ["release zincati"])
    await host.until(lambda: stage(host) is Stage.FREE)
