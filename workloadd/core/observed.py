"""What one look at the host found: containers, images, units, and our unit files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workloadd.core.errors import Problem
from workloadd.core.names import WHOLE, names_taken_by, unit_part
from workloadd.core.objects import NO_OBJECTS, Objects
from workloadd.core.revision import Image, UnitParams


@dataclass(frozen=True, slots=True)
class Container:
    """A container of ours (it has our labels), as Podman lists it.

    Times are seconds since the epoch, 0.0 for never. `state` is Podman's word: created, running,
    paused, stopping, stopped, exited, removing, unknown … `params` is None where the label was
    not one that this version can read. `live` are the digests, by path, of the files that change
    under it. `ports` are the host ports it publishes: address ("" for all), number, protocol.
    `pod` is the full ID of the pod that it belongs to, if it does. `pid` is that of its main
    process as the daemon sees it, 0 where it does not run. `oom` says that its last run was killed
    for memory.
    """

    id: str
    name: str
    workload: str
    container: str
    revision: str
    image_id: str
    image: str
    state: str
    exit_code: int = 0
    created_at: float = 0.0
    started_at: float = 0.0
    exited_at: float = 0.0
    params: UnitParams | None = None
    ports: tuple[tuple[str, int, str], ...] = ()
    pod: str = ""
    pid: int = 0
    oom: bool = False
    live: Mapping[str, str] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether a process of the container lives (a paused or stopping one does)."""
        return self.state in ("running", "paused", "stopping")


Ids = tuple[tuple[str, str], ...]
"""Containers of a deployment: the names of its parts and full IDs, in the order in which they
start; an ID is empty where the container has yet to be created."""


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """The commit record in a workload's own unit: which containers serve, which ones did before.

    `older` are deployments before the previous one, the newest first; `trial` is what has to
    prove itself beside them, uncommitted. `description` is the file's line for people,
    `reclaim` are the Podman volumes to delete when the workload goes, `disabled` says that the
    file keeps it stopped.
    """

    workload: str
    revision: str
    containers: Ids
    previous: Ids = ()
    source: str = ""
    description: str = ""
    reclaim: tuple[str, ...] = ()
    disabled: bool = False
    trial: Ids = ()
    older: tuple[Ids, ...] = ()

    @property
    def running(self) -> Ids:
        """All containers that units start."""
        return (*self.containers, *self.trial)


@dataclass(frozen=True, slots=True)
class UnitFile:
    """The files of a workload's units where we would write them.

    `record` is None where they are not ours, or the header was edited. `intact` says that they
    hold exactly what this version would write for the record; `enabled` that the link in
    `workloads.target.wants` is there.
    """

    record: UnitRecord | None
    intact: bool
    enabled: bool | None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class UnitState:
    """What systemd says of a unit. Its words are kept (`active_state` activating, active …).

    Times are seconds since the epoch, 0.0 for never. `needs_reload` is systemd's NeedDaemonReload.
    """

    load_state: str = "not-found"
    active_state: str = "inactive"
    sub_state: str = "dead"
    result: str = "success"
    restarts: int = 0
    active_since: float = 0.0
    needs_reload: bool = False
    job: str = ""
    # Of a timer: when it elapses next, and when it last did.
    next_at: float = 0.0
    triggered_at: float = 0.0

    @property
    def loaded(self) -> bool:
        """Whether systemd holds a unit of this name, which a changed file makes stale.

        One that runs stays in its memory even if its file went meanwhile.
        """
        return self.load_state not in ("not-found", "") or self.active_state != "inactive"

    @property
    def masked(self) -> bool:
        """Whether an operator masked it: then it is left alone."""
        return self.load_state == "masked"

    @property
    def active(self) -> bool:
        """Whether the service runs."""
        return self.active_state in ("active", "reloading")


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything observed of one workload."""

    containers: tuple[Container, ...] = ()
    file: UnitFile | None = None
    # By part; the workload's own unit is that of `WHOLE`.
    units: Mapping[str, UnitState] = field(default_factory=dict)
    # Names of containers and pods that are not ours: the workload's, or what begins as its parts'.
    foreign: frozenset[str] = frozenset()
    # A job's timer.
    timer: UnitState = UnitState()
    # By unit name: the units that listen for it.
    sockets: Mapping[str, UnitState] = field(default_factory=dict)
    # Since when nobody has used its sockets; None where somebody does, or it is not known.
    idle_since: float | None = None

    @property
    def unit(self) -> UnitState:
        """The workload's own unit."""
        return self.unit_of(WHOLE)

    def unit_of(self, part: str) -> UnitState:
        """The unit that starts a part."""
        return self.units.get(unit_part(part), UnitState())

    def taken(self, workload: str, parts: Iterable[tuple[str, str]]) -> str:
        """A name that a deployment of these parts and digests needs and another thing has."""
        return next((n for n in names_taken_by(workload, parts) if n in self.foreign), "")

    @property
    def needs_reload(self) -> bool:
        """Whether a unit's file is not what systemd has read."""
        return any(unit.needs_reload for unit in self._all)

    @property
    def loaded(self) -> bool:
        """Whether systemd holds any unit of the workload, which changed files make stale."""
        return any(unit.loaded for unit in self._all)

    @property
    def _all(self) -> tuple[UnitState, ...]:
        return (*self.units.values(), self.timer, *self.sockets.values())

    def params(self, ids: Ids) -> dict[str, UnitParams]:
        """What the units of these containers say, by part; what is not here says the default."""
        found = {name: self.by_id(container) for name, container in ids}
        return {name: (c.params if c else None) or UnitParams() for name, c in found.items()}

    def by_id(self, container_id: str) -> Container | None:
        """The container with this full ID, or None."""
        return next((c for c in self.containers if c.id == container_id), None)


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """Files that containers get: what is kept by content, and what changes under deployments.

    `live` maps the name of a deployment's files to the digests, by target, that it was last told.
    """

    stored: frozenset[str] = frozenset()
    live: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


NO_FILES = StoredFiles()


@dataclass(frozen=True, slots=True)
class Observed:
    """One look at the host. `images` maps a reference as written in a file to the local image."""

    workloads: Mapping[str, Seen] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    # When the user manager started: what ended before then did not end in this boot.
    manager_started_at: float = 0.0
    # The cgroup controllers that limits can be set with; None where that is not known.
    controllers: frozenset[str] | None = None
    # Podman's version; empty where it is not known.
    podman: str = ""
    objects: Objects = NO_OBJECTS
    files: StoredFiles = NO_FILES
    # What becomes of shared networks and volumes when their files go.
    fates: Mapping[str, str] = field(default_factory=dict)
    # Why the networks of containers cannot be joined; None where they can, or it is not known.
    unjoinable: Problem | None = None
