"""Which images workloads use, and for what."""

from dataclasses import replace

from tests.fakes.statuses import GOOD, IMAGE, NOW, world
from workloadd.core.image_uses import Use, workload_images
from workloadd.core.memory import Memory
from workloadd.core.prune import LocalImage
from workloadd.core.revision import Image
from workloadd.core.world import World

NGINX = "docker.io/library/nginx:1.27"
POD = f"containers:\n  app: {{image: {NGINX}}}\n  side: {{image: localhost/side:1}}\n"
SIDE = Image("sha256:" + "3" * 64, "sha256:" + "4" * 64)
LOCAL = (
    LocalImage(IMAGE.id, frozenset({NGINX, "localhost/also:1"}), 10),
    LocalImage(SIDE.id, frozenset({"localhost/side:1"}), 20),
    LocalImage("sha256:" + "5" * 64, frozenset({"localhost/foreign:1"}), 30),
    LocalImage("sha256:" + "6" * 64, frozenset(), 40),
)


def test_what_they_are_there_for() -> None:
    desired, observed = world({"web": GOOD, "duo": POD}, {"web": GOOD})
    observed = replace(observed, images={NGINX: IMAGE, "localhost/side:1": SIDE})
    unused = LOCAL[3].id
    nginx, side, last = workload_images(
        World(desired, observed, Memory(), NOW), LOCAL, {IMAGE.id, unused}, {unused}
    )
    assert nginx.names == (NGINX, "localhost/also:1")
    assert set(nginx.uses) == {Use("web", "", "current"), Use("duo", "app", "file")}
    assert (nginx.digest, nginx.ours, nginx.prunable) == (IMAGE.digest, True, False)
    assert (side.uses, side.ours) == ((Use("duo", "side", "file"),), False)
    assert (last.id, last.uses, last.prunable, last.digest) == (unused, (), True, "")


def test_what_serves_no_more_is_still_told_after_its_file() -> None:
    desired, observed = world({}, {"web": GOOD})
    (image,) = workload_images(World(desired, observed, Memory(), NOW), LOCAL, (), ())
    assert image.uses == (Use("web", "", "current"),)
