"""From the current deployment, or none, to a new one: prepare, commit, start."""

from collections.abc import Iterable, Mapping

from workloadd.core.actions import (
    Action,
    BeginRollout,
    CreateContainers,
    DaemonReload,
    RemoveContainer,
    RemovePod,
    RestartUnit,
    StartUnit,
    StopUnit,
    WorkloadPlan,
    WriteUnits,
)
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.names import SHORT, SLOTS, unit_part
from workloadd.core.observed import Container, Ids, UnitRecord
from workloadd.core.on_demand import release_sockets
from workloadd.core.revision import Revision, UnitParams, gated
from workloadd.spec.names import INFRA_CONTAINER, MAIN_CONTAINER


def roll_forward(case: Case, revision: Revision) -> WorkloadPlan:
    """The plan that leads to `revision`.

    Of a pod only what has to be replaced is: a container stays whose part of the revision is the
    same, as long as the pod that it lives in stays.
    """
    cause = cause_of(revision, case.current)
    ready, actions = prepare(case, revision)
    if case.waiting.lacking:
        # What serves is not stopped for what could not start.
        return WorkloadPlan(tuple(actions), why=case.waiting.message)
    slot = (case.current.slot if case.current else "") or SLOTS[0]
    places = {p.name: slot if case.policy.start_first else p.name for p in revision.parts}
    ids = tuple((place, ready.get(name, "")) for name, place in places.items())
    behind: tuple[Ids, ...] = ()
    if current := case.current:
        proven = not current.unproven
        behind = current.behind_next(revision.digest, case.policy.keep, proven=proven)
    record = UnitRecord(
        case.name,
        revision.digest,
        ids,
        behind[0] if behind else (),
        source=case.declared.path,
        description=revision.spec.description,
        reclaim=revision.reclaim,
        older=behind[1:],
    )
    params = {places[part.name]: part.params for part in revision.parts}
    actions += release_sockets(case.seen, case.current, params)
    actions += [WriteUnits(record, params), *take_over(case, ids, params)]
    return WorkloadPlan(tuple(actions), why=f"roll out {revision.digest[:SHORT]}: {cause}")


def is_prepared(case: Case, revision: Revision) -> bool:
    """Whether all is made that can be before a start, and is noted as begun."""
    begun = case.rollout is not None and case.rollout.revision == revision.digest
    return begun and all(part.name in _usable(case, revision) for part in revision.parts)


def prepare(case: Case, revision: Revision) -> tuple[dict[str, str], list[Action]]:
    """The containers of a revision that are there already, by part, and what makes the others."""
    usable = _usable(case, revision)
    missing = tuple(part.name for part in revision.parts if part.name not in usable)
    create: list[Action] = []
    if missing:
        others = case.others([c.id for c in usable.values()])
        stale = [c for c in others if _same_make(c, revision, missing)]
        create = [*removals(stale), CreateContainers(revision, missing, _pod(usable))]
    begin: list[Action] = []
    if case.rollout is None or case.rollout.revision != revision.digest:
        from_revision = case.current.revision if case.current else ""
        cause = cause_of(revision, case.current)
        begin = [BeginRollout(revision.digest, from_revision, cause, revision)]
    # What Podman rejected is tried again, but the history hears of it only when it is taken.
    actions = [*create, *begin] if case.attempt(revision.digest) else [*begin, *create]
    return {name: container.id for name, container in usable.items()}, actions


def take_over(case: Case, ids: Ids, params: Mapping[str, UnitParams]) -> list[Action]:
    """Have the units of a record that was just written start what it names, and stop what it no
    longer does; what stays is left alone."""
    first = ids[0][0]
    if not case.seen.unit.loaded:
        return [StartUnit(unit_part(first))]
    before = dict(case.current.ids) if case.current else {}
    if first in SLOTS or not before.keys().isdisjoint(SLOTS):
        # Each slot's unit stops its own container only, by the text that systemd has.
        return [StopUnit(), DaemonReload(), StartUnit(unit_part(first))]
    changed = [name for name, container in ids if not container or before.get(name) != container]
    if ids[0][0] in changed or any(params[name].role == "init" for name in changed):
        # What runs to its end comes first again: the whole pod starts anew.
        return [DaemonReload(), RestartUnit()]
    # By their old text, which systemd forgets when it finds the file gone. What waits for others
    # is started again when they are there.
    later = gated(params).intersection(changed)
    gone = [StopUnit(name) for name in before if name not in dict(ids) or name in later]
    again = [RestartUnit(name) for name in changed if name not in later]
    return [*gone[::-1], DaemonReload(), *again]


def _usable(case: Case, revision: Revision) -> dict[str, Container]:
    """The containers that the deployment can be made of as they are, by part."""
    found: dict[str, Container] = {}
    for part in revision.parts:
        candidates = (
            c
            for c in case.seen.containers
            if c.container == part.name and c.revision == part.digest and _fits(case, c)
        )
        container = next(candidates, None)
        if container and part.name not in (INFRA_CONTAINER, MAIN_CONTAINER):
            infra = found.get(INFRA_CONTAINER)
            if infra is None or infra.pod != container.pod:
                continue
        if container:
            found[part.name] = container
    return found


def _fits(case: Case, container: Container) -> bool:
    """Whether a container of the right make can be committed as it is.

    That is one that was never started (the daemon ended between create and commit), one of the
    current deployment, or of one behind it (the file was changed back).
    """
    fresh = container.state in ("created", "configured", "initialized")
    return fresh or (case.current is not None and container.id in case.current.kept)


def _same_make(container: Container, revision: Revision, missing: Iterable[str]) -> bool:
    """Whether a container has the name that one to be created will get."""
    digests = {part.name: part.digest for part in revision.parts}
    return container.container in missing and container.revision == digests[container.container]


def removals(containers: Iterable[Container]) -> list[Action]:
    """Remove containers; a pod goes with its infra container, and takes the others along."""
    gone = list(containers)
    pods = dict.fromkeys(c.pod for c in gone if c.container == INFRA_CONTAINER)
    single = [c for c in gone if c.pod not in pods or not c.pod]
    return [*(RemovePod(pod) for pod in pods), *(RemoveContainer(c.id) for c in single)]


def _pod(usable: dict[str, Container]) -> str:
    infra = usable.get(INFRA_CONTAINER)
    return infra.pod if infra else ""


def cause_of(revision: Revision, current: Current | None) -> str:
    """Why a revision is rolled out, in words."""
    if current is None:
        return "new workload"
    gone = [part.name for part in current.parts if part.container is None]
    if current.revision == revision.digest:
        which = f" {', '.join(gone)}" if revision.is_pod else ""
        return f"drift: its container{which} was removed"
    images = _image_changes(revision, current)
    return "; ".join(images) or "the workload file changed"


def _image_changes(revision: Revision, current: Current) -> list[str]:
    said = []
    for part in revision.parts:
        old = current.by_part.get(part.name)
        if old is None or part.spec is None or part.image is None or old.image_id == part.image.id:
            continue
        what = f"image {part.spec.image} is now {part.image.digest}"
        said.append(what if old.image == part.spec.image else f"image changed to {part.spec.image}")
    return said
