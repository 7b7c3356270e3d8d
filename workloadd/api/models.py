"""What the API answers with, besides the status itself (`core.status`)."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workloadd.core.status import RunStatus, WorkloadStatus


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class ProblemDocument(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Literal["about:blank"] = "about:blank"
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="cannot …: why")
    reason: str = Field(description="CamelCase, and stable")
    hint: str | None = Field(default=None, description="what to do")
    endpoints: tuple[str, ...] | None = Field(default=None, description="where nothing is there")


class Workloads(_Model):
    """All workloads."""

    workloads: tuple[WorkloadStatus, ...]


class Alive(_Model):
    """Whether the loop makes progress."""

    alive: bool
    reason: str
    silence: float = Field(description="seconds since it last did")


class Unready(_Model):
    """What is not ready, and why."""

    workload: str = Field(description="empty for the daemon itself")
    reason: str


class Readiness(_Model):
    """Whether everything that is to serve does."""

    ready: bool
    unready: tuple[Unready, ...]


class Reason(_Model):
    """Why something ended as it did."""

    reason: str
    message: str
    hint: str


class RolloutStep(_Model):
    """One step of a rollout."""

    at: datetime | None
    step: str
    detail: str


class RolloutRecord(_Model):
    """A rollout, as the history has it."""

    revision: str
    from_revision: str
    cause: str
    outcome: str = Field(description="stable, rolled-back, failed …; empty while it goes on")
    problem: Reason | None
    started: datetime | None
    committed: datetime | None
    ended: datetime | None
    steps: tuple[RolloutStep, ...]
    log: tuple[str, ...] = Field(
        description="last lines of what failed; on the Unix socket only, as they may hold anything"
    )


class EventRecord(_Model):
    """Something that happened outside of a rollout."""

    at: datetime | None
    kind: str
    message: str


class RunRecord(RunStatus):
    """A run of a job, as the history has it."""

    log: tuple[str, ...] = Field(description="last lines of one that failed; as of rollouts")


class History(_Model):
    """What became of a workload, the newest first."""

    workload: str
    rollouts: tuple[RolloutRecord, ...]
    events: tuple[EventRecord, ...]
    runs: tuple[RunRecord, ...]
    truncated: bool = Field(description="there may be more")


class Compared(_Model):
    """One side of a comparison."""

    what: str
    revision: str | None = None
    at: datetime | None = None


class Change(_Model):
    """One field that differs; what is hidden has no values."""

    field: str
    kind: Literal["added", "removed", "changed"]
    old: str
    new: str
    hidden: bool


class Difference(_Model):
    """How what serves differs from the file, or from another revision."""

    workload: str
    before: Compared = Field(alias="from")
    after: Compared = Field(alias="to")
    same: bool
    changes: tuple[Change, ...]

    model_config = ConfigDict(populate_by_name=True)


class Specification(_Model):
    """What a workload's file comes to."""

    workload: str
    source: str = Field(description="the workload file")
    spec: dict[str, Any] = Field(
        description="as the file would have it, with all defaults; what may be a secret is hidden"
    )


class Acted(_Model):
    """What became of an action."""

    workload: str
    action: str
    changed: bool = Field(description="false where it was so already")
    message: str
    asked: float = Field(description="seconds since the epoch; a pass that began later has seen it")
    at: float | None = Field(default=None, description="of a restart: when it was asked for")
    revision: str | None = Field(default=None, description="of a rollback: which is gone back to")


class RunStarted(_Model):
    """The run of a job that was started."""

    workload: str
    state: Literal["started", "starting"]
    run: int | None = Field(description="its ID, where it has begun")
    after: int = Field(description="the ID of the last run before it")


class UnusedImage(_Model):
    """An image that nobody needs."""

    id: str
    names: tuple[str, ...]
    size: int = Field(description="bytes")


class PrunedImages(_Model):
    """The images that were removed, or would be."""

    dry_run: bool
    images: tuple[UnusedImage, ...]
    size: int = Field(description="bytes; layers that other images share stay")


class ImageUse(_Model):
    """What an image is there for."""

    workload: str
    container: str = Field(description="the container's name in its pod; empty for an only one")
    role: Literal["current", "next", "previous", "older", "file"] = Field(
        description="the deployment that has it; file where the file names it and none has"
    )


class WorkloadImage(_Model):
    """An image that workloads use, or that was pulled for one."""

    id: str
    names: tuple[str, ...]
    digest: str = Field(description="of its manifest; empty where that is not known")
    size: int = Field(description="bytes; layers that other images share are counted with each")
    uses: tuple[ImageUse, ...]
    pulled: bool = Field(description="by workloadd, and not there before")
    prunable: bool = Field(description="nothing needs it any more")


class WorkloadImages(_Model):
    """All of them, by name; images of others are left out."""

    images: tuple[WorkloadImage, ...]


class OutdatedWorkload(_Model):
    """What is known of newer images of a workload."""

    workload: str
    policy: Literal["manual", "notify", "auto"]
    newer: tuple[str, ...]
    unknown: tuple[str, ...] = Field(description="what registries did not tell")


class OutdatedWorkloads(_Model):
    """The same of all workloads whose images may have newer ones."""

    workloads: tuple[OutdatedWorkload, ...]


_COUNT = "bytes since the daemon first looked; it goes on over restarts of the workload"
_LOOPBACK = "between its own processes, and from this host by a published port"
_RATE = "bytes a second, since the look before"


class Use(_Model):
    """What a workload uses. What there is no controller for, or no second look yet, is null."""

    at: datetime | None = Field(description="when that was looked at")
    cpu: float | None = Field(description="processors, since the look before: 0.5 is half of one")
    cpu_seconds: float | None = Field(description="processor time since the daemon first looked")
    memory: int | None = Field(description="bytes in its containers, page cache included")
    memory_limit: int | None = Field(description="bytes; null where a container of it has none")
    memory_helpers: int | None = Field(
        description="bytes of Podman's helper processes, which are no matter of the limit"
    )
    pids: int | None = Field(description="processes and threads")
    read: float | None = Field(description=f"from block devices: {_RATE}")
    read_bytes: int | None = Field(description=_COUNT)
    written: float | None = Field(description=f"to block devices: {_RATE}")
    written_bytes: int | None = Field(description=_COUNT)
    received: float | None = Field(description=f"{_RATE}; null in the host's own network")
    received_bytes: int | None = Field(description=_COUNT)
    sent: float | None = Field(description=f"{_RATE}; null in the host's own network")
    sent_bytes: int | None = Field(description=_COUNT)
    loopback: float | None = Field(description=f"{_LOOPBACK}: {_RATE}")
    loopback_bytes: int | None = Field(description=_COUNT)


class WorkloadUse(Use):
    """The same, with the workload's name."""

    workload: str


class Resources(_Model):
    """What each workload that runs uses."""

    interval: float = Field(description="seconds between two looks; 0 where nobody looks")
    workloads: tuple[WorkloadUse, ...]


class ContainerUse(_Model):
    """What the unit of one container of a pod uses since it was started."""

    name: str
    cpu: float | None = Field(description="processors, since the look before")
    cpu_seconds: float | None
    memory: int | None = Field(description="bytes")
    memory_limit: int | None = Field(description="bytes")
    pids: int | None


_WAITED = "share of the last ten seconds in which some process waited for it"
_STARTED = "since the start of what runs"


class UseDetails(_Model):
    """What is looked up when one workload is asked for; null where there is no controller."""

    cpu_user_seconds: float | None = Field(description=_STARTED)
    cpu_system_seconds: float | None = Field(description=_STARTED)
    cpu_throttled_seconds: float | None = Field(description=f"held back by `cpus`, {_STARTED}")
    memory_peak: int | None = Field(description=f"bytes, the most {_STARTED}")
    memory_anon: int | None = Field(description="bytes of `memory` that cannot just be dropped")
    memory_file: int | None = Field(description="bytes of `memory` that are page cache")
    reads: int | None = Field(description=f"of block devices, {_STARTED}")
    writes: int | None = Field(description=f"to block devices, {_STARTED}")
    pressure_cpu: float | None = Field(description=f"0 to 1: {_WAITED}")
    pressure_memory: float | None = Field(description=f"0 to 1: {_WAITED}")
    pressure_io: float | None = Field(description=f"0 to 1: {_WAITED}")


class Series(_Model):
    """The last looks, the oldest first: lists of the same length. Rates as in `Use`."""

    at: tuple[float, ...] = Field(description="seconds since the epoch")
    cpu: tuple[float | None, ...]
    memory: tuple[int | None, ...]
    read: tuple[float | None, ...]
    written: tuple[float | None, ...]
    received: tuple[float | None, ...]
    sent: tuple[float | None, ...]
    loopback: tuple[float | None, ...]


class WorkloadResources(_Model):
    """What one workload uses, and has used in the last minutes."""

    workload: str
    interval: float = Field(description="seconds between two looks; 0 where nobody looks")
    now: Use
    details: UseDetails
    containers: tuple[ContainerUse, ...]
    series: Series


class _Told(BaseModel):
    """Of what a client says; what else it says besides is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


MAX_CLIENT_ID = 128
GROUP = "[a-zA-Z0-9.-]{1,64}"
"""What the FleetLock protocol allows as a group."""


class LockClient(_Told):
    """Who asks, in the FleetLock protocol."""

    id: str = Field(pattern=f"^[ -~]{{1,{MAX_CLIENT_ID}}}$")
    group: str = Field(pattern=f"^{GROUP}$")


class LockRequest(_Told):
    """The body of a FleetLock request."""

    client_params: LockClient


class LockGranted(_Model):
    """A yes of the FleetLock protocol."""


class LockRefused(ProblemDocument):
    """A no of the FleetLock protocol."""

    kind: str
    value: str
