"""When to pull, and which image a revision is pinned to."""

from dataclasses import replace

import pytest

from tests.unit.core.sim import declared
from workloadd.core.errors import Problem
from workloadd.core.memory import Memory, Pull
from workloadd.core.objects import NeededVolume, Needs
from workloadd.core.observed import Observed
from workloadd.core.resolve import Resolution, pull_key, resolve
from workloadd.core.revision import Image
from workloadd.spec.volume import VolumeSpec

REF = "r.example/app:1"
LOCAL = Observed(images={REF: Image("id", "sha256:one")})
NOWHERE = Observed()
FAILED = Pull(attempts=1, problem=Problem("RegistryUnavailable", "cannot pull"), next_at=100.0)


def result(
    policy: str, observed: Observed, pull: Pull | None = None, now: float = 50.0
) -> Resolution:
    file = declared("web", f"image: {REF}\npull: {policy}")
    return resolve(file, observed, Memory(pulls={REF: pull} if pull else {}), now)


def done(policy: str) -> Pull:
    file = declared("web", f"image: {REF}\npull: {policy}")
    assert file.spec
    ((name, container),) = file.spec.containers_by_name.items()
    return Pull(done_for=frozenset([pull_key("web", name, container)]))


@pytest.mark.parametrize("policy", ["missing", "never"])
def test_a_local_image_is_enough(policy: str) -> None:
    revision = result(policy, LOCAL).revision
    assert revision and revision.parts[0].image == LOCAL.images[REF]


@pytest.mark.parametrize("policy", ["missing", "always", "newer"])
def test_a_missing_image_is_pulled(policy: str) -> None:
    found = result(policy, NOWHERE)
    assert found.revision is None
    assert [pull.reference for pull in found.pulls] == [REF]


def test_of_which_platform_a_local_image_is_podman_is_asked_once() -> None:
    file = declared("web", f"image: {REF}\nplatform: arm64")
    assert file.spec
    ((name, container),) = file.spec.containers_by_name.items()
    (pull,) = resolve(file, LOCAL, Memory(), 50.0).pulls
    assert (pull.policy, pull.platform) == ("missing", "linux/arm64")
    asked = Pull(done_for=frozenset([pull_key("web", name, container)]))
    assert resolve(file, LOCAL, Memory(pulls={REF: asked}), 50.0).revision


def test_never_says_what_to_do() -> None:
    problem = result("never", NOWHERE).problem
    assert problem and problem.reason == "ImageNotPresent" and problem.hint


@pytest.mark.parametrize("policy", ["always", "newer"])
def test_a_local_image_is_pulled_again_once(policy: str) -> None:
    assert result(policy, LOCAL).pulls
    assert result(policy, LOCAL, done(policy)).revision


def test_newer_makes_do_with_the_local_image_when_the_registry_is_away() -> None:
    assert result("newer", LOCAL, FAILED).revision
    assert result("always", LOCAL, FAILED).revision is None


def test_a_failed_pull_waits() -> None:
    failed = replace(FAILED, failed_for=done("missing").done_for)
    waiting = result("missing", NOWHERE, failed)
    assert (waiting.problem, waiting.pulls, waiting.wake_at) == (FAILED.problem, (), 100.0)
    assert result("missing", NOWHERE, failed, now=100.0).pulls


def test_a_changed_file_does_not_wait_for_the_old_one_s_failure() -> None:
    assert result("missing", NOWHERE, FAILED).pulls


def test_a_running_pull_is_not_begun_again() -> None:
    found = result("missing", NOWHERE, Pull(running=True, progress="Copying blob"))
    assert found.pulls == ()
    assert found.problem and "Copying blob" in found.problem.message


def test_a_limit_without_its_controller_is_an_obstacle() -> None:
    file = declared("web", f"image: {REF}\nresources: {{memory: 64m, pids: 10}}")
    images = LOCAL.images
    some = resolve(file, Observed(images=images, controllers=frozenset({"pids"})), Memory(), 0)
    assert some.obstacle and "memory" in some.obstacle.message
    assert "pids" not in some.obstacle.message
    for controllers in (None, frozenset({"pids", "memory"})):
        found = resolve(file, Observed(images=images, controllers=controllers), Memory(), 0)
        assert found.revision and found.obstacle is None


def test_an_image_that_is_mounted_is_pulled_as_the_container_s_own_and_pins_the_revision() -> None:
    mounted = "r.example/content:1"
    file = declared(
        "web", f"image: {REF}\nvolumes: [{{type: image, source: '{mounted}', target: /content}}]"
    )
    found = resolve(file, LOCAL, Memory(), 50.0)
    assert found.revision is None
    assert [pull.reference for pull in found.pulls] == [mounted]
    digests = set()
    for digest in ("sha256:a", "sha256:b"):
        here = replace(LOCAL, images={**LOCAL.images, mounted: Image("other", digest)})
        revision = resolve(file, here, Memory(), 50.0).revision
        assert revision
        digests.add(revision.digest)
    assert len(digests) == 2


def test_what_a_volume_shows_is_pulled_and_pins_nothing() -> None:
    shown = "r.example/content:1"
    volume = f"{{type: volume, source: data, target: /content, image: '{shown}'}}"
    file = declared("web", f"image: {REF}\nvolumes: [{volume}]")
    found = resolve(file, LOCAL, Memory(), 50.0)
    assert found.revision is None
    assert [pull.reference for pull in found.pulls] == [shown]
    here = (Image("other", digest) for digest in ("sha256:a", "sha256:b"))
    worlds = [replace(LOCAL, images={**LOCAL.images, shown: image}) for image in here]
    revisions = [resolve(file, world, Memory(), 50.0).revision for world in worlds]
    assert revisions[0] and revisions[0] == revisions[1]


def test_what_a_shared_volume_shows_is_pulled_once() -> None:
    shown = "r.example/content:1"
    volume = NeededVolume("data", "", VolumeSpec(kind="volume", image=shown))
    file = replace(declared("web", f"image: {REF}"), needs=Needs(volumes=(volume,)))
    assert [pull.reference for pull in resolve(file, LOCAL, Memory(), 50.0).pulls] == [shown]
    images = {**LOCAL.images, shown: Image("other", "sha256:a")}
    assert resolve(file, replace(LOCAL, images=images), Memory(), 50.0).revision
