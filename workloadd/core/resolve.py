"""From a declared workload to the revision to run, or to what that still waits for."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from workloadd.core.actions import PullImage
from workloadd.core.deployment import Current, current_deployment
from workloadd.core.desired import Declared
from workloadd.core.errors import Problem
from workloadd.core.memory import Memory, Pull
from workloadd.core.needs import obstacle as in_the_way
from workloadd.core.observed import Observed, Seen
from workloadd.core.obstacles import obstacle, unreachable
from workloadd.core.revision import Image, Revision, make_revision
from workloadd.core.updates import Doorway, doorway, is_let_in, kept_images, updates_to_pull
from workloadd.core.versions import as_newest, as_served
from workloadd.spec.container import ContainerSpec
from workloadd.spec.model import WorkloadSpec


@dataclass(frozen=True, slots=True)
class Resolution:
    """A revision to run; or the problem, the pulls or the time that stand before it.

    `obstacle` is why a revision, though known, cannot run on this host.
    """

    revision: Revision | None = None
    obstacle: Problem | None = None
    problem: Problem | None = None
    pulls: tuple[PullImage, ...] = ()
    wake_at: float | None = None


def pull_key(workload: str, container: str, spec: ContainerSpec) -> str:
    """Names the wish "pull for this spec": `pull: always` is due once for each such wish."""
    content = json.dumps([workload, container, spec.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def resolve(declared: Declared, observed: Observed, memory: Memory, now: float) -> Resolution:
    """The revision of a declared workload, its images pinned by digest."""
    if declared.spec is None:
        return Resolution()
    if declared.problems:
        return Resolution(problem=declared.problems[0])
    current = current_deployment(declared.name, observed.workloads.get(declared.name, Seen()))
    spec = as_served(declared.spec, current)
    kept = kept_images(spec, current, observed)
    waits = list(_waits(declared, spec, observed, memory, now, kept))
    if waits:
        return _together(waits)
    door = doorway(declared.name, spec, memory, now)
    revision = _newest(declared, spec, current, kept, door, observed, memory)
    lacking = obstacle(spec, observed.controllers, observed.podman)
    lacking = lacking or unreachable(spec, revision, observed.unjoinable)
    lacking = lacking or in_the_way(declared.needs, observed.objects)
    pulls = updates_to_pull(declared.spec, current, observed, memory, door, now)
    return Resolution(revision=revision, obstacle=lacking, pulls=pulls)


def _newest(
    declared: Declared,
    spec: WorkloadSpec,
    current: Current | None,
    kept: Mapping[str, Image],
    door: Doorway,
    observed: Observed,
    memory: Memory,
) -> Revision:
    """The revision with the images that serve already, or the one with newer ones."""

    def make(of: WorkloadSpec, kept: Mapping[str, Image] | None = None) -> Revision:
        images = observed.images
        return make_revision(declared.name, of, images, declared.inputs, declared.needs, kept)

    stays = make(spec, kept)
    newest = spec
    if door.open and declared.spec:
        newest = as_newest(declared.spec, current, observed, memory.registry)
    named = {n: observed.images.get(one.image) for n, one in newest.containers_by_name.items()}
    if None in named.values() or all(named[name] == image for name, image in kept.items()):
        return stays
    fresh = make(newest)
    if fresh.digest == stays.digest:
        return stays
    return fresh if is_let_in(fresh, stays, current, door, memory) else stays


def _waits(
    declared: Declared,
    spec: WorkloadSpec,
    observed: Observed,
    memory: Memory,
    now: float,
    kept: Mapping[str, Image],
) -> Iterator[Resolution]:
    """What each of the images that are not there yet waits for."""
    shown = declared.needs.images
    for name, container in spec.containers_by_name.items():
        wish = partial(pull_key, declared.name, name, container)
        here = name in kept and container.pull in ("missing", "never") and not container.platform
        # What a shared volume shows is pulled as the first container has it.
        for image in dict.fromkeys((*container.images, *shown)):
            if here and image == container.image:
                continue
            if wait := _image(image, container, wish, observed, memory, now):
                yield wait
        shown = ()


def _together(waits: Iterable[Resolution]) -> Resolution:
    """What several images wait for: a failure is told before what goes well."""
    waits = sorted(waits, key=lambda w: w.problem is not None and w.problem.reason == "Pulling")
    pulls = {pull.reference: pull for wait in waits for pull in wait.pulls}
    return Resolution(
        problem=waits[0].problem,
        pulls=tuple(pulls.values()),
        wake_at=min((w.wake_at for w in waits if w.wake_at), default=None),
    )


def _image(
    image: str,
    spec: ContainerSpec,
    wish: Callable[[], str],
    observed: Observed,
    memory: Memory,
    now: float,
) -> Resolution | None:
    """What an image that a container needs waits for, or None where it is here.

    `wish` tells the key of the container's pulls.
    """
    pull = memory.pulls.get(image, Pull())
    asks = spec.pull in ("always", "newer") or spec.platform
    key = wish() if asks else ""
    if image in observed.images and _satisfied(spec, pull, key):
        return None
    return _wait(image, spec, pull, key or wish(), now)


def _satisfied(spec: ContainerSpec, pull: Pull, key: str) -> bool:
    """Whether the local image is the one to use, with no pull before."""
    if spec.pull == "never" or key in pull.done_for:
        return True
    if spec.pull == "missing":
        # Of which platform it is, Podman says: with this policy it pulls only where that differs.
        return not spec.platform
    # `newer` wants the registry's word, but makes do without it.
    return spec.pull == "newer" and pull.problem is not None


def _wait(image: str, spec: ContainerSpec, pull: Pull, key: str, now: float) -> Resolution:
    """What an image that is not there yet waits for."""
    if spec.pull == "never":
        problem = Problem(
            "ImageNotPresent",
            f"cannot deploy: image {image} is not in local storage and pull is never",
            "load it with podman, or set pull to missing",
        )
        return Resolution(problem=problem)
    if pull.running:
        progress = f": {pull.progress}" if pull.progress else ""
        return Resolution(problem=Problem("Pulling", f"pulling {image}{progress}"))
    if pull.problem and now < pull.next_at and key in pull.failed_for:
        return Resolution(problem=pull.problem, wake_at=pull.next_at)
    return Resolution(
        problem=pull.problem or Problem("Pulling", f"waiting to pull {image}"),
        pulls=(PullImage(image, spec.pull, key, spec.platform or ""),),
    )
