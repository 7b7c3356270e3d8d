"""Which image a workload is to run: what serves stays until a newer one is let in.

A tag is a name that moves, and several workloads may go by it. So each keeps the image that it
runs, by its ID, until its file names another one, its policy lets a newer one in, or somebody asks
for it by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from workloadd.core.actions import ClearHand, Note, PullImage, WorkloadPlan
from workloadd.core.deployment import Current, current_deployment
from workloadd.core.errors import Problem
from workloadd.core.hands import Hand
from workloadd.core.memory import Latest, Memory, Pull, Question
from workloadd.core.observed import Container, Observed, Seen
from workloadd.core.revision import Image, Revision
from workloadd.core.versions import Tracked, questions, tracked
from workloadd.spec.model import WorkloadSpec

_SHORT_DIGEST = 19
# Seconds after which an image that was pulled would have been seen.
_SEEN = 60.0


@dataclass(frozen=True, slots=True)
class Doorway:
    """Whether newer images may come in now, and why not where they may not."""

    open: bool
    why: str = ""


def doorway(workload: str, spec: WorkloadSpec, memory: Memory, now: float) -> Doorway:
    """Whether a workload lets newer images in at this time."""
    if memory.hand(workload, "update"):
        return Doorway(open=True)
    update = spec.update
    if update.policy != "auto":
        return Doorway(open=False, why=f"workloadctl update {workload} rolls it out")
    if update.window and not any(window.open_at(now) for window in update.window):
        said = "; ".join(map(str, update.window))
        return Doorway(open=False, why=f"it waits for its window: {said}")
    return Doorway(open=True)


def kept_images(
    spec: WorkloadSpec, current: Current | None, observed: Observed
) -> dict[str, Image]:
    """The images that containers of the file run already under the same name, by container."""
    serving = current.by_part if current else {}
    kept: dict[str, Image] = {}
    for name, container in spec.containers_by_name.items():
        runs = serving.get(name)
        if runs is None or runs.params is None or runs.params.image != container.image:
            continue
        if image := observed.images.get(runs.image_id):
            digest = runs.params.image_digest or image.digest
            kept[name] = replace(image, id=runs.image_id, digest=digest)
    return kept


def is_let_in(
    fresh: Revision, kept: Revision, current: Current | None, door: Doorway, memory: Memory
) -> bool:
    """Whether the revision with the newest local images takes the place of the one without."""
    if memory.bad.get((fresh.workload, fresh.digest)):
        return False
    if door.open:
        return True
    # A changed file that says to pull wants what was pulled for it.
    changed = current is None or current.revision != kept.digest
    specs = fresh.spec.containers_by_name.values()
    return changed and any(one.pull in ("always", "newer") for one in specs)


def updates_to_pull(
    spec: WorkloadSpec,
    current: Current | None,
    observed: Observed,
    memory: Memory,
    door: Doorway,
    now: float,
) -> tuple[PullImage, ...]:
    """Pulls of what registries are known to have newer, where it may come in."""
    if not door.open:
        return ()
    wishes = (_wish(one, observed, memory, now) for one in tracked(spec, current, memory.registry))
    return tuple({wish.reference: wish for wish in wishes if wish}.values())


def _key(latest: Latest) -> str:
    """Names the wish to pull what a registry has; a pull answers it once."""
    return f"update {latest.digest}"


def _wish(one: Tracked, observed: Observed, memory: Memory, now: float) -> PullImage | None:
    latest, local = one.latest, observed.images.get(one.reference)
    if latest is None or not latest.digest or (local and local.is_of(latest.digest)):
        return None
    key = _key(latest)
    pull = memory.pulls.get(one.reference, Pull())
    failed = pull.problem and now < pull.next_at and key in pull.failed_for
    if pull.running or key in pull.done_for or failed:
        return None
    return PullImage(one.reference, "always", key, one.platform)


def to_check(workloads: Mapping[str, WorkloadSpec], memory: Memory) -> dict[Question, float]:
    """What to ask registries, and since when (seconds since the epoch) an answer is wanted: 0.0 for
    whenever it is time."""
    wanted: dict[Question, float] = {}
    for name, spec in workloads.items():
        asked = memory.hand(name, "update")
        if spec.update.policy == "manual" and not asked:
            continue
        for question in questions(spec).values():
            since = asked.at if asked else 0.0
            wanted[question] = max(since, wanted.get(question, 0.0))
    return wanted


@dataclass(frozen=True, slots=True)
class Freshness:
    """How the images of a workload compare with the newest known ones.

    `newer` are sentences about those that are, `failed` why registries did not tell, `unknown` what
    they were not asked yet.
    """

    newer: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def freshness(
    spec: WorkloadSpec, current: Current | None, observed: Observed, memory: Memory
) -> Freshness:
    """What is known of newer images than those that serve."""
    serving = current.by_part if current else {}
    newer, failed, unknown = [], [], []
    for one in tracked(spec, current, memory.registry):
        runs, latest = serving.get(one.name), one.latest
        if runs is None:
            continue
        local = observed.images.get(one.reference)
        if latest and latest.problem:
            failed.append(latest.problem.message)
        elif latest and latest.digest and (local is None or not local.is_of(latest.digest)):
            newer.append(_newer(one.reference, latest.digest, runs))
        elif local and local.id != runs.image_id:
            newer.append(_newer(one.reference, local.digest, runs))
        elif latest is None and spec.update.policy != "manual":
            unknown.append(f"{one.served} has not been checked yet")
    return Freshness(tuple(newer), tuple(failed), tuple(unknown))


@dataclass(frozen=True, slots=True)
class Outdated:
    """What is known of newer images of a workload: sentences about them, and about what is not."""

    workload: str
    policy: str
    newer: tuple[str, ...]
    unknown: tuple[str, ...]


def outdated(
    specs: Mapping[str, WorkloadSpec], observed: Observed, memory: Memory
) -> list[Outdated]:
    """The same of all workloads whose images may move."""
    told = []
    for name, spec in sorted(specs.items()):
        if questions(spec):
            current = current_deployment(name, observed.workloads.get(name, Seen()))
            found = freshness(spec, current, observed, memory)
            unknown = (*found.failed, *found.unknown)
            told.append(Outdated(name, spec.update.policy, found.newer, unknown))
    return told


def _newer(reference: str, digest: str, runs: Container) -> str:
    short = digest[:_SHORT_DIGEST]
    served = runs.params.image if runs.params else reference
    if served == reference:
        return f"{reference} is now {short}"
    return f"{reference} ({short}) is newer than {served.rpartition(':')[2]}"


def update_done(
    asked: Hand, spec: WorkloadSpec, observed: Observed, memory: Memory, now: float
) -> tuple[bool, Problem | None]:
    """Whether an update that somebody asked for has nothing more to pull; why it failed."""
    current = current_deployment(asked.workload, observed.workloads.get(asked.workload, Seen()))
    for one in tracked(spec, current, memory.registry):
        latest = one.latest or Latest()
        pull = memory.pulls.get(one.reference, Pull())
        if latest.checked_at < asked.at:
            return False, None
        if latest.problem:
            return True, latest.problem
        if not latest.digest:
            continue
        key = _key(latest)
        if pull.problem and key in pull.failed_for:
            return True, pull.problem
        local = observed.images.get(one.reference)
        # An image that is here may not be seen yet; one for another platform never is that one.
        pulled = key in pull.done_for and now > asked.at + _SEEN
        if local is None or not (local.is_of(latest.digest) or pulled):
            return False, None
    return True, None


def finish_update(
    asked: Hand, spec: WorkloadSpec, observed: Observed, memory: Memory, now: float
) -> WorkloadPlan | None:
    """Forget an update that somebody asked for, once there is nothing left of it to do."""
    done, problem = update_done(asked, spec, observed, memory, now)
    if not done:
        return None
    said = f"the update asked for {asked.words} failed: {problem.message}" if problem else ""
    note = [Note("update", said)] if problem else []
    return WorkloadPlan((*note, ClearHand(asked)), why=said or "all its images are the newest")
