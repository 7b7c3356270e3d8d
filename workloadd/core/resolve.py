"""From a declared workload to the revision to run, or to what that still waits for."""

import hashlib
import json
from dataclasses import dataclass

from workloadd.core.actions import PullImage
from workloadd.core.desired import Declared
from workloadd.core.errors import Problem
from workloadd.core.memory import Memory, Pull
from workloadd.core.observed import Observed
from workloadd.core.revision import Revision, make_revision
from workloadd.spec.model import ServiceSpec


@dataclass(frozen=True, slots=True)
class Resolution:
    """A revision to run; or the problem, the pull or the time that stands before it.

    `obstacle` is why a revision, though known, cannot run on this host.
    """

    revision: Revision | None = None
    obstacle: Problem | None = None
    problem: Problem | None = None
    pull: PullImage | None = None
    wake_at: float | None = None


def pull_key(workload: str, spec: ServiceSpec) -> str:
    """Names the wish "pull for this spec": `pull: always` is due once for each such wish."""
    content = json.dumps([workload, spec.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def resolve(declared: Declared, observed: Observed, memory: Memory, now: float) -> Resolution:
    """The revision of a declared workload, its image pinned by digest."""
    if declared.spec is None:
        return Resolution()
    if declared.problems:
        return Resolution(problem=declared.problems[0])
    spec = declared.spec
    image = observed.images.get(spec.image)
    pull = memory.pulls.get(spec.image, Pull())
    if image is not None and _satisfied(declared.name, spec, pull):
        revision = make_revision(declared.name, spec, image.id, image.digest, declared.env_files)
        return Resolution(revision=revision, obstacle=_missing_controllers(spec, observed))
    return _wait(declared.name, spec, pull, now)


def _missing_controllers(spec: ServiceSpec, observed: Observed) -> Problem | None:
    """A limit without its cgroup controller: the container would be made, but never start."""
    if observed.controllers is None:
        return None
    limits = spec.resources
    wanted = {"memory": limits.memory, "cpu": limits.cpus, "pids": limits.pids}
    missing = [n for n, limit in wanted.items() if limit and n not in observed.controllers]
    if not missing:
        return None
    return Problem(
        "ControllerMissing",
        f"cannot limit {', '.join(missing)}: not delegated to the user manager on this host",
        "delegate it (the host condition Controllers says how), or leave the limit out",
    )


def _satisfied(workload: str, spec: ServiceSpec, pull: Pull) -> bool:
    """Whether the local image is the one to use, with no pull before."""
    if spec.pull in ("missing", "never") or pull_key(workload, spec) in pull.done_for:
        return True
    # `newer` wants the registry's word, but makes do without it.
    return spec.pull == "newer" and pull.problem is not None


def _wait(workload: str, spec: ServiceSpec, pull: Pull, now: float) -> Resolution:
    """What an image that is not there yet waits for."""
    if spec.pull == "never":
        problem = Problem(
            "ImageNotPresent",
            f"cannot deploy: image {spec.image} is not in local storage and pull is never",
            "load it with podman, or set pull to missing",
        )
        return Resolution(problem=problem)
    if pull.running:
        progress = f": {pull.progress}" if pull.progress else ""
        return Resolution(problem=Problem("Pulling", f"pulling {spec.image}{progress}"))
    key = pull_key(workload, spec)
    if pull.problem and now < pull.next_at and key in pull.failed_for:
        return Resolution(problem=pull.problem, wake_at=pull.next_at)
    return Resolution(
        problem=pull.problem or Problem("Pulling", f"waiting to pull {spec.image}"),
        pull=PullImage(spec.image, spec.pull, key),
    )
