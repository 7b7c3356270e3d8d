"""The whole daemon: what happens to workload files, and what must not come of it."""

from tests.fakes.installed import Installed
from tests.fakes.world import until


async def test_a_root_out_of_sight_removes_nothing(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    away = host.files.with_name("away")
    host.files.rename(away)
    host.files.symlink_to(host.files.with_name("not-mounted"))
    await host.until(lambda: bool(host.daemon.board.status.problems))
    await host.passes()
    assert host.containers() == {"web": "running"}
    assert "until it can be read no workload is removed" in host.daemon.board.status.problems[0]
    host.files.unlink()
    away.rename(host.files)
    await host.settled()
    assert not host.daemon.board.status.problems
    assert await host.outcomes() == ["stable"]
    assert await host.notes("removed") == []


async def test_an_empty_root_removes(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    host.files.rename(host.files.with_name("away"))
    await host.gone()
    assert host.containers() == {}


async def test_replaced_by_a_rename(host: Installed) -> None:
    """As editors and configuration management save."""
    await host.start()
    host.write("web")
    await host.settled()
    draft = host.files / ".web.yaml.swp"
    draft.write_text("image: localhost/app:2\n")
    draft.rename(host.files / "web.yaml")
    await host.settled(image="localhost/app:2")
    assert await host.notes("removed") == []


async def test_gone_for_less_than_the_debounce(host: Installed) -> None:
    """Some editors move the file away and write a new one."""
    reconcile = host.settings.reconcile.model_copy(update={"debounce": 0.2})
    host.settings = host.settings.model_copy(update={"reconcile": reconcile})
    await host.start()
    host.write("web")
    await host.settled()
    await host.passes(1)
    wakes = host.daemon.wakes
    (host.files / "web.yaml").rename(host.files / "web.yaml~")
    await until(lambda: host.daemon.wakes > wakes)
    host.write("web")
    await host.passes()
    assert host.is_settled()
    assert ("StopUnit", "workload-web.service") not in host.world.systemd.calls


async def test_a_broken_file_keeps_what_serves(host: Installed) -> None:
    await host.start()
    host.write("web")
    before = await host.settled()
    path = host.write("web", "image: localhost/app:2\nport: ['8080:80']\n")
    await host.until(lambda: host.is_in("Degraded"))
    status = host.status()
    assert status and status.current == before.current
    loaded = status.condition("Loaded")
    assert loaded and loaded.reason == "InvalidFile" and f"{path}:2" in loaded.message
    assert (await host.get("/v1/workloads/web"))[1]["errors"][0]["line"] == 2
    host.write("web", "image: localhost/app:2\n")
    await host.settled(image="localhost/app:2")


async def test_broken_from_the_beginning_serves_others(host: Installed) -> None:
    await host.start()
    host.write("bad", "imagee: localhost/app:1\n")
    host.write("web")
    await host.settled()
    assert host.is_in("Invalid", "bad")
    assert host.containers("bad") == {}


async def test_masked_by_a_stronger_root(host: Installed) -> None:
    """A link to /dev/null in /run hides the file in /etc; its workload goes."""
    await host.start()
    host.write("web")
    await host.settled()
    stronger = host.paths.workload_roots[2]
    stronger.mkdir(parents=True)
    (stronger / "web.yaml").symlink_to("/dev/null")
    await host.gone()
    (stronger / "web.yaml").unlink()
    await host.settled()


async def test_an_env_file_that_changes(host: Installed) -> None:
    """A new revision, whose values are told nowhere."""
    (host.files / "web.env").write_text("TOKEN=first-secret\n")
    await host.start()
    host.write("web", "image: localhost/app:1\nenv_file: web.env\n")
    before = await host.settled()
    (host.files / "web.env").write_text("TOKEN=second-secret\n")
    await host.until(lambda: len(host.containers()) == 2 and host.is_settled())
    after = host.status()
    assert after and after.current and before.current
    assert after.current.revision != before.current.revision
    container = host.world.container("web")
    assert container and container.spec["env"]["TOKEN"] == "second-secret"
    assert "secret" not in host.unit_file().read_text() + after.model_dump_json()
