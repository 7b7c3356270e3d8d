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


async def test_a_fact_that_changes_rolls_out_what_uses_it(host: Installed) -> None:
    facts = host.paths.facts_roots[1]
    facts.mkdir()
    (facts / "site.env").write_text("TAG=1\nROLE=web\n")
    await host.start()
    host.write("web", "image: localhost/app:${TAG}\n")
    host.write("db", "image: localhost/app:1\nwhen: {ROLE: web}\n")
    await host.settled(image="localhost/app:1")
    await host.until(lambda: host.is_in("Ready", "db"))
    (facts / "site.env").write_text("TAG=2\nROLE=web\n")
    await host.settled(image="localhost/app:2")
    (facts / "site.env").write_text("TAG=2\nROLE=proxy\n")
    await host.until(lambda: host.status("db") is None and host.is_idle("db"))
    assert not host.containers("db")
    (other,) = host.daemon.board.status.elsewhere
    assert (other.name, other.reason) == ("db", 'ROLE is "proxy", not web')
    assert await host.notes("removed", "db") == [
        'it is not for this host: ROLE is "proxy", not web'
    ]
    status, problem = await host.get("/v1/workloads/db")
    assert (status, problem["reason"]) == (404, "NotForThisHost")


async def test_a_broken_facts_file_keeps_what_serves(host: Installed) -> None:
    facts = host.paths.facts_roots[1]
    facts.mkdir()
    (facts / "10.env").write_text("TAG=2\n")
    (facts / "20.env").write_text("TAG=1\n")
    await host.start()
    host.write("web", "image: localhost/app:${TAG}\n")
    before = await host.settled(image="localhost/app:1")
    (facts / "20.env").unlink()
    (facts / "20.env").symlink_to("nowhere")
    await host.until(lambda: host.is_in("Degraded"))
    status = host.status()
    assert status and status.current == before.current
    assert "20.env" in status.errors[0].hint
    assert "20.env" in host.daemon.board.status.problems[0]


async def test_drop_ins_of_an_administrator(host: Installed) -> None:
    vendor = host.paths.workload_roots[0]
    vendor.mkdir(parents=True)
    (vendor / "web.yaml").write_text("image: localhost/app:1\n")
    await host.start()
    await host.settled(image="localhost/app:1")
    dropin = host.files / "web.yaml.d" / "10-newer.yaml"
    dropin.parent.mkdir()
    dropin.write_text("image: localhost/app:2\n")
    await host.settled(image="localhost/app:2")
    status = host.status()
    assert status and status.files == (str(vendor / "web.yaml"), str(dropin))
    dropin.write_text("imagee: localhost/app:3\n")
    await host.until(lambda: host.is_in("Degraded"))
    status = host.status()
    assert status and (status.errors[0].file, status.errors[0].line) == (str(dropin), 1)
    dropin.unlink()
    await host.settled(image="localhost/app:1")


async def test_a_half_written_file_of_several_takes_none_of_them_away(host: Installed) -> None:
    image = "image: localhost/app:1\n"
    await host.start()
    host.write("shop", f"name: web\n{image}---\nname: db\n{image}instances: {{a: , b: }}\n")
    names = ("web", "db-a", "db-b")
    await host.until(lambda: all(host.is_in("Ready", name) for name in names))
    host.write("shop", f"name: web\n{image}---\nname: [d")
    await host.until(lambda: host.is_in("Invalid", "shop"))
    await host.passes()
    assert all(host.containers(name) for name in names)
    host.write("shop", f"name: web\n{image}---\nname: db\n{image}instances: {{b: }}\n")
    await host.until(lambda: not host.containers("db-a") and host.is_in("Ready", "db-b"))
    assert await host.notes("removed", "web") == []
