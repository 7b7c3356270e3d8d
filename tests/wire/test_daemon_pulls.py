"""The whole daemon: images that have to be fetched first."""

import asyncio
import base64
import json

import pytest

from tests.fakes.installed import Installed
from tests.fakes.registry import Remote
from workloadd import pulls

REMOTE = "registry.test/app:1"
PASSWORD = "correct-horse-battery"


def publish(host: Installed, **how: object) -> Remote:
    """Put an image into the registry."""
    remote = host.world.libpod.registry[REMOTE] = Remote("sha256:" + "1" * 64, **how)  # type: ignore[arg-type]
    return remote


def reason(host: Installed, name: str = "web") -> str:
    """Why the image of a workload is not there."""
    status = host.status(name)
    condition = status.condition("Pulled") if status else None
    return condition.reason if condition else ""


def set_pull(host: Installed, **settings: object) -> None:
    pull = host.settings.pull.model_copy(update=settings)
    host.settings = host.settings.model_copy(update={"pull": pull})


def log_in(host: Installed, password: str) -> None:
    auth = base64.b64encode(f"alice:{password}".encode()).decode()
    path = host.paths.home / "auth.json"
    path.write_text(json.dumps({"auths": {"registry.test": {"auth": auth}}}))
    set_pull(host, auth_file=str(path))


async def test_a_slow_one_holds_nobody_else(host: Installed) -> None:
    remote = publish(host, gate=asyncio.Event())
    await host.start()
    host.write("slow", f"image: {REMOTE}\n")
    await host.until(lambda: host.is_in("Pulling", "slow"))
    host.write("web")
    await host.settled()
    assert host.is_in("Pulling", "slow")
    assert remote.gate
    remote.gate.set()
    await host.settled("slow", REMOTE)


async def test_how_far_it_is_is_told_as_it_goes_on(
    host: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anything else that wakes the loop."""
    monkeypatch.setattr(pulls, "_SHOWN", 0.05)
    remote = publish(host, gate=asyncio.Event())
    await host.start()
    host.write("web", f"image: {REMOTE}\n")

    def said() -> bool:
        status = host.status()
        return bool(status and "Getting image source signatures" in status.message)

    await host.until(said)
    assert remote.gate
    remote.gate.set()
    await host.settled(image=REMOTE)


async def test_deadline(host: Installed) -> None:
    remote = publish(host, gate=asyncio.Event())
    set_pull(host, deadline=0.05)
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await host.until(lambda: reason(host) == "PullDeadlineExceeded")
    assert remote.gate
    remote.gate.set()
    await host.settled(image=REMOTE)
    assert await host.outcomes() == ["stable"]


async def test_tried_again_until_the_registry_heals(host: Installed) -> None:
    publish(host, failures=["dial tcp: connect: connection refused"] * 2)
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await host.until(lambda: reason(host) == "RegistryUnavailable")
    await host.settled(image=REMOTE)


async def test_a_failing_one_leaves_what_serves(host: Installed) -> None:
    await host.start()
    host.write("web")
    before = await host.settled()
    host.write("web", f"image: {REMOTE}\n")
    await host.until(lambda: reason(host) == "ImageNotFound")
    status = host.status()
    assert status and (status.state, status.current) == ("Degraded", before.current)
    publish(host)
    await host.settled(image=REMOTE)


async def test_unauthorized(host: Installed, caplog: pytest.LogCaptureFixture) -> None:
    """It is said why, and no part of the credentials is: not in the log, not in the status."""
    caplog.set_level("DEBUG", logger="workloadd")
    publish(host, login=("alice", "the-right-one"))
    host.paths.home.mkdir(parents=True, exist_ok=True)
    log_in(host, PASSWORD)
    await host.start()
    host.write("web", f"image: {REMOTE}\n")
    await host.until(lambda: reason(host) == "Unauthorized")
    _, document = await host.get("/v1/status")
    told = json.dumps(document) + caplog.text
    encoded = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    assert PASSWORD not in told and encoded not in told
    log_in(host, "the-right-one")
    await host.settled(image=REMOTE)
    assert "the-right-one" not in caplog.text


async def test_one_pull_for_two_workloads(host: Installed) -> None:
    remote = publish(host, gate=asyncio.Event())
    await host.start()
    for name in ("web", "db"):
        host.write(name, f"image: {REMOTE}\n")
    await host.until(lambda: host.is_in("Pulling", "web") and host.is_in("Pulling", "db"))
    assert remote.gate
    remote.gate.set()
    for name in ("web", "db"):
        await host.settled(name, REMOTE)
    assert remote.pulls == 1


async def test_always_is_once_for_each_daemon(host: Installed) -> None:
    remote = publish(host)
    await host.start()
    host.write("web", f"image: {REMOTE}\npull: always\n")
    await host.settled(image=REMOTE)
    await host.passes()
    assert remote.pulls == 1
    await host.restart()
    await host.until(lambda: remote.pulls == 2)
    await host.settled(image=REMOTE)
    await host.passes()
    assert remote.pulls == 2
    assert await host.outcomes() == ["stable"]


async def test_always_takes_what_is_new(host: Installed) -> None:
    publish(host)
    await host.start()
    host.write("web", f"image: {REMOTE}\npull: always\n")
    await host.settled(image=REMOTE)
    remote = publish(host)
    remote.digest = "sha256:" + "2" * 64
    host.write("web", f"image: {REMOTE}\npull: always\nuser: nobody\n")
    await host.until(lambda: len(host.containers()) == 2 and host.is_settled(image=REMOTE))
    assert await host.outcomes() == ["stable", "stable"]


@pytest.mark.parametrize(
    ("volume", "mount"),
    [
        ("", f"{{type: volume, source: seen, target: /x, image: '{REMOTE}'}}"),
        (f"kind: volume\nimage: {REMOTE}\n", "'seen.volume:/x'"),
    ],
    ids=["own", "shared"],
)
async def test_what_a_volume_shows_is_pulled_before_it_is_made(
    host: Installed, volume: str, mount: str
) -> None:
    publish(host)
    await host.start()
    if volume:
        host.write("seen", volume)
    host.write("web", f"image: localhost/app:1\nvolumes: [{mount}]\n")
    await host.settled()
    made = host.world.podman.volumes["seen" if volume else "web_seen"]
    assert (made["Driver"], made["Options"]["image"]) == ("image", REMOTE)
