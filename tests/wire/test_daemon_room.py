"""The whole daemon on a disk that fills up, and what it clears away."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession, UnixConnector
from click.testing import CliRunner

from tests.fakes.installed import Installed
from tests.fakes.registry import Remote
from tests.wire.test_daemon_pulls import REMOTE, publish, reason
from workloadd import room
from workloadd.cli.main import main
from workloadd.core.room import GIB, DiskFacts
from workloadd.host import disks
from workloadd.settings.model import PruneSettings

NEWER = "registry.test/app:2"


class Disk:
    """The file system under Podman, as full as a test says."""

    free = 10 * GIB

    def look(self, path: Path, purpose: str) -> DiskFacts:
        return DiskFacts(str(path), purpose, self.free, 100 * GIB)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(disks, "file_system", made.look)
    monkeypatch.setattr(room, "_LOOK", 0.01)
    return made


def images(host: Installed) -> set[str]:
    return {name for image in host.world.podman.images.values() for name in image.names}


async def prune(host: Installed, query: str = "") -> tuple[int, dict[str, object]]:
    connector = UnixConnector(str(host.paths.socket))
    async with (
        ClientSession(connector=connector) as session,
        session.post(f"http://localhost/v1/prune{query}") as answer,
    ):
        return answer.status, await answer.json()


async def begun(host: Installed, remote: Remote) -> None:
    """Wait until an image is being pulled, which no status tells."""
    while not remote.pulls:
        await host.passes(1)


async def serve_then_change(host: Installed) -> None:
    """Pull and serve one image, then go over to others until no deployment has it."""
    publish(host)
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await host.settled(image=REMOTE)
    for tag in ("1", "2"):
        host.write("web", f"image: localhost/app:{tag}\n")
        await host.settled(image=f"localhost/app:{tag}")
    await host.until(lambda: len(host.containers()) == 2 and host.is_idle())


async def test_nothing_is_pulled_onto_a_full_disk(host: Installed, disk: Disk) -> None:
    disk.free = GIB - 1
    remote = publish(host)
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await host.until(lambda: reason(host) == "DiskLow")
    status = host.status()
    assert status and status.state == "Failed"
    pulled = status.condition("Pulled")
    assert pulled and "1.0 GiB (1 %) free for images" in pulled.message
    assert not remote.pulls
    disk.free = GIB
    await host.settled(image=REMOTE)


async def test_a_pull_is_stopped_before_it_fills_the_disk(host: Installed, disk: Disk) -> None:
    remote = publish(host, gate=asyncio.Event())
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await begun(host, remote)
    disk.free = GIB // 2 - 1
    await host.until(lambda: reason(host) == "DiskLow")
    status = host.status()
    pulled = status.condition("Pulled") if status else None
    assert pulled and "was stopped" in pulled.message
    while host.world.libpod.in_flight["POST images/pull"]:
        await host.passes(1)
    assert remote.gate
    remote.gate.set()
    disk.free = 2 * GIB
    await host.settled(image=REMOTE)


async def test_a_full_disk_is_cleared_of_what_was_pulled_and_is_unused(
    host: Installed, disk: Disk
) -> None:
    await serve_then_change(host)
    disk.free = 0
    host.world.libpod.registry[NEWER] = publish(host)
    host.write("other", f"image: {NEWER}\n")
    await host.until(lambda: reason(host, "other") == "DiskLow")
    assert REMOTE not in images(host)
    assert {"localhost/app:1", "localhost/app:2", "localhost/app:3"} <= images(host)
    pruned = host.daemon.board.status.pruned
    assert pruned and pruned.images == (REMOTE,)


async def test_only_what_was_pulled_and_nobody_needs(host: Installed, disk: Disk) -> None:
    await serve_then_change(host)
    foreign = images(host) - {REMOTE}
    assert await prune(host, "?dry_run=true") == (
        200,
        {
            "dry_run": True,
            "images": [{"id": host.world.podman.find_image(REMOTE).id, "names": [REMOTE],  # type: ignore[union-attr]
                        "size": 2038883}],
            "size": 2038883,
        },
    )  # fmt: skip
    assert REMOTE in images(host)
    status, document = await prune(host)
    assert (status, document["size"]) == (200, 2038883)
    assert images(host) == foreign
    assert (await prune(host))[1]["images"] == []


async def test_current_and_previous_deployments_keep_theirs(host: Installed, disk: Disk) -> None:
    publish(host)
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await host.settled(image=REMOTE)
    await prune(host)
    host.write("web", "image: localhost/app:1\n")
    await host.settled()
    await prune(host)
    assert REMOTE in images(host)


async def test_one_that_was_there_before_is_not_ours(host: Installed, disk: Disk) -> None:
    remote = publish(host)
    host.world.podman.add_image(REMOTE, digest=remote.digest)
    await host.start()
    host.write("web", f"image: {REMOTE}\npull: always\n")
    await host.settled(image=REMOTE)
    assert remote.pulls == 1
    host.remove("web")
    await host.gone()
    await prune(host)
    assert REMOTE in images(host)


async def test_one_that_got_another_name_is_no_longer_ours(host: Installed, disk: Disk) -> None:
    await serve_then_change(host)
    image = host.world.podman.find_image(REMOTE)
    assert image
    image.names.add("localhost/mine:1")
    await prune(host)
    assert REMOTE in images(host)


async def test_one_that_somebody_has_mounted_stays(host: Installed, disk: Disk) -> None:
    """Podman itself removes what is mounted in a container that does not run."""
    await serve_then_change(host)
    mount = {"Source": "app:1", "Destination": "/app"}
    spec = {"image": "localhost/app:3", "name": "theirs", "image_volumes": [mount]}
    host.world.podman.create(spec)
    await prune(host)
    assert REMOTE in images(host)


async def test_from_the_command_line(host: Installed, disk: Disk) -> None:
    await serve_then_change(host)

    async def run(*options: str) -> tuple[int, str]:
        words = ["prune", "--socket", str(host.paths.socket), *options]
        done = await asyncio.to_thread(CliRunner().invoke, main, words)
        return done.exit_code, done.output

    image = f"{REMOTE}  1.9 MiB\n"
    document = json.loads((await run("--dry-run", "-o", "json"))[1])
    assert [one["names"] for one in document["images"]] == [[REMOTE]]
    assert await run("--dry-run") == (0, f"{image}1 image would be removed, 1.9 MiB\n")
    assert await run() == (0, f"{image}1 image removed, 1.9 MiB\n")
    assert await run() == (0, "no images removed\n")


async def test_a_wish_that_is_none(host: Installed, disk: Disk) -> None:
    await host.start()
    assert (await prune(host, "?dry_run=perhaps"))[0] == 400


async def test_none_while_a_pull_is_on(host: Installed, disk: Disk) -> None:
    await serve_then_change(host)
    remote = publish(host, gate=asyncio.Event())
    host.world.libpod.registry[NEWER] = remote
    host.write("other", f"image: {NEWER}\n")
    await begun(host, remote)
    status, document = await prune(host)
    assert (status, document["reason"]) == (409, "Pulling")
    assert REMOTE in images(host)
    assert remote.gate
    remote.gate.set()
    await host.settled("other", NEWER)


async def test_from_time_to_time_and_not_before_it_was_unused_long_enough(
    host: Installed, disk: Disk
) -> None:
    host.settings = host.settings.model_copy(
        update={"prune": PruneSettings.model_construct(keep=3600.0, interval=0.02)}
    )
    await serve_then_change(host)
    looks = host.world.libpod.requests.count("GET images/json")
    while host.world.libpod.requests.count("GET images/json") < looks + 3:
        await host.passes(1)
    assert REMOTE in images(host)
    host.settings = host.settings.model_copy(
        update={"prune": PruneSettings.model_construct(keep=0.0, interval=0.02)}
    )
    await host.restart()
    await host.until(lambda: host.daemon.board.status.pruned is not None)
    assert REMOTE not in images(host)


async def test_not_where_it_is_turned_off(host: Installed, disk: Disk) -> None:
    host.settings = host.settings.model_copy(update={"prune": PruneSettings(images=False)})
    await serve_then_change(host)
    disk.free = 0
    host.world.libpod.registry[NEWER] = publish(host)
    host.write("other", f"image: {NEWER}\n")
    await host.until(lambda: reason(host, "other") == "DiskLow")
    assert REMOTE in images(host)


async def test_podman_refuses_what_somebody_took_meanwhile(host: Installed, disk: Disk) -> None:
    await serve_then_change(host)
    host.world.libpod.inject("DELETE images/*", status=409, message="image is in use")
    assert (await prune(host))[1]["images"] == []
    assert REMOTE in images(host)


async def told(host: Installed, *options: str) -> tuple[int, str]:
    words = ["images", "--socket", str(host.paths.socket), *options]
    done = await asyncio.to_thread(CliRunner().invoke, main, words)
    return done.exit_code, done.output


async def test_images_and_who_uses_them(host: Installed, disk: Disk) -> None:
    publish(host)
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await host.settled(image=REMOTE)
    host.write("web", "image: localhost/app:1\n")
    host.write("other", "image: localhost/app:1\npull: never\nenabled: false\n")
    await host.settled(image="localhost/app:1")
    await host.until(lambda: host.status("other") is not None)
    code, text = await told(host)
    assert code == 0
    assert [line.split(maxsplit=3) for line in text.splitlines()] == [
        ["IMAGE", "SIZE", "USED", "BY"],
        ["localhost/app:1", "1.9", "MiB", "web (current), other (file)"],
        [REMOTE, "1.9", "MiB", "web (previous)"],
    ]
    shown = yaml.safe_load((await told(host, "-o", "yaml"))[1])["images"]
    assert [one["pulled"] for one in shown] == [False, True]
    assert shown[0]["digest"] in (await told(host, "--digests"))[1]

    for tag in ("2", "3"):
        host.write("web", f"image: localhost/app:{tag}\n")
        await host.settled(image=f"localhost/app:{tag}")
    await host.until(lambda: len(host.containers()) == 2 and host.is_idle())
    assert f"{REMOTE}  1.9 MiB  nobody (prunable)" in (await told(host))[1].replace("   ", " ")
    await prune(host)
    assert REMOTE not in (await told(host))[1]


async def test_no_images(host: Installed, disk: Disk) -> None:
    await host.start()
    assert await told(host) == (0, "no images: no workload uses any\n")
