"""What people ask for by hand, through the whole daemon: asked over HTTP, kept, and carried on."""

import itertools
import time
from functools import partial
from typing import Any

import pytest

from tests.fakes.installed import Installed
from tests.wire.test_daemon_killed import carried_on, kill_after
from workloadd.core.hands import Hand, Kind
from workloadd.history import History

ONE, TWO, THREE = (f"localhost/app:{tag}" for tag in "123")


def update(host: Installed, tag: str, name: str = "web") -> None:
    host.write(name, f"image: localhost/app:{tag}\nenvironment: {{PASSWORD: hunter2-{tag}}}\n")


async def updated(host: Installed, name: str = "web") -> str:
    """A workload with a previous deployment; returns the revision of that."""
    update(host, "1", name)
    first = await host.settled(name, ONE)
    update(host, "2", name)
    await host.settled(name, TWO)
    assert first.current
    return first.current.revision


async def done(host: Installed, action: str, name: str = "web") -> Any:
    code, document = await host.post(action, name)
    assert code in (200, 202), document
    return document


def is_stopped(host: Installed, name: str = "web") -> bool:
    unit = host.world.unit(name)
    return host.is_in("Stopped", name) and (unit is None or unit.active_state == "inactive")


class TestStop:
    async def test_it_stays_stopped_over_restarts_reboots_and_changes(
        self, host: Installed
    ) -> None:
        await host.start()
        await updated(host)
        document = await done(host, "stop?reason=moving%20house")
        assert document["changed"] and "moving house" in document["message"]
        await host.until(lambda: is_stopped(host))
        assert not (await done(host, "stop"))["changed"]
        await host.stop()
        await host.world.reboot()
        await host.start()
        update(host, "3")
        await host.passes()
        assert is_stopped(host) and not any(s == "running" for s in host.containers().values())
        assert not list(host.world.wants.iterdir())
        await done(host, "start?reason=we%20are%20there")
        await host.settled("web", THREE)
        notes = await host.notes("by-hand")
        assert notes[0].endswith("we are there") and notes[1].endswith("moving house")
        assert not (await done(host, "start"))["changed"]

    async def test_what_is_stopped_is_not_restarted(self, host: Installed) -> None:
        await host.start()
        update(host, "1")
        await host.settled()
        await done(host, "stop")
        code, document = await host.post("restart")
        assert (code, document["reason"]) == (409, "Stopped")
        assert "workloadctl start web" in document["hint"]


class TestPause:
    async def test_it_is_left_alone_and_started_after_a_reboot(self, host: Installed) -> None:
        await host.start()
        update(host, "1")
        await host.settled()
        await done(host, "pause?reason=debugging")
        await host.until(lambda: host.is_in("Paused"))
        update(host, "2")
        host.world.systemctl("stop", "web")
        await host.passes()
        assert host.containers() == {"web": "exited"}
        await host.stop()
        await host.world.reboot()
        await host.start()
        await host.until(lambda: host.containers() == {"web": "running"})
        assert host.is_in("Paused")
        await done(host, "resume")
        await host.settled("web", TWO)


class TestRestart:
    async def test_once_however_often_it_is_asked(self, host: Installed) -> None:
        await host.start()
        update(host, "1")
        before = await host.settled()
        assert (await done(host, "restart?reason=it%20hangs"))["changed"]
        # Asked again before it is done, it is the same one; after that another.
        again = (await done(host, "restart"))["changed"]
        await host.passes()
        await host.until(lambda: bool((s := host.status()) and not s.by_hand) and host.is_idle())
        after = await host.settled()
        assert before.current and after.current
        assert after.current.container == before.current.container
        assert after.unit.active_since and before.unit.active_since
        assert after.unit.active_since > before.unit.active_since
        restarts = [note for note in await host.notes("by-hand") if "restarted" in note]
        assert len(restarts) == 1 + again and restarts[-1].endswith("it hangs")


class TestRollback:
    async def test_there_and_back(self, host: Installed) -> None:
        await host.start()
        previous = await updated(host)
        document = await done(host, "rollback?reason=slow")
        assert document["revision"] == previous
        status = await host.settled("web", ONE)
        assert "slow" in status.message and "held at" in status.message
        (hand,) = status.by_hand
        assert (hand.kind, hand.revision, hand.reason) == ("hold", previous, "slow")
        rollout = (await host.rollouts())[0]
        assert rollout.outcome == "stable" and rollout.cause.startswith("by hand: ")
        wakes = host.daemon.wakes
        assert not (await done(host, "rollback"))["changed"]
        assert host.daemon.wakes > wakes, "who waits for it to be seen has not to wait long"
        await host.restart()
        await host.passes()
        assert host.is_settled("web", ONE)
        await done(host, "resume")
        await host.settled("web", TWO)

    async def test_until_the_file_changes(self, host: Installed) -> None:
        await host.start()
        await updated(host)
        await done(host, "rollback")
        await host.settled("web", ONE)
        update(host, "3")
        status = await host.settled("web", THREE)
        assert status.by_hand == ()
        assert "its file changed" in (await host.notes("by-hand"))[0]

    async def test_what_cannot_be_gone_back_to(self, host: Installed) -> None:
        await host.start()
        first = await updated(host)
        update(host, "3")
        await host.settled("web", THREE)
        code, document = await host.post(f"rollback?to={first[:8]}")
        assert (code, document["reason"]) == (409, "NoSuchRevision")
        assert "were removed" in document["detail"]
        assert "current is" in document["hint"] and "previous is" in document["hint"]
        assert "ever" in (await host.post("rollback?to=ffffffff"))[1]["detail"]
        host.write("other")
        await host.settled("other")
        assert (await host.post("rollback", "other"))[1]["reason"] == "NoPrevious"

    async def test_further_back_than_by_one(self, host: Installed) -> None:
        settings = host.settings
        rollout = settings.rollout.model_copy(update={"keep": 2})
        host.settings = settings.model_copy(update={"rollout": rollout})
        await host.start()
        first = await updated(host)
        update(host, "3")
        status = await host.settled("web", THREE)
        assert [one.revision for one in status.older] == [first]
        await done(host, f"rollback?to={first[:8]}")
        status = await host.settled("web", ONE)
        assert status.previous and status.previous.image == THREE
        assert [one.image for one in status.older] == [TWO]
        await done(host, "resume")
        await host.settled("web", THREE)
        assert len(host.containers()) == 3

    async def test_a_bad_revision_is_tried_again_when_resumed(self, host: Installed) -> None:
        await host.start()
        update(host, "1")
        await host.settled()
        update(host, "bad")
        await host.until(lambda: host.is_in("Degraded") and host.is_idle())
        assert await host.outcomes() == ["rolled-back", "stable"]
        assert (await done(host, "resume"))["changed"]
        count = len(await host.rollouts())
        await host.until(lambda: host.is_idle() and host.is_in("Degraded"))
        while len(await host.rollouts()) == count:
            await host.passes(1)


class TestDiff:
    async def test_what_a_change_would_change(self, host: Installed) -> None:
        await host.start()
        await updated(host)
        code, document = await host.get("/v1/workloads/web/diff")
        assert (code, document["same"], document["changes"]) == (200, True, [])
        await done(host, "pause")
        update(host, "3")
        await host.until(lambda: host.is_in("Paused"))
        await host.passes()
        _, document = await host.get("/v1/workloads/web/diff")
        found = {change["field"]: change for change in document["changes"]}
        assert (found["image"]["old"], found["image"]["new"]) == (TWO, THREE)
        assert found["environment.PASSWORD"]["hidden"]
        assert "hunter2" not in str(document)

    async def test_what_a_change_changed(self, host: Installed) -> None:
        await host.start()
        previous = await updated(host)
        _, document = await host.get(f"/v1/workloads/web/diff?revision={previous[:8]}")
        assert document["from"]["revision"] == previous
        found = {change["field"]: change for change in document["changes"]}
        assert (found["image"]["old"], found["image"]["new"]) == (ONE, TWO)
        assert "hunter2" not in host.paths.history_file.read_bytes().decode(errors="replace")
        code, document = await host.get("/v1/workloads/web/diff?revision=ffffffff")
        assert (code, document["reason"]) == (409, "NoSuchRevision")
        assert previous[:12] in document["hint"]


async def asked(host: Installed, name: str, kind: Kind, revision: str) -> None:
    """Keep a wish while no daemon runs, and have one come that has not looked yet."""
    key = host.daemon.reconciler.key_of(name)
    await host.stop()
    history = History(host.paths.history_file)
    await history.open()
    await history.set_hand(Hand(name, kind, "ann", time.time(), "", revision, key))
    await history.close()
    host.launch()


def is_done(host: Installed, name: str, kind: Kind) -> bool:
    status = host.status(name)
    match kind:
        case "hold":
            return host.is_settled(name, ONE) and host.is_idle(name)
        case "stop":
            return is_stopped(host, name) and host.is_idle(name)
        case "pause":
            return host.is_in("Paused", name)
    return bool(status and not status.by_hand) and host.is_settled(name, TWO)


@pytest.mark.parametrize("kind", ["hold", "stop", "restart", "pause"])
async def test_killed_after_every_call(host: Installed, kind: Kind) -> None:
    await host.start()
    for count in itertools.count(1):
        name = f"w{count}"
        previous = await updated(host, name)
        container = host.world.container(name)
        await asked(host, name, kind, previous)
        made = kill_after(host.daemon, count)
        await carried_on(host, partial(is_done, host, name, kind))
        after = host.world.container(name)
        assert container and after and (after.id != container.id) == (kind == "hold")
        assert after.running == (kind != "stop")
        await done(host, "resume", name)
        await host.settled(name, TWO)
        host.remove(name)
        await host.gone(name)
        assert await host.daemon.history.hands.of(name) == {}
        if len(made) < count:
            break
    assert count > (5 if kind == "hold" else 2 if kind != "pause" else 0)


async def test_what_a_file_comes_to(host: Installed) -> None:
    await host.start()
    host.write("web", "image: localhost/app:1\nenvironment: {PASSWORD: hunter2}\n")
    await host.settled()
    code, document = await host.get("/v1/workloads/web/spec")
    assert (code, document["workload"]) == (200, "web")
    assert document["spec"]["environment"] == {"PASSWORD": "(hidden)"}
    assert document["spec"]["enabled"] is True
    host.write("web", "image: [\n")
    await host.until(lambda: host.is_in("Degraded"))
    code, document = await host.get("/v1/workloads/web/spec")
    assert (code, document["reason"]) == (409, "InvalidFile")
    assert document["detail"] == "cannot show the specification of web: its file is invalid"
