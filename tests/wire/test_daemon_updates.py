"""Newer images of the same tag: told of, let in, or rolled back, as the workload's policy says."""

from datetime import datetime

import pytest

from tests.fakes.installed import Installed
from tests.fakes.registry import Remote
from workloadd.core.status import WorkloadStatus

TAG = "registry.example/app:1"
DIGESTS = ["sha256:" + str(number) * 64 for number in range(4)]


@pytest.fixture
async def app(host: Installed) -> Remote:
    """An image in the registry; checks come soon, and again and again."""
    updates = host.settings.updates.model_copy(update={"interval": 0.05, "jitter": 0.0})
    host.settings = host.settings.model_copy(update={"updates": updates})
    remote = host.world.libpod.registry[TAG] = Remote(DIGESTS[1])
    await host.start()
    return remote


def text(policy: str, *more: str) -> str:
    return "\n".join((f"image: {TAG}", f"update: {{policy: {policy}}}", *more)) + "\n"


def status(host: Installed, name: str = "web") -> WorkloadStatus:
    found = host.status(name)
    assert found
    return found


def condition(host: Installed, name: str = "web") -> tuple[str, str]:
    found = status(host, name).condition("UpToDate")
    return (found.status, found.reason) if found else ("", "")


def message(host: Installed) -> str:
    found = status(host).condition("UpToDate")
    return found.message if found else ""


async def test_auto_rolls_it_out(host: Installed, app: Remote) -> None:
    host.write("web", text("auto"))
    await host.settled(image=TAG)
    await host.until(lambda: condition(host) == ("True", "Newest"))
    assert app.pulls == 1, "a check pulls nothing"
    app.digest = DIGESTS[2]
    await host.until(lambda: len(host.containers()) == 2 and host.is_settled(image=TAG))
    assert app.pulls == 2
    current = status(host).current
    assert current and current.image_digest == DIGESTS[2]
    assert (await host.rollouts())[0].cause == f"image {TAG} is now {DIGESTS[2]}"


async def test_one_that_fails_is_not_tried_again(host: Installed, app: Remote) -> None:
    host.write("web", text("auto"))
    await host.settled(image=TAG)
    before = status(host).current
    app.digest, app.exits = DIGESTS[2], 1
    await host.until(
        lambda: condition(host) == ("False", "RolledBack") and not status(host).rollout
    )
    after = status(host).current
    assert before and after and after.container == before.container
    assert await host.outcomes() == ["rolled-back", "stable"]
    asked = len(host.world.libpod.asker.asked)
    await host.until(lambda: len(host.world.libpod.asker.asked) > asked + 2)
    assert await host.outcomes() == ["rolled-back", "stable"]
    assert app.pulls == 2
    app.digest, app.exits = DIGESTS[3], None
    await host.until(lambda: condition(host) == ("True", "Newest") and host.is_settled(image=TAG))
    assert await host.outcomes() == ["stable", "rolled-back", "stable"]


async def test_notify_only_tells(host: Installed, app: Remote) -> None:
    host.write("web", text("notify"))
    await host.settled(image=TAG)
    app.digest = DIGESTS[2]
    await host.until(lambda: condition(host) == ("False", "Outdated"))
    assert app.pulls == 1
    assert await host.outcomes() == ["stable"]
    said = f"{TAG} is now sha256:222222222222; workloadctl update web rolls it out"
    await host.passes()
    assert await host.notes("newer-image") == [said]
    await host.restart()
    await host.until(lambda: condition(host) == ("False", "Outdated"))
    await host.passes()
    assert await host.notes("newer-image") == [said]
    app.digest = DIGESTS[3]
    await host.until(lambda: "sha256:333" in message(host))
    await host.passes()
    assert len(await host.notes("newer-image")) == 2


async def test_two_by_one_tag_do_not_disturb_each_other(host: Installed, app: Remote) -> None:
    host.write("web", text("auto"))
    host.write("calm", text("manual"))
    await host.settled(image=TAG)
    await host.settled("calm", image=TAG)
    before = status(host, "calm").current
    app.digest = DIGESTS[2]
    await host.until(lambda: len(host.containers()) == 2 and host.is_settled(image=TAG))
    assert status(host, "calm").current == before
    await host.restart()
    await host.until(lambda: host.is_settled("calm", image=TAG))
    assert status(host, "calm").current == before


async def test_a_closed_window_waits(host: Installed, app: Remote) -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    other = days[(datetime.now().astimezone().weekday() + 3) % 7]
    window = f"image: {TAG}\nupdate:\n  policy: auto\n  window: {{days: [%s]}}\n"
    host.write("web", window % other)
    await host.settled(image=TAG)
    app.digest = DIGESTS[2]
    await host.until(lambda: condition(host) == ("False", "Outdated"))
    told = status(host).condition("UpToDate")
    assert told and f"it waits for its window: {other}" in told.message
    assert app.pulls == 1
    host.write("web", window % "mon-sun")
    await host.until(lambda: condition(host) == ("True", "Newest"))
    assert app.pulls == 2


async def test_asked_for_by_hand(host: Installed, app: Remote) -> None:
    host.write("web", text("manual"))
    await host.settled(image=TAG)
    app.digest = DIGESTS[2]
    await host.post("update?reason=fix")
    await host.until(lambda: not status(host).by_hand and len(host.containers()) == 2)
    await host.settled(image=TAG)
    current = status(host).current
    assert current and current.image_digest == DIGESTS[2]
    assert not await host.daemon.history.hands.of("web")
    (noted,) = await host.notes("by-hand")
    assert noted.startswith("newer images asked for by ") and noted.endswith(": fix")


async def test_asked_for_and_killed(host: Installed, app: Remote) -> None:
    host.write("web", text("manual"))
    await host.settled(image=TAG)
    app.digest = DIGESTS[2]
    await host.post("update")
    await host.restart()
    await host.until(lambda: len(host.containers()) == 2 and not status(host).by_hand)
    current = status(host).current
    assert current and current.image_digest == DIGESTS[2]


async def test_a_digest_is_left_alone(host: Installed, app: Remote) -> None:
    pinned = f"registry.example/app@{host.world.podman.add_image(TAG).digest}"
    host.write("web", f"image: {pinned}\nupdate: {{policy: auto}}\n")
    await host.settled(image=pinned)
    assert not host.world.libpod.asker.asked
    answered, body = await host.post("update")
    assert answered == 409
    assert "goes by a digest" in body["detail"]


async def test_versions_within_a_range(host: Installed, app: Remote) -> None:
    registry = host.world.libpod.registry
    first, second = "registry.example/app:1.2.0", "registry.example/app:1.2.1"
    registry[first] = Remote(DIGESTS[1])
    registry["registry.example/app:1.3.0"] = Remote(DIGESTS[3])
    host.write("web", f"image: {first}\nupdate: {{policy: auto, version: 1.2.x}}\n")
    await host.settled(image=first)
    await host.until(lambda: condition(host) == ("True", "Newest"))
    registry[second] = Remote(DIGESTS[2])
    await host.until(lambda: len(host.containers()) == 2 and host.is_settled(image=second))
    assert (registry[first].pulls, registry[second].pulls) == (1, 1)
    assert (await host.rollouts())[0].cause == f"image changed to {second}"
    # What serves says itself which version it is.
    await host.restart()
    await host.until(
        lambda: condition(host) == ("True", "Newest") and host.is_settled(image=second)
    )
    assert await host.outcomes() == ["stable", "stable"]
    host.write("web", f"image: {first}\n")
    await host.until(lambda: host.is_settled(image=first))
