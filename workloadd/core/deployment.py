"""The current deployment, put together from a unit's record, containers and units."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workloadd.core.names import SLOTS, candidate_name, made_as, plain_name, unit_part
from workloadd.core.observed import Container, Ids, Seen, UnitRecord, UnitState
from workloadd.core.revision import UnitParams, combined_digest
from workloadd.core.socket_units import socket_units
from workloadd.spec.names import INFRA_CONTAINER


@dataclass(frozen=True, slots=True)
class DeployedPart:
    """One container of a deployment as it is; `container` is None where it is gone."""

    name: str
    id: str
    container: Container | None
    unit: UnitState

    @property
    def infra(self) -> bool:
        """Whether it is the container that Podman itself adds to a pod."""
        return self.name == INFRA_CONTAINER

    @property
    def init(self) -> bool:
        """Whether it runs to its end before the others start."""
        params = self.container.params if self.container else None
        return params is not None and params.role == "init"

    @property
    def oom(self) -> bool:
        """Whether it ended as there was no memory left for it."""
        killed = self.container is not None and self.container.oom
        return killed or self.unit.result == "oom-kill"

    @property
    def starting(self) -> bool:
        """Whether systemd starts it just now, for the first time since somebody asked for it."""
        unit = self.unit
        return not unit.restarts and (bool(unit.job) or unit.active_state == "activating")

    @property
    def up(self) -> bool:
        """Whether it does what it is there for: it runs, or has run to its end."""
        if self.container is None:
            return False
        if completed(self.container, self.unit):
            return True
        return not self.init and self.container.state == "running" and self.unit.active


@dataclass(frozen=True, slots=True)
class Older:
    """A deployment that served before, and of which all containers are still here."""

    ids: Ids
    containers: tuple[Container, ...]

    @property
    def revision(self) -> str:
        """What it is a deployment of."""
        return combined_digest((c.container, c.revision) for c in self.containers)


@dataclass(frozen=True, slots=True)
class Current:
    """The current deployment: what the unit names, or what serves under plain names.

    `previous` is the deployment before it, `fallback` its containers where all are still here.
    `older` are those before that one, the newest first. `sockets` are the units that should
    listen for it. `trial` is the deployment that has to prove itself beside this one before it
    takes its place.
    """

    revision: str
    parts: tuple[DeployedPart, ...]
    previous: Ids = ()
    fallback: tuple[Container, ...] = ()
    sockets: tuple[tuple[str, UnitState], ...] = ()
    trial: "Current | None" = None
    older: tuple[Older, ...] = ()

    @property
    def ids(self) -> Ids:
        """Its containers by part."""
        return tuple((part.name, part.id) for part in self.parts)

    @property
    def containers(self) -> tuple[Container, ...]:
        """Those of its containers that are here."""
        return tuple(part.container for part in self.parts if part.container)

    @property
    def by_part(self) -> dict[str, Container]:
        """Those of its containers that are here, by the names that their revision has for them."""
        return {made_as(part.name): part.container for part in self.parts if part.container}

    @property
    def fallback_revision(self) -> str:
        """The revision of the deployment before it; empty where not all of that is here."""
        return Older(self.previous, self.fallback).revision if self.fallback else ""

    @property
    def behind(self) -> tuple[Older, ...]:
        """All deployments that may serve again, the newest first."""
        previous = (Older(self.previous, self.fallback),) if self.fallback else ()
        return (*previous, *self.older)

    def behind_next(self, revision: str, keep: int, *, proven: bool) -> tuple[Ids, ...]:
        """What is to be kept, the newest first, where a deployment of `revision` takes over: this
        one, if it is `proven`, and those behind it; no more than `keep`, each revision once."""
        line = {self.revision: self.ids} if proven and self.complete else {}
        for one in self.behind:
            line.setdefault(one.revision, one.ids)
        line.pop(revision, None)
        return tuple(line.values())[:keep]

    @property
    def made_of(self) -> tuple[tuple[str, str], ...]:
        """The names and digests of those of its parts that are here."""
        return tuple((c.container, c.revision) for c in self.containers)

    @property
    def container(self) -> Container | None:
        """The container behind the workload's own unit: its only one, or a pod's infra."""
        return self.parts[0].container

    @property
    def complete(self) -> bool:
        """Whether no container of it is gone."""
        return all(part.container for part in self.parts)

    @property
    def unproven(self) -> bool:
        """Whether any part of it never concluded a rollout."""
        return any(unproven(c) for c in self.containers)

    @property
    def up(self) -> bool:
        """Whether all of it does what it is there for."""
        return self.asleep or (self.listening and all(part.up for part in self.parts))

    @property
    def listening(self) -> bool:
        """Whether systemd listens on all of its sockets, if it has any."""
        return all(unit.active for _, unit in self.sockets)

    @property
    def asleep(self) -> bool:
        """Whether nothing of it runs, as nobody has connected to the sockets that listen for it."""
        stopped = all(part.unit.active_state == "inactive" for part in self.parts)
        return bool(self.sockets) and self.listening and stopped

    @property
    def kept(self) -> frozenset[str]:
        """The containers of this deployment, of those behind it, and of the one on trial."""
        trial = self.trial.ids if self.trial else ()
        older = (pair for one in self.older for pair in one.ids)
        return frozenset(id for _, id in (*self.ids, *self.previous, *older, *trial))

    @property
    def slot(self) -> str:
        """Which slot it is in; empty where it has the workload's own unit."""
        return self.parts[0].name if self.parts[0].name in SLOTS else ""


def unproven(container: Container) -> bool:
    """Whether a container still has the name it was created with: it never concluded a rollout."""
    name = candidate_name(container.workload, container.container, container.revision)
    return container.name == name


def completed(container: Container, unit: UnitState) -> bool:
    """Whether the container did its work and is not meant to be started again.

    With `restart: always` an end is never an end; any other unit stays active after its main
    process ended well (RemainAfterExit=), until it is stopped or the host goes down. So one that
    was stopped by hand is not taken for one that has ended by itself.
    """
    params = container.params or UnitParams()
    ended = unit.active and unit.sub_state == "exited" and params.restart != "always"
    return ended and container.state == "exited" and container.exit_code == 0


def slept(container: Container) -> bool:
    """Whether a container that waits for connections has run and ended well by itself."""
    params = container.params or UnitParams()
    ended = container.state == "exited" and container.exit_code == 0 and container.started_at > 0
    return bool(params.sockets) and ended


def _older(record: UnitRecord, seen: Seen) -> Iterator[Older]:
    """What is kept of before the previous deployment, each revision once."""
    known = {record.revision}
    for ids in (record.previous, *record.older):
        there = tuple(c for _, container in ids if (c := seen.by_id(container)))
        if not ids or len(there) < len(ids):
            continue
        one = Older(ids, there)
        if one.revision not in known and ids != record.previous:
            yield one
        known.add(one.revision)


def current_deployment(name: str, seen: Seen) -> Current | None:
    """The deployment that the unit file commits to.

    Without a file (deleted by hand, or masked and unmasked since) it is the containers that serve
    under the workload's plain names, the only ones that can have proven themselves.
    """
    record = seen.file.record if seen.file else None
    if record:
        fallback = [seen.by_id(container) for _, container in record.previous]
        there = tuple(container for container in fallback if container)
        parts = tuple(_part(part, container, seen) for part, container in record.containers)
        sockets = _sockets(name, parts, seen)
        return Current(
            record.revision,
            parts,
            record.previous,
            there if len(there) == len(fallback) else (),
            sockets,
            _on_trial(record, sockets, seen),
            tuple(_older(record, seen)),
        )
    serving = _serving(name, seen)
    if not serving:
        return None
    ids = {c.id for c in serving}
    older = newest(c for c in seen.containers if c.id not in ids and c.started_at > 0)
    fallback_ = (older,) if older and len(serving) == 1 else ()
    parts = tuple(_part(c.container, c.id, seen) for c in serving)
    return Current(
        combined_digest((c.container, c.revision) for c in serving),
        parts,
        tuple((c.container, c.id) for c in fallback_),
        fallback_,
        _sockets(name, parts, seen),
    )


def _on_trial(
    record: UnitRecord, sockets: tuple[tuple[str, UnitState], ...], seen: Seen
) -> Current | None:
    """What has to prove itself beside the current deployment, if anything does."""
    if not record.trial:
        return None
    parts = tuple(_part(part, container, seen) for part, container in record.trial)
    made_of = [(p.container.container, p.container.revision) for p in parts if p.container]
    revision = combined_digest(made_of) if made_of else ""
    return Current(revision, parts, record.containers, sockets=sockets)


def _sockets(
    name: str, parts: Iterable[DeployedPart], seen: Seen
) -> tuple[tuple[str, UnitState], ...]:
    params = [part.container.params for part in parts if part.container]
    units = socket_units(name, (text for p in params if p for text in p.sockets))
    return tuple((unit, seen.sockets.get(unit, UnitState())) for unit in units)


def _part(name: str, container: str, seen: Seen) -> DeployedPart:
    return DeployedPart(name, container, seen.by_id(container), seen.unit_of(name))


def _serving(name: str, seen: Seen) -> list[Container]:
    """What has plain names, as it starts; of a pod only with its infra container."""
    plain = [c for c in seen.containers if c.name == plain_name(name, c.container)]
    whole = next((c for c in plain if not unit_part(c.container)), None)
    if whole is None:
        return []
    if whole.container != INFRA_CONTAINER:
        return [whole]
    members = [c for c in plain if c.pod == whole.pod and c.id != whole.id]
    roles = {c.id: (c.params or UnitParams()).role for c in members}
    return [whole, *sorted(members, key=lambda c: (roles[c.id] != "init", c.created_at, c.name))]


def newest(containers: Iterable[Container]) -> Container | None:
    """The container created last, or None."""
    return max(containers, key=lambda c: (c.created_at, c.id), default=None)
