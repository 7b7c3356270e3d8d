"""Which images workloads use, and for what. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from workloadd.core.observed import Container
from workloadd.core.prune import LocalImage
from workloadd.core.world import World

Role = Literal["current", "next", "previous", "older", "file"]


@dataclass(frozen=True, slots=True)
class Use:
    """A deployment that an image is there for, or the `file` that names it. `container` is the
    name within a pod, empty for an only one."""

    workload: str
    container: str
    role: Role


@dataclass(frozen=True, slots=True)
class WorkloadImage:
    """An image in local storage that workloads use, or that was pulled for one.

    `ours` says that it was pulled by workloadd, `prunable` that nothing needs it any more.
    """

    id: str
    names: tuple[str, ...]
    digest: str
    size: int
    uses: tuple[Use, ...]
    ours: bool
    prunable: bool


def workload_images(
    world: World, local: Iterable[LocalImage], ours: Iterable[str], prunable: Iterable[str]
) -> tuple[WorkloadImage, ...]:
    """All of them, by name; what neither a workload uses nor workloadd pulled is left out."""
    uses, digests, pulled, unused = _uses(world), _digests(world), set(ours), set(prunable)
    found = [
        WorkloadImage(
            image.id,
            tuple(sorted(image.names)),
            digests.get(image.id, ""),
            image.size,
            tuple(uses.get(image.id, ())),
            image.id in pulled,
            image.id in unused,
        )
        for image in local
        if image.id in uses or image.id in pulled
    ]
    return tuple(sorted(found, key=lambda one: (one.names or ("~",), one.id)))


def _uses(world: World) -> Mapping[str, Iterable[Use]]:
    """By image ID, each once, in the order of what matters most."""
    found: dict[str, dict[Use, None]] = {}
    for workload in sorted({*world.desired.workloads, *world.observed.workloads}):
        for container, role in _deployed(world, workload):
            use = Use(workload, _inner(world, workload, container.container), role)
            found.setdefault(container.image_id, {})[use] = None
    for workload, inner, image in _named(world):
        known = found.setdefault(image, {})
        if not any((one.workload, one.container) == (workload, inner) for one in known):
            known[Use(workload, inner, "file")] = None
    return found


def _deployed(world: World, workload: str) -> Iterator[tuple[Container, Role]]:
    current, seen = world.current(workload), world.seen(workload)
    known: set[str] = set()
    if current:
        of_role: tuple[tuple[Iterable[Container], Role], ...] = (
            (current.containers, "current"),
            (current.fallback, "previous"),
            (tuple(c for one in current.older for c in one.containers), "older"),
        )
        for containers, role in of_role:
            for container in containers:
                known.add(container.id)
                yield container, role
    yield from ((c, "next") for c in seen.containers if c.id not in known)


def _inner(world: World, workload: str, container: str) -> str:
    """A container's name within its pod; of an only one nobody speaks by name."""
    declared = world.desired.workloads.get(workload)
    seen = {c.container for c in world.seen(workload).containers}
    names = declared.spec.containers_by_name if declared and declared.spec else seen
    return container if len(names) > 1 or len(seen) > 1 else ""


def _named(world: World) -> Iterator[tuple[str, str, str]]:
    """Workload, container and image ID of what files name and is here."""
    for workload, declared in sorted(world.desired.workloads.items()):
        containers = declared.spec.containers_by_name if declared.spec else {}
        for name, container in containers.items():
            for reference in container.images:
                if image := world.observed.images.get(reference):
                    yield workload, _inner(world, workload, name), image.id


def _digests(world: World) -> Mapping[str, str]:
    found = {image.id: image.digest for image in world.observed.images.values()}
    for seen in world.observed.workloads.values():
        for container in seen.containers:
            if container.params and container.params.image_digest:
                found.setdefault(container.image_id, container.params.image_digest)
    return found
