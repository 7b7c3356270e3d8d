"""The whole daemon with networks, volumes, secrets and files, on a fake host."""

from pathlib import Path

import pytest

from tests.fakes.installed import Installed
from workloadd import upkeep

IMAGE = "image: localhost/app:1\n"


@pytest.fixture(autouse=True)
def images(host: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    host.world.podman.add_image("localhost/app:1")
    monkeypatch.setattr(upkeep, "_RETRY_BASE", 0.02)
    monkeypatch.setattr(upkeep, "_RETRY_CEILING", 0.05)


def spec_of(host: Installed, name: str = "web") -> dict[str, object]:
    container = host.world.container(name)
    assert container
    return container.spec


def shared(host: Installed, kind: str) -> dict[str, str]:
    """States of the networks or volumes, by name."""
    return {one.name: one.state for one in getattr(host.daemon.board.status, kind)}


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


async def test_what_is_shared_comes_before_the_workload_and_goes_after_it(host: Installed) -> None:
    await host.start()
    host.write("web", f"{IMAGE}networks: [shop.network, back]\nvolumes: ['backup.volume:/b']\n")
    await host.until(lambda: host.is_in("Invalid"))
    status = host.status()
    assert status and "waits for the network shop" in status.message
    host.write("shop", "kind: network\ninternal: true\n")
    host.write("backup", "kind: volume\nreclaim: delete\n")
    await host.settled()
    assert set(host.world.podman.networks) == {"shop", "web_back"}
    assert set(spec_of(host)["Networks"]) == {"shop", "web_back"}  # type: ignore[call-overload]
    await host.until(lambda: shared(host, "networks") == {"shop": "Ready"})
    assert shared(host, "volumes") == {"backup": "Ready"}

    host.remove("web")
    await host.gone()
    await host.until(lambda: "web_back" not in host.world.podman.networks)
    assert set(host.world.podman.networks) == {"shop"}
    host.remove("shop")
    host.remove("backup")
    await host.until(lambda: not host.world.podman.networks and not host.world.podman.volumes)
    await host.until(lambda: not shared(host, "networks") and not shared(host, "volumes"))


async def test_a_network_in_use_is_not_changed_behind_anybodys_back(host: Installed) -> None:
    await host.start()
    host.write("shop", "kind: network\n")
    host.write("web", f"{IMAGE}networks: [shop.network]\n")
    await host.settled()
    before = host.world.podman.networks["shop"]
    host.write("shop", "kind: network\ninternal: true\n")
    await host.until(lambda: shared(host, "networks") == {"shop": "Differs"})
    await host.until(lambda: host.is_in("Degraded"))
    status = host.status()
    assert status and "podman network rm --force shop" in status.message
    assert host.world.podman.networks["shop"] is before

    # What the message says to do.
    container = host.world.container("web")
    assert container
    host.world.podman.remove(container.id, force=True)
    host.world.podman.remove_network("shop")
    await host.settled()
    assert host.world.podman.networks["shop"]["internal"]
    await host.until(lambda: shared(host, "networks") == {"shop": "Ready"})


async def test_somebody_elses_objects_are_left_alone(host: Installed) -> None:
    host.world.podman.create_network({"name": "shop"})
    host.world.podman.create_volume({"Name": "backup"})
    host.world.podman.create_secret("web_pw_0", b"theirs", {})
    await host.start()
    host.write("shop", "kind: network\ninternal: true\n")
    host.write("backup", "kind: volume\nreclaim: delete\n")
    host.write("web", f"{IMAGE}networks: [shop.network]\n")
    await host.until(lambda: host.is_in("Failed"))
    await host.until(lambda: shared(host, "networks") == {"shop": "Taken"})
    assert shared(host, "volumes") == {"backup": "Taken"}
    for name in ("shop", "backup", "web"):
        host.remove(name)
    await host.gone()
    await host.passes()
    assert set(host.world.podman.networks) == {"shop"}
    assert set(host.world.podman.volumes) == {"backup"}
    assert set(host.world.podman.secrets) == {"web_pw_0"}


async def test_a_network_that_somebody_removed_is_made_again(host: Installed) -> None:
    await host.start()
    host.write("shop", "kind: network\n")
    host.write("web", f"{IMAGE}networks: [back]\n")
    await host.settled()
    await host.until(lambda: set(host.world.podman.networks) == {"shop", "web_back"})
    container = host.world.container("web")
    assert container
    host.world.podman.remove(container.id, force=True)
    for name in ("shop", "web_back"):
        host.world.podman.remove_network(name)
    await host.settled()
    await host.until(lambda: set(host.world.podman.networks) == {"shop", "web_back"})


async def test_a_changed_secret_is_a_new_container_and_the_old_one_goes_when_nothing_has_it(
    host: Installed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = private(tmp_path / "pw", "hunter1")
    await host.start()
    text = f"{IMAGE}secrets: {{pw: {{file: {secret}}}, t: {{file: {secret}, env: TOKEN}}}}\n"
    host.write("web", text)
    first = (await host.settled()).current
    assert sorted(s.data for s in host.world.podman.secrets.values()) == [b"hunter1", b"hunter1"]
    for value in ("hunter2", "hunter3"):
        private(secret, value)
        host.daemon.wake()
        before = first
        await host.until(lambda: host.is_settled() and host.status().current != before)  # type: ignore[union-attr] # noqa: B023
        first = (await host.settled()).current
    # The previous deployment's are kept, the one's before it are not.
    await host.until(lambda: len(host.world.podman.secrets) == 4)
    assert {s.data for s in host.world.podman.secrets.values()} == {b"hunter2", b"hunter3"}
    assert "hunter" not in str(spec_of(host))
    assert "hunter" not in host.daemon.board.status.model_dump_json()
    assert "hunter" not in caplog.text
    assert "hunter" not in "".join(p.read_text() for p in host.paths.unit_sets.rglob("*.service"))
    host.remove("web")
    await host.gone()
    await host.until(lambda: not host.world.podman.secrets)


async def test_a_secret_that_cannot_be_had_keeps_what_runs(host: Installed, tmp_path: Path) -> None:
    secret = private(tmp_path / "pw", "hunter1")
    await host.start()
    host.write("web", f"{IMAGE}secrets: {{pw: {{file: {secret}}}}}\n")
    await host.settled()
    secret.chmod(0o644)
    host.daemon.wake()
    await host.until(lambda: host.is_in("Degraded"))
    status = host.status()
    assert status and "everybody may read it" in status.message
    secret.chmod(0o600)
    host.daemon.wake()
    await host.settled()


async def test_files_are_mounted_from_where_they_are_kept(host: Installed) -> None:
    (host.files / "conf").mkdir()
    (host.files / "conf/a.conf").write_text("a")
    await host.start()
    host.write("web", f"{IMAGE}files: {{/etc/motd: hi, /etc/conf: {{source: ./conf}}}}\n")
    await host.settled()
    mounts = {m["destination"]: Path(m["source"]) for m in spec_of(host)["mounts"]}  # type: ignore[attr-defined]
    assert mounts["/etc/motd"].read_text() == "hi"
    assert (mounts["/etc/conf"] / "a.conf").read_text() == "a"

    # A change of what is beside the file is noticed, and means a new container.
    before = (await host.settled()).current
    (host.files / "conf/a.conf").write_text("b")
    await host.until(lambda: host.is_settled() and host.status().current != before)  # type: ignore[union-attr]
    assert (mounts["/etc/conf"] / "a.conf").read_text() == "a"
    host.remove("web")
    await host.gone()
    store = host.paths.files_dir / "stored"
    await host.until(lambda: not list(store.iterdir()))


class TestLive:
    TEXT = (
        f"{IMAGE}files:\n"
        "  /etc/a: {{content: '{a}', on_change: reload}}\n"
        "  /etc/b: {{content: '{b}', on_change: none}}\n"
        "reload: {{command: [reload, now]}}\n"
    )

    def file(self, host: Installed, target: str) -> Path:
        mounts = {m["destination"]: Path(m["source"]) for m in spec_of(host)["mounts"]}  # type: ignore[attr-defined]
        return mounts[target]

    async def test_the_container_stays_and_is_told(self, host: Installed) -> None:
        await host.start()
        host.write("web", self.TEXT.format(a="1", b="1"))
        before = (await host.settled()).current
        file, container = self.file(host, "/etc/a"), host.world.container("web")
        assert container
        inode = file.stat().st_ino
        host.write("web", self.TEXT.format(a="2", b="1"))
        await host.until(lambda: container.told == [("reload", "now")])
        assert (file.read_text(), file.stat().st_ino) == ("2", inode)
        await host.until(lambda: host.is_settled())
        assert host.status().current == before  # type: ignore[union-attr]
        assert await host.notes("files") == ["changed without a new container: /etc/a"]

        host.write("web", self.TEXT.format(a="2", b="2"))
        await host.until(lambda: self.file(host, "/etc/b").read_text() == "2")
        await host.until(lambda: host.is_settled())
        assert len(container.told) == 1
        await host.restart()
        await host.settled()
        assert len(container.told) == 1

    async def test_a_reload_that_fails_is_said_and_tried_again(self, host: Installed) -> None:
        await host.start()
        host.write("web", self.TEXT.format(a="1", b="1"))
        await host.settled()
        host.world.podman.exec_result = (1, b"syntax error\n")
        host.write("web", self.TEXT.format(a="2", b="1"))
        await host.until(lambda: host.is_in("Degraded"))
        status = host.status()
        condition = status.condition("Reloaded") if status else None
        assert condition and condition.reason == "ReloadFailed"
        assert "exit code 1: syntax error" in condition.message
        host.world.podman.exec_result = (0, b"")
        await host.settled()
        reloaded = host.status().condition("Reloaded")  # type: ignore[union-attr]
        assert reloaded and reloaded.status == "True"

    async def test_a_daemon_that_died_before_telling_tells(self, host: Installed) -> None:
        await host.start()
        host.write("web", self.TEXT.format(a="1", b="1"))
        await host.settled()
        fault = host.world.libpod.inject("POST containers/*/exec", hold=True)
        host.write("web", self.TEXT.format(a="2", b="1"))
        await fault.reached.wait()
        container = host.world.container("web")
        assert container and not container.told
        await host.kill()
        fault.release.set()
        container.told.clear()
        await host.start()
        await host.until(lambda: ("reload", "now") in container.told)
        await host.settled()
