"""The status of workloads, computed once a pass from what was declared, observed and planned.

These models are what the API answers with. Nothing in them comes from a workload's environment.
"""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal[
    "Ready",
    "Completed",
    "Scheduled",
    "Running",
    "RollingOut",
    "Pulling",
    "Waiting",
    "Degraded",
    "NotReady",
    "Failed",
    "Invalid",
    "Paused",
    "Stopped",
    "Disabled",
    "Drained",
    "Removing",
]


SharedState = Literal["Ready", "Making", "Differs", "Taken", "Failed", "Invalid", "Leftover"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Model):
    """A named part of a status, as Kubernetes writes them."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    since: datetime


class FileError(_Model):
    """An error or a warning about a workload file."""

    file: str
    line: int
    column: int
    reason: str
    message: str
    text: str = ""
    hint: str = ""


class Deployment(_Model):
    """A revision made real: its container and the image it runs."""

    revision: str
    container: str = Field(description="full container ID")
    container_name: str
    image: str
    image_digest: str = ""
    image_id: str
    state: str = Field(description="Podman's word: created, running, exited …")
    exit_code: int | None = None
    created: datetime | None = None
    started: datetime | None = None


class Unit(_Model):
    """What systemd says of the workload's unit, in its own words."""

    name: str
    load_state: str
    active_state: str
    sub_state: str
    result: str
    active_since: datetime | None = None
    restarts: int = 0


class ProbeResult(_Model):
    """How a probe of a container went last, and what it comes to."""

    container: str = Field(description="the container's name in its pod; empty for an only one")
    kind: Literal["startup", "readiness", "liveness"]
    asks: str = Field(description="http, tcp or exec, and which port")
    ok: bool | None = Field(description="how the last try went; null before the first")
    verdict: bool | None = Field(description="what the tries come to by the thresholds")
    time: datetime | None = None
    reason: str = ""
    message: str = ""
    failures: int = Field(default=0, description="in a row")


class ContainerStatus(_Model):
    """One container of a pod's current deployment, and the unit that starts it."""

    name: str
    init: bool = Field(description="it runs to its end before the others start")
    up: bool = Field(description="it does what it is there for: it runs, or ran to its end")
    unit: Unit
    container: str = Field(description="full container ID")
    image: str
    image_digest: str = ""
    state: str = Field(description="Podman's word, or gone")
    exit_code: int | None = None
    started: datetime | None = None


class ImageStatus(_Model):
    """An image as a file names it, and the digest that the name stands for on this host."""

    reference: str
    digest: str = ""
    id: str = ""


class Rollout(_Model):
    """A rollout that is going on, or how the last one ended."""

    revision: str
    cause: str = ""
    step: str = ""
    outcome: str = ""
    reason: str = ""
    message: str = ""
    started: datetime | None = None
    until: datetime | None = Field(
        default=None, description="while it is verified: when that is over, if it stays well"
    )
    ended: datetime | None = None


class RunStatus(_Model):
    """One run of a job; each retry is one of its own."""

    id: int
    revision: str
    trigger: str = Field(description="schedule, revision (a new one runs once) or manual")
    attempt: int = Field(description="1, and one more for each retry")
    outcome: str = Field(
        default="",
        description="succeeded, failed, timeout, interrupted or replaced; empty while it is on",
    )
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    duration: float | None = Field(default=None, description="seconds")


class JobStatus(_Model):
    """When a job runs, and how its last runs ended, the newest first."""

    schedule: tuple[str, ...] = ()
    next_run: datetime | None = None
    runs: tuple[RunStatus, ...] = ()


class HandStatus(_Model):
    """What somebody asked for by hand, which holds or is not done yet."""

    kind: str = Field(description="pause, stop, hold (at a revision), restart or update")
    by: str = Field(description="the user who asked")
    reason: str = ""
    since: datetime | None = None
    revision: str = ""


class WorkloadStatus(_Model):
    """Everything about one workload."""

    name: str
    state: State
    message: str = ""
    source: str = Field(default="", description="the workload file")
    files: tuple[str, ...] = Field(default=(), description="what made it up: file, drop-ins")
    shadows: tuple[str, ...] = Field(default=(), description="weaker files of the same name")
    description: str = ""
    enabled: bool = True
    tagged: bool = Field(default=True, description="its images go by names that may move")
    image: ImageStatus | None = Field(default=None, description="what serves, or is to serve")
    ports: tuple[str, ...] = ()
    wanted: ImageStatus | None = Field(
        default=None, description="the image the file asks for, where another one serves"
    )
    conditions: tuple[Condition, ...] = ()
    current: Deployment | None = None
    next: Deployment | None = None
    previous: Deployment | None = None
    older: tuple[Deployment, ...] = Field(
        default=(), description="what is kept of before that, the newest first"
    )
    unit: Unit
    containers: tuple[ContainerStatus, ...] = Field(
        default=(), description="a pod's containers; empty for a workload of one"
    )
    probes: tuple[ProbeResult, ...] = Field(
        default=(), description="what its running containers are asked, and how that went"
    )
    restarts: int = 0
    job: JobStatus | None = Field(default=None, description="what a job has besides")
    by_hand: tuple[HandStatus, ...] = ()
    rollout: Rollout | None = None
    last_rollout: Rollout | None = None
    last_error: str = ""
    errors: tuple[FileError, ...] = ()
    warnings: tuple[FileError, ...] = ()

    def condition(self, kind: str) -> Condition | None:
        """The condition of a type, or None."""
        return next((c for c in self.conditions if c.type == kind), None)


class HostConditionStatus(_Model):
    """A preflight condition of the host, with what to do where it does not hold."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    fix: str = ""
    warning: bool = Field(default=False, description="containers run without it, only less well")


class ElsewhereStatus(_Model):
    """A workload that is not for this host, and what of its `when` does not match."""

    name: str
    source: str = Field(description="the workload file")
    reason: str


class SharedStatus(_Model):
    """A network or volume that workloads share by its own file, or that such a file left."""

    name: str
    state: SharedState
    message: str = ""
    source: str = Field(default="", description="its file, empty where there is none any more")
    description: str = ""
    used_by: tuple[str, ...] = Field(
        default=(), description="containers in the network; workloads that name the volume"
    )
    errors: tuple[FileError, ...] = ()


class PrunedStatus(_Model):
    """The last time that unused images were removed."""

    at: datetime | None
    images: tuple[str, ...] = Field(description="names, or IDs where there was none")
    size: int = Field(description="bytes; layers that other images share have stayed")


class RebootStatus(_Model):
    """Whether the host may be rebooted for an update, as asked for with the FleetLock protocol."""

    state: Literal["free", "draining", "granted", "rebooted"]
    client: str = Field(default="", description="who asked last")
    since: datetime | None = None
    message: str = ""


class PassStatus(_Model):
    """The reconcile loop's own state. Durations are in seconds."""

    count: int = 0
    last: datetime | None = None
    duration: float = 0.0
    problem: str = ""
    failing_since: datetime | None = None


class Status(_Model):
    """What `/v1/status` answers: the host, the loop, and all workloads."""

    version: str
    user: str
    started: datetime
    passes: PassStatus = PassStatus()
    host: tuple[HostConditionStatus, ...] = ()
    problems: tuple[str, ...] = ()
    workloads: tuple[WorkloadStatus, ...] = ()
    elsewhere: tuple[ElsewhereStatus, ...] = ()
    networks: tuple[SharedStatus, ...] = ()
    volumes: tuple[SharedStatus, ...] = ()
    pruned: PrunedStatus | None = None
    reboot: RebootStatus | None = Field(
        default=None, description="the FleetLock endpoint, where it is enabled"
    )

    def workload(self, name: str) -> WorkloadStatus | None:
        """The status of one workload, or None."""
        return next((w for w in self.workloads if w.name == name), None)


def moment(seconds: float) -> datetime | None:
    """Seconds since the epoch as UTC; 0 is never."""
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


# How a state reads at a glance: the table and the summary sentence use these.
SERVING: frozenset[str] = frozenset({"Ready", "Completed", "Scheduled", "Running", "Degraded"})
SETTLED: frozenset[str] = frozenset(
    {"Ready", "Completed", "Scheduled", "Running", "Paused", "Stopped", "Disabled"}
)


def summary(status: Status) -> str:
    """One sentence for `systemctl status` and for people."""
    workloads = status.workloads
    if status.passes.problem:
        return status.passes.problem
    if not workloads:
        return "no workloads declared; waiting for files"
    ready = sum(1 for w in workloads if w.state in SETTLED)
    if ready == len(workloads) == 1:
        return f"{workloads[0].name} is as declared"
    if ready == len(workloads):
        return f"all {len(workloads)} workloads are as declared"
    troubled = [f"{w.name} ({w.state})" for w in workloads if w.state not in SETTLED]
    shown = ", ".join(troubled[:3]) + (f" and {len(troubled) - 3} more" if troubled[3:] else "")
    return f"{ready} of {len(workloads)} workloads are as declared; not: {shown}"
