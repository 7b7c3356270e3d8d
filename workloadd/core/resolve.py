"""From a declared workload to the revision to run, or to what that still waits for."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from workloadd.core.actions import PullImage
from workloadd.core.desired import Declared
from workloadd.core.errors import Problem
from workloadd.core.memory import Memory, Pull
from workloadd.core.needs import obstacle as in_the_way
from workloadd.core.observed import Observed
from workloadd.core.obstacles import obstacle, unreachable
from workloadd.core.revision import Revision, make_revision
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
    spec = declared.spec
    waits = list(_waits(declared.name, spec, observed, memory, now))
    if waits:
        return _together(waits)
    revision = make_revision(declared.name, spec, observed.images, declared.inputs, declared.needs)
    lacking = obstacle(spec, observed.controllers, observed.podman)
    lacking = lacking or unreachable(spec, revision, observed.unjoinable)
    lacking = lacking or in_the_way(declared.needs, observed.objects)
    return Resolution(revision=revision, obstacle=lacking)


def _waits(
    workload: str, spec: WorkloadSpec, observed: Observed, memory: Memory, now: float
) -> Iterator[Resolution]:
    """What each of the images that are not there yet waits for."""
    for name, container in spec.containers_by_name.items():
        wish = partial(pull_key, workload, name, container)
        for image in container.images:
            if wait := _image(image, container, wish, observed, memory, now):
                yield wait


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
