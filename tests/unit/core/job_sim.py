"""A host in memory on which one job lives: its timer, its unit, its containers, its history."""

from dataclasses import dataclass, field, replace

from workloadd.core import actions as a
from workloadd.core.desired import Declared, Desired
from workloadd.core.fleetlock import NO_LOCK, Lock
from workloadd.core.hands import Hand
from workloadd.core.memory import Memory, OpenRollout
from workloadd.core.names import candidate_name
from workloadd.core.observed import Container, Observed, Seen, UnitFile, UnitRecord, UnitState
from workloadd.core.plan import plan
from workloadd.core.revision import Image, UnitParams
from workloadd.core.rollout import Policy
from workloadd.core.runs import Ending, Run, outcome_of
from workloadd.core.schedule import JobParams
from workloadd.core.world import World
from workloadd.spec.job import JobSpec

IMAGE = "localhost:5000/busybox:1"
NAME = "backup"


@dataclass
class JobHost:
    """`loaded` is what systemd has read of the units, `began` which container each run began in."""

    now: float = 2_000.0
    boot: float = 1_000.0
    containers: dict[str, Container] = field(default_factory=dict)
    file: UnitFile | None = None
    written: JobParams | None = None
    loaded: tuple[UnitRecord, JobParams] | None = None
    unit: UnitState = field(default_factory=UnitState)
    timer: bool = False
    triggered_at: float = 0.0
    runs: list[Run] = field(default_factory=list)
    run_now: set[str] = field(default_factory=set)
    rollouts: dict[str, OpenRollout] = field(default_factory=dict)
    ended: list[a.EndRollout] = field(default_factory=list)
    began: list[str] = field(default_factory=list)
    protected: bool = False
    count: int = 0
    hands: dict[str, Hand] = field(default_factory=dict)
    lock: Lock = NO_LOCK

    # What the planner sees, and what becomes of its plans.

    def seen(self) -> Seen:
        record = self.file.record if self.file else None
        stale = self.loaded is not None and (record, self.written) != self.loaded
        unit = replace(
            self.unit, load_state="loaded" if self.loaded else "not-found", needs_reload=stale
        )
        timer = UnitState(
            load_state="loaded" if self.timer else "not-found",
            active_state="active" if self.timer else "inactive",
            triggered_at=self.triggered_at,
        )
        return Seen(tuple(self.containers.values()), self.file, {"": unit}, timer=timer)

    def observed(self) -> Observed:
        images = {IMAGE: Image("img", "sha256:one")}
        return Observed({NAME: self.seen()}, images, self.boot)

    def plan(self, *files: Declared) -> a.WorkloadPlan:
        desired = Desired({d.name: d for d in files})
        specs = [d.spec for d in files if isinstance(d.spec, JobSpec) and d.spec.enabled]
        self.protected = any(s.overlap == "skip" for s in specs) and not self.lock.drains
        observed = self.observed()
        memory = Memory(
            rollouts=dict(self.rollouts),
            runs={NAME: tuple(reversed(self.runs[-10:]))},
            run_now=frozenset(self.run_now),
            hands={NAME: dict(self.hands)} if self.hands else {},
            lock=self.lock,
        )
        planned = plan(World(desired, observed, memory, self.now), Policy())
        return planned.workloads.get(NAME, a.WorkloadPlan())

    def settle(self, *files: Declared, passes: int = 40) -> None:
        """Pass after pass, until there is nothing to do."""
        for _ in range(passes):
            actions = self.plan(*files).actions
            if not actions:
                return
            self.carry_out(actions)
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
                self.rollouts[NAME] = OpenRollout(1, NAME, action.revision, action.cause, self.now)
            case a.EndRollout():
                self.rollouts.pop(NAME, None)
                self.ended.append(action)
            case a.CreateContainers():
                return self.create(action)
            case a.WriteUnits():
                ids = tuple((part, c or created) for part, c in action.record.containers)
                assert ids[0][1], "a unit for no container"
                record = replace(action.record, containers=ids)
                self.written = next(iter(action.params.values())).job
                links = self.written is not None and self.written.scheduled
                enabled = action.enabled if links else None
                self.file = UnitFile(record, intact=True, enabled=enabled)
            case a.DaemonReload():
                if self.loaded and self.file and self.file.record and self.written:
                    self.loaded = self.file.record, self.written
            case a.StartTimer() | a.StopTimer():
                self.timer = isinstance(action, a.StartTimer)
                self.load()
            case a.StopUnit():
                assert not (self.protected and self.running), "a run was disturbed"
                self.stop()
            case a.StartRun():
                self.start()
                running = self.containers[action.container or created]
                self.note(action.trigger, action.attempt, running)
                self.run_now.clear()
            case a.NoteRun():
                self.runs.append(replace(action.run, id=len(self.runs) + 1))
            case a.EndRun():
                self.end_run(action)
            case a.RenameContainer():
                assert action.name not in {c.name for c in self.containers.values()}, "name in use"
                old = self.containers[action.container]
                self.containers[old.id] = replace(old, name=action.name)
            case a.RemoveContainer():
                gone = self.containers.pop(action.container)
                assert not gone.running or not self.file, "a run was killed"
                next_ = self.loaded[0].containers[0][1] if self.loaded else ""
                assert gone.id != next_ or not self.timer, "the timer's next container is gone"
            case a.RemoveUnits():
                self.file = self.loaded = None
            case a.Note() | a.RemoveVolumes() | a.RemoveNetworks():
                pass
            case _:
                raise AssertionError(f"not for a job: {action}")
        return None

    def create(self, action: a.CreateContainers) -> str:
        (part,) = action.revision.parts
        self.count += 1
        name = candidate_name(NAME, part.name, part.digest)
        assert name not in {c.name for c in self.containers.values()}, "name in use"
        container = Container(
            id=f"c{self.count}",
            name=name,
            workload=NAME,
            container=part.name,
            revision=part.digest,
            image_id="img",
            image=IMAGE,
            state="created",
            created_at=self.now,
            params=part.params,
        )
        self.containers[container.id] = container
        return container.id

    def note(self, trigger: str, attempt: int, c: Container) -> None:
        number = len(self.runs) + 1
        run = Run(number, NAME, c.revision, c.id, trigger, attempt, c.started_at)  # type: ignore[arg-type]
        self.runs.append(run)

    def end_run(self, action: a.EndRun) -> None:
        run, container = action.run, self.containers.get(action.run.container)
        if action.outcome or container is None:
            began = run.started_at or self.now
            ended = replace(run, started_at=began, ended_at=self.now, outcome=action.outcome)
        else:
            stopped = container.exit_code == 143
            ending = Ending(container.started_at, container.exited_at, container.exit_code, stopped)
            outcome = outcome_of(ending, action.around)
            code = ending.exit_code
            ended = replace(run, ended_at=ending.ended_at, exit_code=code, outcome=outcome)
        if not run.id:
            self.runs.append(replace(ended, id=len(self.runs) + 1))
        else:
            self.runs[run.id - 1] = ended

    # What systemd and Podman do by themselves.

    def load(self) -> None:
        if self.loaded is None and self.file and self.file.record and self.written:
            self.loaded = self.file.record, self.written

    @property
    def running(self) -> Container | None:
        return next((c for c in self.containers.values() if c.running), None)

    def start(self) -> None:
        self.load()
        assert self.loaded, "nothing to start"
        if self.running:
            return
        container = self.containers[self.loaded[0].containers[0][1]]
        self.now = max(self.now, container.started_at) + 1
        self.began.append(container.id)
        self.containers[container.id] = replace(
            container, state="running", started_at=float(int(self.now))
        )
        self.unit = replace(self.unit, active_state="active", sub_state="running")

    def elapse(self) -> None:
        """The timer's time has come."""
        if not self.timer or not self.loaded:
            return
        self.triggered_at = self.now
        if self.running and self.loaded[1].overlap == "replace":
            self.stop()
        if not self.running and self.unit.active_state != "activating":
            self.unit = UnitState()
            self.start()

    def finish(self, code: int) -> None:
        """The run ends by itself; systemd retries it where it failed."""
        if not (container := self.running) or not self.loaded:
            return
        self.exit(container, code)
        restarts = self.unit.restarts
        if code and restarts < self.loaded[1].retries:
            self.unit = UnitState(
                active_state="activating", sub_state="auto-restart", restarts=restarts
            )
        else:
            state = "failed" if code else "inactive"
            self.unit = UnitState(active_state=state, restarts=restarts)

    def retry(self) -> None:
        """The time between two tries is over."""
        if self.unit.sub_state == "auto-restart":
            self.unit = replace(self.unit, restarts=self.unit.restarts + 1)
            self.start()

    def exit(self, container: Container, code: int) -> None:
        self.now += 2
        ended = replace(container, state="exited", exit_code=code, exited_at=self.now)
        self.containers[container.id] = ended

    def stop(self) -> None:
        if container := self.running:
            self.exit(container, 143)
        self.unit = UnitState()

    def reboot(self, *, in_order: bool) -> None:
        """The host goes down, in order or by a power cut, and comes up without its timer."""
        if container := self.running:
            if in_order:
                self.exit(container, 143)
            else:
                cut_off = replace(container, state="exited", exit_code=0, exited_at=0.0)
                self.containers[container.id] = cut_off
        self.now += 10
        self.boot = self.now
        self.unit, self.timer, self.loaded = UnitState(), False, None


def params(host: JobHost) -> UnitParams:
    """What the current container's unit says."""
    assert host.file and host.file.record
    return host.containers[host.file.record.containers[0][1]].params or UnitParams()
