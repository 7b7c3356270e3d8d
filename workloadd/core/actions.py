"""What the planner may ask for. Each action is data; `workloadd.execute` knows how to do it.

A workload's actions run in order and stop at the first that fails: the next pass plans anew from
what is then observed, so no action needs an undo.
"""

from dataclasses import dataclass, field
from typing import Literal

from workloadd.core.errors import Problem
from workloadd.core.names import SHORT
from workloadd.core.observed import UnitRecord
from workloadd.core.revision import Revision, UnitParams

Outcome = Literal["stable", "rolled-back", "failed", "removed"]


@dataclass(frozen=True, slots=True)
class BeginRollout:
    """Note in the history that a revision is being rolled out, and why."""

    revision: str
    from_revision: str
    cause: str

    def __str__(self) -> str:
        return f"begin the rollout of {self.revision[:SHORT]}: {self.cause}"


@dataclass(frozen=True, slots=True)
class CreateContainer:
    """Create the revision's container (and its volumes) beside what runs; nothing is started."""

    revision: Revision

    def __str__(self) -> str:
        return f"create a container for {self.revision.digest[:SHORT]}"


@dataclass(frozen=True, slots=True)
class WriteUnit:
    """Write the workload's unit and its link: the commit point of a rollout.

    A record with an empty `container` means the one that the same sequence created.
    """

    record: UnitRecord
    params: UnitParams
    enabled: bool = True

    def __str__(self) -> str:
        which = self.record.container[:SHORT] or "the new container"
        return f"write the unit that starts {which}"


@dataclass(frozen=True, slots=True)
class DaemonReload:
    """Have systemd read changed units; all workloads of a pass share one."""

    def __str__(self) -> str:
        return "daemon-reload (once for all units changed in this pass)"


@dataclass(frozen=True, slots=True)
class StartUnit:
    """Start the unit, after `reset-failed` where it had failed."""

    reset: bool = False

    def __str__(self) -> str:
        return "start the unit"


@dataclass(frozen=True, slots=True)
class RestartUnit:
    """Restart the unit: it stops whatever container of the workload runs and starts its own."""

    def __str__(self) -> str:
        return "restart the unit"


@dataclass(frozen=True, slots=True)
class StopUnit:
    """Stop the unit."""

    def __str__(self) -> str:
        return "stop the unit"


@dataclass(frozen=True, slots=True)
class ResetUnit:
    """Have systemd forget a unit's restarts, from which the delay before the next one grows."""

    def __str__(self) -> str:
        return "reset the unit's restart counter"


@dataclass(frozen=True, slots=True)
class RenameContainer:
    """Give a container of ours another name."""

    container: str
    name: str

    def __str__(self) -> str:
        return f"name container {self.container[:SHORT]} {self.name}"


@dataclass(frozen=True, slots=True)
class StopContainer:
    """Stop a container of ours that runs outside its unit. `timeout` is in seconds."""

    container: str
    timeout: float

    def __str__(self) -> str:
        return f"stop container {self.container[:SHORT]}"


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    """Remove a container of ours; one that is gone already is fine."""

    container: str

    def __str__(self) -> str:
        return f"remove container {self.container[:SHORT]}"


@dataclass(frozen=True, slots=True)
class RemoveVolumes:
    """Delete volumes of ours whose spec said `reclaim: delete`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"delete volumes {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class RemoveNetworks:
    """Delete the workload's own networks."""

    def __str__(self) -> str:
        return "delete the workload's networks"


@dataclass(frozen=True, slots=True)
class RemoveUnit:
    """Delete the workload's unit and its link."""

    def __str__(self) -> str:
        return "delete the unit"


@dataclass(frozen=True, slots=True)
class MarkBad:
    """Remember, durably, that a revision failed, so that it is not tried again."""

    revision: str
    problem: Problem

    def __str__(self) -> str:
        return f"remember {self.revision[:SHORT]} as bad: {self.problem.message}"


@dataclass(frozen=True, slots=True)
class EndRollout:
    """Note how a rollout ended; `container`'s last log lines are kept where it failed."""

    revision: str
    outcome: Outcome
    problem: Problem | None = None
    container: str = ""

    def __str__(self) -> str:
        return f"end the rollout of {self.revision[:SHORT]}: {self.outcome}"


@dataclass(frozen=True, slots=True)
class Note:
    """Record an event (drift that is put right, a disabled workload stopped) in the history."""

    kind: str
    message: str

    def __str__(self) -> str:
        return f"note {self.kind}: {self.message}"


Action = (
    BeginRollout
    | CreateContainer
    | WriteUnit
    | DaemonReload
    | StartUnit
    | RestartUnit
    | StopUnit
    | ResetUnit
    | RenameContainer
    | StopContainer
    | RemoveContainer
    | RemoveVolumes
    | RemoveNetworks
    | RemoveUnit
    | MarkBad
    | EndRollout
    | Note
)


@dataclass(frozen=True, slots=True)
class PullImage:
    """Have an image pulled by a task of its own; `key` names what the pull is for."""

    reference: str
    policy: str
    key: str

    def __str__(self) -> str:
        return f"pull {self.reference} ({self.policy})"


@dataclass(frozen=True, slots=True)
class WorkloadPlan:
    """What to do for one workload now, why, and when (seconds since the epoch) to look again."""

    actions: tuple[Action, ...] = ()
    why: str = ""
    pull: PullImage | None = None
    wake_at: float | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do now."""
        return not self.actions and self.pull is None

    @property
    def kind(self) -> frozenset[str]:
        """What sort of plan it is: the names of its actions."""
        return frozenset(type(action).__name__ for action in self.actions)

    @property
    def revision(self) -> str:
        """The revision it is about: what it rolls out, ends, or writes the unit for."""
        for action in self.actions:
            if isinstance(action, BeginRollout | EndRollout | MarkBad):
                return action.revision
        for action in self.actions:
            match action:
                case CreateContainer():
                    return action.revision.digest
                case WriteUnit():
                    return action.record.revision
        return ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all workloads, by name."""

    workloads: dict[str, WorkloadPlan] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do now for any workload."""
        return all(p.empty for p in self.workloads.values())

    @property
    def wake_at(self) -> float | None:
        """The earliest time at which a workload wants to be looked at again."""
        return min((p.wake_at for p in self.workloads.values() if p.wake_at), default=None)
