"""A host in memory that does what actions say, for properties of the planner."""

from dataclasses import dataclass, field, replace
from typing import assert_never

from workloadd.core import actions as a
from workloadd.core.desired import Declared, Desired
from workloadd.core.memory import Attempt, Bad, LastRollout, Memory, OpenRollout
from workloadd.core.names import candidate_name
from workloadd.core.observed import (
    Container,
    Image,
    Observed,
    Seen,
    UnitFile,
    UnitRecord,
    UnitState,
)
from workloadd.core.plan import plan
from workloadd.core.rollout import Policy
from workloadd.spec.load import load_workload

POLICY = Policy(soak=5.0, deadline=60.0, restarts=2)
BOOT = 1_000.0


def declared(name: str, text: str) -> Declared:
    """A workload file as the sources would hand it over."""
    path = f"/etc/workloadd/workloads.d/{name}.yaml"
    loaded = load_workload(name, text.encode(), path)
    return Declared(name, path, loaded.spec, loaded.errors)


@dataclass
class Host:
    """One workload's corner of a host: Podman's containers, systemd's unit, the unit file."""

    name: str = "web"
    now: float = 2_000.0
    containers: dict[str, Container] = field(default_factory=dict)
    file: UnitFile | None = None
    loaded: UnitRecord | None = None
    active_state: str = "inactive"
    restarts: int = 0
    active_since: float = 0.0
    name_taken: bool = False
    masked: bool = False
    images: dict[str, Image] = field(default_factory=dict)
    crashing: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    rollouts: dict[str, OpenRollout] = field(default_factory=dict)
    last: dict[str, LastRollout] = field(default_factory=dict)
    bad: dict[tuple[str, str], Bad] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    ended: list[a.EndRollout] = field(default_factory=list)
    notes: list[a.Note] = field(default_factory=list)
    reloads: int = 0
    count: int = 0

    def seen(self) -> Seen:
        unit = UnitState(
            load_state="masked" if self.masked else "loaded" if self.loaded else "not-found",
            active_state=self.active_state,
            sub_state=self.sub_state(),
            restarts=self.restarts,
            active_since=self.active_since,
            needs_reload=bool(self.loaded and self.file and self.loaded != self.file.record),
        )
        return Seen(tuple(self.containers.values()), self.file, unit, self.name_taken)

    def sub_state(self) -> str:
        """Active with nothing that runs: it stays so after it ended (RemainAfterExit=)."""
        if self.active_state != "active":
            return "dead"
        return "running" if any(c.running for c in self.containers.values()) else "exited"

    def observed(self) -> Observed:
        return Observed({self.name: self.seen()}, self.images, BOOT)

    def memory(self) -> Memory:
        return Memory(
            dict(self.bad), dict(self.rollouts), dict(self.last), attempts=dict(self.attempts)
        )

    def plan(self, *files: Declared) -> a.WorkloadPlan:
        desired = Desired({d.name: d for d in files})
        planned = plan(desired, self.observed(), self.memory(), POLICY, self.now)
        return planned.workloads.get(self.name, a.WorkloadPlan())

    def settle(self, *files: Declared, passes: int = 40) -> None:
        """Pass after pass, until there is nothing to do and nothing to wait for."""
        for _ in range(passes):
            if self.active_state == "activating":
                self.start()  # systemd's own restart
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
        created = ""
        for action in actions[:steps]:
            created = self.do(action, created) or created
            self.now += 0.1

    def do(self, action: a.Action, created: str) -> str | None:
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
            case a.CreateContainer():
                return self.create(action)
            case a.WriteUnit():
                record = action.record
                record = record if record.container else replace(record, container=created)
                assert record.container, "a unit for no container"
                self.file = UnitFile(record, intact=True, enabled=action.enabled)
            case a.RemoveUnit():
                self.file = None
                self.loaded = None if self.active_state == "inactive" else self.loaded
            case a.DaemonReload():
                self.reloads += 1
                if self.loaded and self.file:
                    self.loaded = self.file.record
            case a.StartUnit():
                self.start()
            case a.RestartUnit():
                self.stop()
                self.start()
            case a.StopUnit():
                self.stop()
            case a.ResetUnit():
                self.restarts = 0
            case a.RenameContainer():
                assert action.name not in {c.name for c in self.containers.values()}, "name in use"
                old = self.containers[action.container]
                self.containers[old.id] = replace(old, name=action.name)
            case a.StopContainer():
                self.end(action.container, 137)
            case a.RemoveContainer():
                gone = self.containers.pop(action.container, None)
                assert gone is None or gone.workload == self.name, "not ours"
            case a.RemoveVolumes() | a.RemoveNetworks():
                pass
            case _:
                assert_never(action)
        return None

    def create(self, action: a.CreateContainer) -> str:
        revision = action.revision
        self.count += 1
        name = candidate_name(self.name, revision.digest)
        assert name not in {c.name for c in self.containers.values()}, "name in use"
        container = Container(
            id=f"new{self.count}",
            name=name,
            workload=self.name,
            container="main",
            revision=revision.digest,
            image_id=revision.image_id,
            image=revision.spec.image,
            state="created",
            created_at=self.now,
            params=revision.params,
        )
        self.containers[container.id] = container
        return container.id

    def start(self) -> None:
        if self.loaded is None and self.file:
            self.loaded = self.file.record
        self.restarts = 0
        container = self.containers.get(self.loaded.container) if self.loaded else None
        if container is None:
            self.active_state = "activating"
            self.restarts = 5
            return
        if container.revision in self.crashing:
            ended = replace(
                container, state="exited", exit_code=1, started_at=self.now, exited_at=self.now
            )
            self.containers[container.id] = ended
            self.active_state = "activating"
            self.restarts = 5
            return
        self.containers[container.id] = replace(container, state="running", started_at=self.now)
        self.active_state, self.active_since = "active", self.now

    def stop(self) -> None:
        for container in self.containers.values():
            if container.running:
                self.end(container.id, 143)
        self.active_state, self.restarts = "inactive", 0

    def end(self, container_id: str, code: int) -> None:
        container = self.containers[container_id]
        self.containers[container_id] = replace(
            container, state="exited", exit_code=code, exited_at=self.now
        )

    def serving(self) -> Container:
        """The one container that runs, under the unit."""
        running = [c for c in self.containers.values() if c.running]
        assert len(running) == 1, running
        assert self.active_state == "active"
        return running[0]
