"""The whole daemon: what somebody changes by hand is put right, and noted."""

from collections.abc import Callable

import pytest

from tests.fakes.installed import Installed
from workloadd.core import repair

WEB = "workload-web.service"


def edit(host: Installed) -> None:
    host.unit_file().write_text(host.unit_file().read_text().replace("250ms", "1h"))


def override(host: Installed) -> None:
    """`systemctl --user edit --full` leaves an edited copy where systemd prefers it."""
    text = host.unit_file().read_text().replace("250ms", "1h")
    (host.paths.unit_config_dir / WEB).write_text(text)


DRIFTS: dict[str, tuple[Callable[[Installed], object], str]] = {
    "renamed": (lambda h: h.world.podman_rename("web", "mine"), "its container was renamed to"),
    "unit edited": (edit, "its unit was edited"),
    "unit overridden": (override, "its unit was edited"),
    "unit deleted": (lambda h: h.unit_file().unlink(), "its unit was deleted"),
    "disabled": (lambda h: h.world.systemctl("disable", "web"), "its unit was disabled"),
    "unit stopped": (lambda h: h.world.systemctl("stop", "web"), "it was stopped"),
}


@pytest.mark.parametrize(("happen", "noted"), DRIFTS.values(), ids=DRIFTS)
async def test_put_right(
    host: Installed, happen: Callable[[Installed], object], noted: str
) -> None:
    await host.start()
    host.write("web")
    before = await host.settled()
    text = host.unit_file().read_text()
    happen(host)
    await host.until(lambda: host.status() != before and host.is_idle())
    await host.passes(1)
    after = await host.settled()
    notes = await host.notes("drift")
    assert len(notes) == 1 and noted in notes[0]
    assert after.current and before.current
    assert after.current.container == before.current.container
    assert host.containers() == {"web": "running"}
    assert host.unit_file().read_text() == text
    assert (host.world.wants / WEB).resolve() == host.unit_file()
    assert not (host.paths.unit_config_dir / WEB).exists()
    unit = host.world.unit("web")
    assert unit and unit.main == after.current.container
    assert unit.file.text == text


async def test_removed_container(host: Installed) -> None:
    await host.start()
    host.write("web")
    before = await host.settled()
    host.world.podman_rm("web")
    await host.until(lambda: host.status() != before and host.is_settled())
    status = await host.settled()
    assert status.current and before.current
    assert status.current.container != before.current.container
    assert host.containers() == {"web": "running"}
    rollouts = await host.rollouts()
    assert [r.cause for r in rollouts] == ["drift: its container was removed", "new workload"]
    assert [r.outcome for r in rollouts] == ["stable", "stable"]


@pytest.mark.parametrize("restart", ["always", "on-failure", "no"])
async def test_stopped_container(
    host: Installed, monkeypatch: pytest.MonkeyPatch, restart: str
) -> None:
    """`podman stop`: systemd starts it again, or we do."""
    monkeypatch.setattr(repair, "SETTLE", 0.0)
    await host.start()
    host.write("web", f"image: localhost/app:1\nrestart: '{restart}'\n")
    await host.settled()
    container = host.world.container("web")
    assert container
    began = container.started
    host.world.podman_stop("web")
    await host.until(lambda: container.started > began and container.running)
    await host.settled()
    assert host.containers() == {"web": "running"}


async def test_started_outside_its_unit(host: Installed) -> None:
    await host.start()
    host.write("web")
    before = await host.settled()
    host.write("web", "image: localhost/app:2\n")
    after = await host.settled(image="localhost/app:2")
    assert after.previous and before.current
    host.world.podman.start(after.previous.container)
    await host.until(lambda: sorted(host.containers().values()) == ["exited", "running"])
    await host.settled(image="localhost/app:2")
    assert host.containers()["web"] == "running"
    assert await host.notes("drift") == ["an older container was started"]


async def test_masked_is_left_alone(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    host.world.systemctl("mask", "web")
    await host.until(lambda: host.is_in("Paused"))
    host.write("web", "image: localhost/app:2\n")
    host.world.podman_rename("web", "mine")
    await host.passes()
    assert host.is_in("Paused")
    assert host.containers() == {"mine": "running"}
    host.world.systemctl("unmask", "web")
    await host.settled(image="localhost/app:2")


AUTO = "update: {policy: auto}\n"


async def test_moved_tag(host: Installed) -> None:
    await host.start()
    host.write("web", f"image: localhost/app:1\n{AUTO}")
    host.write("calm")
    await host.settled()
    await host.settled("calm")
    before = host.status("calm")
    image = host.world.podman.add_image("localhost/app:1")
    await host.until(lambda: len(host.containers()) == 2 and host.is_settled())
    status = host.status()
    assert status and status.current and status.image
    assert status.current.image_id == image.id
    assert status.image.digest == image.digest
    assert (await host.rollouts())[0].cause == f"image localhost/app:1 is now {image.digest}"
    calm = host.status("calm")
    assert before and calm and calm.current == before.current, "it goes by the same tag"
    told = calm.condition("UpToDate")
    assert told and (told.status, told.reason) == ("False", "Outdated")


async def test_seen_by_the_periodic_pass(host: Installed) -> None:
    """Were every wake-up lost, the next pass is due all the same."""
    reconcile = host.settings.reconcile.model_copy(update={"interval": 0.05})
    host.settings = host.settings.model_copy(update={"reconcile": reconcile})
    daemon = await host.start()
    seen = daemon.board.status.passes.count
    await host.until(lambda: daemon.board.status.passes.count > seen + 2)


async def test_a_foreign_container_of_the_name(host: Installed) -> None:
    """What is not ours is never touched: the workload waits until the name is free."""
    world = host.world
    world.podman.create({"name": "web", "image": "localhost/app:2"})
    await host.start()
    host.write("web")
    await host.until(lambda: host.is_in("Failed"))
    status = host.status()
    assert status and "a container or pod named web exists" in status.message
    world.podman_rename("web", "other")
    await host.settled()
    assert world.container("other")


async def test_what_is_killed_for_memory_says_so_until_it_runs_again(host: Installed) -> None:
    await host.start()
    host.write("web", "image: localhost/app:1\nrestart: 'no'\n")
    status = await host.settled()
    assert status.current
    host.world.podman.exit(status.current.container, 137, oom=True)
    await host.until(lambda: _reason(host) == "OOMKilled")
    killed = host.status()
    assert killed and "more memory than it may have" in killed.last_error
    asked = f"GET containers/{status.current.container}/json"
    before = host.world.libpod.requests.count(asked)
    await host.passes(2)
    assert host.world.libpod.requests.count(asked) == before, "it is asked for once"


def _reason(host: Installed) -> str:
    status = host.status()
    ready = status.condition("Ready") if status else None
    return ready.reason if ready else ""
