"""A host in memory that does what actions say, for properties of the planner."""

from dataclasses import dataclass, field, replace

from workloadd.core import actions as a
from workloadd.core.desired import Declared, Desired
from workloadd.core.hands import Hand
from workloadd.core.health import Health, ProbeStatus, Watch
from workloadd.core.memory import Attempt, Bad, LastRollout, Latest, Memory, OpenRollout, Question
from workloadd.core.names import SLOTS, WHOLE, candidate_name, made_as, unit_part
from workloadd.core.observed import (
    Container,
    Ids,
    Observed,
    Seen,
    UnitFile,
    UnitRecord,
    UnitState,
)
from workloadd.core.plan import plan
from workloadd.core.probes import ProbeKind
from workloadd.core.revision import Image, gated
from workloadd.core.rollout import Policy
from workloadd.core.socket_units import socket_units
from workloadd.core.world import World
from workloadd.spec.load import load_workload
from workloadd.spec.names import INFRA_CONTAINER

POLICY = Policy(soak=5.0, deadline=60.0, restarts=2)
BOOT = 1_000.0


def declared(name: str, text: str) -> Declared:
    """A workload file as the sources would hand it over."""
    path = f"/etc/workloadd/workloads.d/{name}.yaml"
    loaded = load_workload(name, text.encode(), path)
    return Declared(name, path, loaded.spec, loaded.errors)


@dataclass
class Unit:
    """What systemd has in memory of one unit: whose container it starts, and how it is."""

    container: str = ""
    active_state: str = "inactive"
    restarts: int = 0
    active_since: float = 0.0


@dataclass
class Host:
    """One workload's corner of a host: Podman's containers, systemd's units, the unit files."""

    name: str = "web"
    now: float = 2_000.0
    containers: dict[str, Container] = field(default_factory=dict)
    file: UnitFile | None = None
    loaded: UnitRecord | None = None
    units: dict[str, Unit] = field(default_factory=dict)
    # What the units that listen do listen on, by unit, as long as they do.
    listening: dict[str, tuple[str, ...]] = field(default_factory=dict)
    idle_since: float | None = None
    foreign: frozenset[str] = frozenset()
    masked: bool = False
    images: dict[str, Image] = field(default_factory=dict)
    # By the digest of a part, or by the name of a pod's container.
    crashing: set[str] = field(default_factory=set)
    rollouts: dict[str, OpenRollout] = field(default_factory=dict)
    last: dict[str, LastRollout] = field(default_factory=dict)
    bad: dict[tuple[str, str], Bad] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    hands: dict[str, Hand] = field(default_factory=dict)
    registry: dict[Question, Latest] = field(default_factory=dict)
    ended: list[a.EndRollout] = field(default_factory=list)
    notes: list[a.Note] = field(default_factory=list)
    # What each probe has come to, by kind, and when; of one that is not here there is no word.
    verdicts: dict[ProbeKind, bool | None] = field(default_factory=dict)
    turned_at: float = 0.0
    relapses: tuple[float, ...] = ()
    reloads: int = 0
    count: int = 0

    def unit(self, part: str = WHOLE) -> Unit:
        """A unit in systemd's memory."""
        return self.units.setdefault(part, Unit())

    def seen(self) -> Seen:
        parts = {WHOLE, *self.units, *(unit_part(part) for part, _ in self._loaded_ids())}
        states = {part: self._state(part) for part in parts}
        sockets = {unit: self._socket(unit) for unit in {*self.listening, *self.to_listen()}}
        containers = tuple(self.containers.values())
        return Seen(
            containers,
            self.file,
            states,
            self.foreign,
            sockets=sockets,
            idle_since=self.idle_since,
        )

    def to_listen(self) -> dict[str, tuple[str, ...]]:
        """What the units that systemd has read are to listen on."""
        found: dict[str, tuple[str, ...]] = {}
        for _, container in self._loaded_ids():
            params = self.containers[container].params if container in self.containers else None
            for text in params.sockets if params else ():
                (unit,) = socket_units(self.name, [text])
                found[unit] = (*found.get(unit, ()), text)
        return found

    def _socket(self, unit: str) -> UnitState:
        active = "active" if unit in self.listening else "inactive"
        return UnitState(load_state="loaded", active_state=active)

    def connect(self) -> None:
        """A client connects, which starts what does not run."""
        assert self.listening == self.to_listen(), "refused"
        if self.unit().active_state == "inactive":
            self.start()

    def _loaded_ids(self) -> Ids:
        return self.loaded.running if self.loaded else ()

    def _in_slots(self) -> bool:
        return any(part in SLOTS for part, _ in self._loaded_ids())

    def _state(self, part: str) -> UnitState:
        unit = self.units.get(part, Unit())
        loaded = self.loaded is not None
        return UnitState(
            load_state="masked" if self.masked else "loaded" if loaded else "not-found",
            active_state=unit.active_state,
            sub_state=self._sub_state(part, unit),
            restarts=unit.restarts,
            active_since=unit.active_since,
            needs_reload=bool(loaded and self.file and self.loaded != self.file.record),
        )

    def _sub_state(self, part: str, unit: Unit) -> str:
        """Active with nothing that runs: it stays so after it ended (RemainAfterExit=)."""
        if unit.active_state != "active":
            return "dead"
        mine = [c for c in self.containers.values() if self._runs(part, c)]
        return "running" if any(c.running for c in mine) else "exited"

    def _runs(self, part: str, container: Container) -> bool:
        """Whether it is the unit of a part that stops a container."""
        if part in map(unit_part, SLOTS):
            return self.unit(part).container == container.id
        return unit_part(container.container) == part

    def observed(self) -> Observed:
        return Observed({self.name: self.seen()}, self.images, BOOT)

    def memory(self) -> Memory:
        return Memory(
            dict(self.bad),
            dict(self.rollouts),
            dict(self.last),
            attempts=dict(self.attempts),
            health={c.id: self._health(c) for c in self.containers.values() if c.running},
            relapses={self.name: self.relapses},
            hands={self.name: dict(self.hands)} if self.hands else {},
            registry=dict(self.registry),
        )

    def answer(self, **verdicts: bool | None) -> None:
        """The probes come to this from now on."""
        self.verdicts |= verdicts  # type: ignore[arg-type]
        self.turned_at = self.now

    def _health(self, container: Container) -> Health:
        watch = Watch(container.params.probes if container.params else (), container.started_at)
        since = max(self.turned_at, container.started_at)
        statuses = {
            kind: ProbeStatus(kind, ok, since, "" if ok else "Refused", "" if ok else "refused",
                              verdict=ok, since=since)
            for kind, ok in self.verdicts.items()
        }  # fmt: skip
        return replace(watch, statuses=statuses).health

    def plan(self, *files: Declared) -> a.WorkloadPlan:
        desired = Desired({d.name: d for d in files})
        planned = plan(World(desired, self.observed(), self.memory(), self.now), POLICY)
        return planned.workloads.get(self.name, a.WorkloadPlan())

    def settle(self, *files: Declared, passes: int = 40) -> None:
        """Pass after pass, until there is nothing to do and nothing to wait for."""
        for _ in range(passes):
            for part, unit in list(self.units.items()):
                if unit.active_state == "activating":
                    self.start(part)  # systemd's own restart
            planned = self.plan(*files)
            self.carry_out(planned.actions)
            if not planned.actions:
                if planned.wake_at is None:
                    return
                self.now = max(self.now, planned.wake_at)
            self.now += 1.0
        raise AssertionError(f"no end after {passes} passes: {self.plan(*files)}")

    def carry_out(self, actions: tuple[a.Action, ...], steps: int | None = None) -> None:
        """Do the first `steps` actions (all by default), as if the daemon was killed then."""
        created: dict[str, str] = {}
        for action in actions[:steps]:
            self.do(action, created)
            self.now += 0.1

    def do(self, action: a.Action, created: dict[str, str]) -> None:
        match action:
            case a.BeginRollout():
                self.rollouts[self.name] = OpenRollout(
                    1, self.name, action.revision, action.cause, self.now
                )
            case a.EndRollout():
                self.rollouts.pop(self.name, None)
                self.ended.append(action)
                self.last[self.name] = LastRollout(
                    action.revision, action.outcome, action.problem, self.now
                )
            case a.MarkBad():
                key = (self.name, action.revision)
                self.bad[key] = Bad(action.revision, action.problem, self.now)
            case a.Note():
                self.notes.append(action)
                if action.kind == "liveness":
                    self.relapses = (self.now, *self.relapses)
            case a.ClearHand():
                if self.hands.get(action.hand.kind) == action.hand:
                    del self.hands[action.hand.kind]
            case a.CreateContainers():
                created.update(self.create(action))
            case a.WriteUnits():
                record = action.record
                ids, trial = (
                    tuple((part, id or created.get(made_as(part), "")) for part, id in some)
                    for some in (record.containers, record.trial)
                )
                assert all(id for _, id in (*ids, *trial)), "a unit for no container"
                known = {part for part, _ in (*ids, *trial)}
                assert set(action.params) >= known, "a unit of unknown params"
                record = replace(record, containers=ids, trial=trial)
                self.file = UnitFile(record, intact=True, enabled=action.enabled)
            case a.RemoveUnits():
                self.file = None
                active = any(unit.active_state != "inactive" for unit in self.units.values())
                self.loaded = self.loaded if active else None
            case a.DaemonReload():
                self.reloads += 1
                if self.loaded and self.file:
                    self.loaded = self.file.record
            case a.StartUnit():
                self.start(action.part)
            case a.RestartUnit():
                self.stop(action.part)
                self.start(action.part)
            case a.StopUnit():
                self.stop(action.part)
            case a.ResetUnit():
                self.unit(action.part).restarts = 0
            case a.StartSockets():
                self.loaded = self.loaded or (self.file.record if self.file else None)
                busy = [u for u in self.units.values() if u.active_state == "active"]
                assert not busy, "systemd begins to listen only for what does not run"
                self.listening |= {u: self.to_listen()[u] for u in action.units}
            case a.StopSockets():
                self.listening = {
                    u: texts for u, texts in self.listening.items() if u not in action.units
                }
                self.stop()
            case _:
                self._do_to_containers(action)

    def _do_to_containers(self, action: a.Action) -> None:
        match action:
            case a.RenameContainer():
                assert action.name not in {c.name for c in self.containers.values()}, "name in use"
                old = self.containers[action.container]
                self.containers[old.id] = replace(old, name=action.name)
            case a.StopContainer():
                self.end(action.container, 137)
            case a.RemoveContainer():
                gone = self.containers.pop(action.container, None)
                assert gone is None or gone.workload == self.name, "not ours"
                assert gone is None or gone.container != INFRA_CONTAINER, "goes with its pod only"
            case a.RemovePod():
                self.containers = {i: c for i, c in self.containers.items() if c.pod != action.pod}
            case a.RemoveVolumes() | a.RemoveNetworks():
                pass
            case _:
                raise AssertionError(action)

    def create(self, action: a.CreateContainers) -> dict[str, str]:
        created, pod = {}, action.pod
        for name in action.parts:
            part = action.revision.part(name)
            self.count += 1
            if name == INFRA_CONTAINER:
                assert not pod, "a pod in a pod"
                pod = f"pod{self.count}"
            plain = candidate_name(self.name, name, part.digest)
            assert plain not in {c.name for c in self.containers.values()}, "name in use"
            container = Container(
                id=f"new{self.count}",
                name=plain,
                workload=self.name,
                container=name,
                revision=part.digest,
                image_id=part.image.id if part.image else "pause",
                image=part.spec.image if part.spec else "pause",
                state="created",
                created_at=self.now,
                params=part.params,
                pod=pod,
            )
            assert bool(pod) == action.revision.is_pod, "outside its pod"
            self.containers[container.id] = container
            created[name] = container.id
        return created

    def start(self, part: str = WHOLE) -> None:
        """Start a unit, and if it is the workload's own, those that it wants."""
        if self.loaded is None and self.file:
            self.loaded = self.file.record
        # It requires its sockets; those that listen go on as they are.
        self.listening = {**self.to_listen(), **self.listening}
        if self._in_slots():
            # A slot's unit is bound to the workload's own, which runs nothing by itself.
            self.unit().active_state, self.unit().active_since = "active", self.now
        if part != WHOLE or not self._in_slots():
            self._start_one(part)
        if part == WHOLE and self.unit().active_state == "active":
            later = gated(self.seen().params(self._loaded_ids()))
            for member, _ in self._loaded_ids():
                if unit_part(member) != WHOLE and member not in later:
                    self._start_one(member)

    def _start_one(self, part: str) -> None:
        unit = self.unit(part)
        unit.container = next((i for p, i in self._loaded_ids() if unit_part(p) == part), "")
        unit.restarts = 0
        container = self.containers.get(unit.container)
        if container is None:
            unit.active_state, unit.restarts = "activating", 5
            return
        init = container.params is not None and container.params.role == "init"
        if {container.revision, container.container} & self.crashing:
            self._exited(container, 1)
            unit.active_state, unit.restarts = "activating", 5
            return
        if init:
            self._exited(container, 0)
        else:
            running = replace(container, state="running", started_at=self.now)
            self.containers[container.id] = running
        unit.active_state, unit.active_since = "active", self.now

    def _exited(self, container: Container, code: int) -> None:
        self.containers[container.id] = replace(
            container, state="exited", exit_code=code, started_at=self.now, exited_at=self.now
        )

    def stop(self, part: str = WHOLE) -> None:
        """Stop a unit; with the workload's own all the others stop."""
        for container in list(self.containers.values()):
            mine = part == WHOLE or self._runs(part, container)
            if container.running and mine:
                self.end(container.id, 143)
        for name, unit in self.units.items():
            if part in (WHOLE, name):
                unit.active_state, unit.restarts = "inactive", 0

    def end(self, container_id: str, code: int) -> None:
        container = self.containers[container_id]
        self.containers[container_id] = replace(
            container, state="exited", exit_code=code, exited_at=self.now
        )

    def serving(self) -> Container:
        """The one container that runs, under the unit."""
        running = [c for c in self.containers.values() if c.running]
        assert len(running) == 1, running
        assert self.unit().active_state == "active"
        return running[0]

    def serving_any(self) -> bool:
        """Whether anything of the workload runs."""
        return any(c.running for c in self.containers.values())
