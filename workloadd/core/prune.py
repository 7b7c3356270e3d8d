"""Which images may be removed: those that were pulled for workloads and that nobody needs.

Pure. Podman puts no mark on images, so what is ours is remembered: an image that was not there
before workloadd pulled it, by the names that came with it. One that somebody gave a further name,
uses for a container or built upon is no longer ours alone, and stays.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from workloadd.core.desired import Desired
from workloadd.core.observed import Observed


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image in local storage: its names, its size in bytes, and the one it was built upon."""

    id: str
    names: frozenset[str] = frozenset()
    size: int = 0
    parent: str = ""


@dataclass(frozen=True, slots=True)
class OurImage:
    """An image that workloadd pulled, by which names; times are seconds since the epoch."""

    id: str
    names: frozenset[str]
    pulled_at: float
    last_used: float


@dataclass(frozen=True, slots=True)
class Doomed:
    """An image to remove: by its names one after the other, by its ID where it has none."""

    id: str
    names: tuple[str, ...]
    size: int
    unused_since: float

    @property
    def label(self) -> str:
        """What people know it by."""
        return ", ".join(self.names) or self.id[:12]


@dataclass(frozen=True, slots=True)
class Needed:
    """What images are needed for: by ID, and by name as files have it.

    `sure` says that all workload files are in sight; without that nothing may be removed.
    """

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    sure: bool = False


def needed_images(desired: Desired, observed: Observed, references: Collection[str]) -> Needed:
    """What workload files name, and what containers of ours were made from.

    `references` are the images that files name.
    """
    containers = [c for seen in observed.workloads.values() for c in seen.containers]
    ids = {image.id for name, image in observed.images.items() if name in references}
    ids |= {c.image_id for c in containers}
    sure = not desired.unreadable and not desired.unsure
    return Needed(frozenset(ids), frozenset(references), sure)


def used_images(local: Iterable[LocalImage], needed: Needed, used: Collection[str]) -> set[str]:
    """The IDs of what is in use: needed by workloads, by any container (`used`), or built upon.

    Of what a container has mounted Podman tells the name or ID that it was given.
    """
    images = list(local)
    return {
        *(image.id for image in images if any(_is_meant(image, one) for one in used)),
        *needed.ids,
        *(image.parent for image in images if image.parent),
        *(image.id for image in images if image.names & needed.names),
    }


def _is_meant(image: LocalImage, given: str) -> bool:
    """Whether an ID, or its beginning, or a name that may be a short one is that of an image."""
    if not given:
        return False
    short = (f"/{given}", f"/{given}:latest")
    named = any(f"/{name}".endswith(short) for name in image.names)
    return named or image.id.startswith(given.removeprefix("sha256:"))


def prunable(
    local: Iterable[LocalImage],
    ours: Mapping[str, OurImage],
    needed: Needed,
    used: Collection[str],
    *,
    keep: float,
    now: float,
) -> tuple[Doomed, ...]:
    """What may be removed now, the longest unused first.

    `used` are the images (IDs or names) that anybody's containers were made from or have mounted,
    `keep` the seconds that an image has to have been unused.
    """
    if not needed.sure:
        return ()
    images = list(local)
    in_use = used_images(images, needed, used)
    found = []
    for image in images:
        own = ours.get(image.id)
        if own is None or image.id in in_use or not image.names <= own.names:
            continue
        since = max(own.pulled_at, own.last_used)
        # A clock that was put back is no reason to keep something for ever.
        if now - keep >= since or since > now + keep:
            found.append(Doomed(image.id, tuple(sorted(image.names)), image.size, since))
    return tuple(sorted(found, key=lambda one: (one.unused_since, one.id)))
