"""What the API answers with, besides the status itself (`core.status`)."""

from datetime import datetime
from typing import Literal

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


class OutdatedWorkload(_Model):
    """What is known of newer images of a workload."""

    workload: str
    policy: Literal["manual", "notify", "auto"]
    newer: tuple[str, ...]
    unknown: tuple[str, ...] = Field(description="what registries did not tell")


class OutdatedWorkloads(_Model):
    """The same of all workloads whose images may have newer ones."""

    workloads: tuple[OutdatedWorkload, ...]


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
