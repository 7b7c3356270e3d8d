"""What the planner may ask for. Each action is data; `workloadd.execute` knows how to do it.

A workload's actions run in order and stop at the first that fails: the next pass plans anew from
what is then observed, so no action needs an undo.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from workloadd.core.errors import Problem
from workloadd.core.hands import Hand
from workloadd.core.names import SHORT, WHOLE
from workloadd.core.observed import UnitRecord
from workloadd.core.revision import Revision, UnitParams
from workloadd.core.runs import Circumstances, Ending, Run, Trigger
from workloadd.core.runs import Outcome as RunOutcome

Outcome = Literal["stable", "rolled-back", "failed", "removed"]


@dataclass(frozen=True, slots=True)
class BeginRollout:
    """Note in the history that a revision is being rolled out, and why."""

    revision: str
    from_revision: str
    cause: str
    # What is to be kept of it, so that it can be compared; None where it is known already.
    content: Revision | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"begin the rollout of {self.revision[:SHORT]}: {self.cause}"


@dataclass(frozen=True, slots=True)
class CreateContainers:
    """Create containers of a revision (and volumes) beside what runs; nothing is started.

    `pod` is the full ID of the pod that they go to, empty where it is made with them.
    """

    revision: Revision
    parts: tuple[str, ...]
    pod: str = ""

    def __str__(self) -> str:
        names = f" ({', '.join(self.parts)})" if self.revision.is_pod else ""
        what = "containers" if len(self.parts) > 1 else "a container"
        return f"create {what} for {self.revision.digest[:SHORT]}{names}"


@dataclass(frozen=True, slots=True)
class ReplaceFiles:
    """Give a container new contents of files that change under it, and tell it so if need be.

    `changed` are the paths of those that changed, `tell` says whether there is somebody to tell.
    """

    revision: Revision
    part: str
    container: str
    changed: tuple[str, ...]
    tell: bool

    @property
    def content(self) -> str:
        """Names what is declared now, so that a failure with other contents does not count."""
        digests = [f.digest for f in self.revision.part(self.part).inputs.files]
        return "+".join((self.revision.digest, *(digest[:SHORT] for digest in digests)))

    def __str__(self) -> str:
        return f"replace files of container {self.container[:SHORT]}: {', '.join(self.changed)}"


@dataclass(frozen=True, slots=True)
class WriteUnits:
    """Write the workload's units and its link, at once: the commit point of a rollout.

    An empty ID in the record means the container that the same sequence created. `params` say
    what the units are to say, by part of the record.
    """

    record: UnitRecord
    params: Mapping[str, UnitParams]
    enabled: bool = True

    def __str__(self) -> str:
        starts = self.record.trial or self.record.containers
        if len(starts) == 1:
            which = starts[0][1][:SHORT] or "the new container"
            return f"write the unit that starts {which}"
        return f"write the units of {len(starts)} containers"


@dataclass(frozen=True, slots=True)
class DaemonReload:
    """Have systemd read changed units; all workloads of a pass share one."""

    def __str__(self) -> str:
        return "daemon-reload (once for all units changed in this pass)"


@dataclass(frozen=True, slots=True)
class StartUnit:
    """Start a unit, after `reset-failed` where it had failed; a workload's own starts the others.

    `part` says whose unit it is (`WHOLE`: the workload's own).
    """

    part: str = WHOLE
    reset: bool = False

    def __str__(self) -> str:
        return f"start {_unit(self.part)}"


@dataclass(frozen=True, slots=True)
class RestartUnit:
    """Restart a unit: it stops whatever container of the part runs and starts its own."""

    part: str = WHOLE

    def __str__(self) -> str:
        return f"restart {_unit(self.part)}"


@dataclass(frozen=True, slots=True)
class StartSockets:
    """Have systemd listen for the workload, after `reset-failed`. `units` are full names."""

    units: tuple[str, ...]

    def __str__(self) -> str:
        return f"listen: start {', '.join(self.units)}"


@dataclass(frozen=True, slots=True)
class StopSockets:
    """Have systemd no longer listen for the workload, which stops the services as well."""

    units: tuple[str, ...]

    def __str__(self) -> str:
        return f"stop listening: stop {', '.join(self.units)}"


@dataclass(frozen=True, slots=True)
class StopUnit:
    """Stop a unit; with the workload's own all of them stop."""

    part: str = WHOLE

    def __str__(self) -> str:
        return f"stop {_unit(self.part)}"


@dataclass(frozen=True, slots=True)
class ResetUnit:
    """Have systemd forget a unit's restarts, from which the delay before the next one grows."""

    part: str = WHOLE

    def __str__(self) -> str:
        return f"reset the restart counter of {_unit(self.part)}"


def _unit(part: str) -> str:
    return "the unit" if part == WHOLE else f"the unit of {part}"


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start a job's timer, after `reset-failed` where it had failed."""

    def __str__(self) -> str:
        return "start the timer"


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop a job's timer; `forget` has systemd forget when it last elapsed."""

    forget: bool = False

    def __str__(self) -> str:
        return "stop the timer"


@dataclass(frozen=True, slots=True)
class StartRun:
    """Begin a run of a job, its retries counted anew.

    An empty `container` means the one that the same sequence created.
    """

    revision: str
    container: str
    trigger: Trigger
    attempt: int = 1

    def __str__(self) -> str:
        return "begin a run"


@dataclass(frozen=True, slots=True)
class NoteRun:
    """Note in the history that a run began."""

    run: Run

    def __str__(self) -> str:
        return "note a run that began"


@dataclass(frozen=True, slots=True)
class EndRun:
    """Note how a run ended, with its last log lines.

    `outcome` is given where its container cannot tell: it has gone, never began, or runs again.
    `seen` is its end to the second, for the case that the next run begins before more is asked.
    """

    run: Run
    around: Circumstances
    outcome: RunOutcome = ""
    seen: Ending | None = None

    def __str__(self) -> str:
        return "note how a run ended"


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
class RemovePod:
    """Remove a pod of ours with all that is in it; one that is gone already is fine."""

    pod: str

    def __str__(self) -> str:
        return f"remove pod {self.pod[:SHORT]}"


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
class RemoveUnits:
    """Delete the workload's units and its link."""

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


@dataclass(frozen=True, slots=True)
class ClearHand:
    """Forget what somebody asked for by hand: it is done, or holds no longer."""

    hand: Hand

    def __str__(self) -> str:
        return f"forget that somebody asked for: {self.hand.kind}"


Action = (
    BeginRollout
    | CreateContainers
    | ReplaceFiles
    | WriteUnits
    | DaemonReload
    | StartUnit
    | RestartUnit
    | StartSockets
    | StopSockets
    | StopUnit
    | ResetUnit
    | StartTimer
    | StopTimer
    | StartRun
    | NoteRun
    | EndRun
    | RenameContainer
    | StopContainer
    | RemoveContainer
    | RemovePod
    | RemoveVolumes
    | RemoveNetworks
    | RemoveUnits
    | MarkBad
    | EndRollout
    | Note
    | ClearHand
)


@dataclass(frozen=True, slots=True)
class PullImage:
    """Have an image pulled by a task of its own; `key` names what the pull is for.

    `platform` is OS/ARCHITECTURE[/VARIANT], empty for the host's own.
    """

    reference: str
    policy: str
    key: str
    platform: str = ""

    def __str__(self) -> str:
        return f"pull {self.reference} ({self.policy})"


@dataclass(frozen=True, slots=True)
class WorkloadPlan:
    """What to do for one workload now, why, and when (seconds since the epoch) to look again.

    `proven_at` is when what is verified is proven, if it stays as it is.
    """

    actions: tuple[Action, ...] = ()
    why: str = ""
    pulls: tuple[PullImage, ...] = ()
    wake_at: float | None = None
    proven_at: float | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do now."""
        return not self.actions and not self.pulls

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
                case CreateContainers():
                    return action.revision.digest
                case ReplaceFiles():
                    return action.content
                case WriteUnits():
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
