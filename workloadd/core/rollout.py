"""Judging a deployment that was committed and has to prove itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from workloadd.core.errors import Problem
from workloadd.core.names import candidate_name
from workloadd.core.observed import Container, Seen, UnitState
from workloadd.core.revision import UnitParams


@dataclass(frozen=True, slots=True)
class Policy:
    """How a rollout is judged.

    `soak`: seconds a deployment has to stay up to be proven; `deadline`: seconds within which it
    has to get there; `restarts`: how many restarts in that time make it a failure.
    """

    soak: float = 5.0
    deadline: float = 120.0
    restarts: int = 2


class Verdict(Enum):
    """What verification says."""

    PROVEN = "proven"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict; why it failed; when (seconds since the epoch) to judge again."""

    verdict: Verdict
    problem: Problem | None = None
    wake_at: float | None = None


def unproven(container: Container) -> bool:
    """Whether a container still has the name it was created with: it never concluded a rollout."""
    return container.name == candidate_name(container.workload, container.revision)


def completed(container: Container, unit: UnitState) -> bool:
    """Whether the container did its work and is not meant to be started again.

    With `restart: always` an end is never an end; any other unit stays active after its main
    process ended well (RemainAfterExit=), until it is stopped or the host goes down. So one that
    was stopped by hand is not taken for one that has ended by itself.
    """
    params = container.params or UnitParams()
    ended = unit.active and unit.sub_state == "exited" and params.restart != "always"
    return ended and container.state == "exited" and container.exit_code == 0


def began_since(container: Container, boot: float) -> bool:
    """Whether the container was started in this boot; Podman tells that in whole seconds."""
    return container.started_at >= boot // 1


def judge(
    container: Container,
    unit: UnitState,
    began: float,
    policy: Policy,
    now: float,
    *,
    start_failed: bool = False,
) -> Judgement:
    """Verify a committed deployment whose rollout began (was committed) at `began`.

    `start_failed` says that a start job of this very deployment has failed. Without it, a failed
    unit with a container that never ran is what the older one left behind.
    """
    if completed(container, unit):
        return Judgement(Verdict.PROVEN)
    if unit.job or unit.active_state == "deactivating":
        # Stopping the older one may take as long as its own stop timeout allows.
        return Judgement(Verdict.WAITING)
    if unit.active_state == "failed" and (container.started_at > 0 or start_failed):
        return Judgement(Verdict.FAILED, _failure("UnitFailed", container, unit))
    up = unit.active and container.running
    proven_at = unit.active_since + policy.soak
    if up and now >= proven_at:
        return Judgement(Verdict.PROVEN)
    # Judged while it is down: then its exit code is known.
    if unit.restarts >= policy.restarts and not container.running:
        return Judgement(Verdict.FAILED, _failure("RestartLoop", container, unit))
    if up:
        return Judgement(Verdict.WAITING, wake_at=proven_at)
    if now >= began + policy.deadline:
        return Judgement(Verdict.FAILED, _failure("DeadlineExceeded", container, unit))
    return Judgement(Verdict.WAITING, wake_at=began + policy.deadline)


def _failure(reason: str, container: Container, unit: UnitState) -> Problem:
    """The problem of a failed verification, in words."""
    ending = f"state {container.state}"
    if container.exited_at:
        ending = f"exit code {container.exit_code}"
    said = {
        "UnitFailed": f"its unit failed ({unit.result}, {ending})",
        "RestartLoop": f"it was restarted {unit.restarts} times ({ending})",
        "DeadlineExceeded": f"it was not up in time (unit {unit.active_state}, {ending})",
    }[reason]
    return Problem(
        reason,
        f"cannot keep the deployment: {said}",
        "its last log lines are in the history; change the file or the image to try again",
    )


@dataclass(frozen=True, slots=True)
class Current:
    """The current deployment: what the unit names, or what serves under the plain name."""

    revision: str
    container_id: str
    previous_id: str
    container: Container | None
    previous: Container | None


def current_deployment(name: str, seen: Seen) -> Current | None:
    """The deployment that the unit file commits to.

    Without a file (deleted by hand, or masked and unmasked since) it is the container that serves
    under the workload's plain name, the only one that can have proven itself.
    """
    record = seen.file.record if seen.file else None
    if record:
        return Current(
            record.revision,
            record.container,
            record.previous,
            seen.by_id(record.container),
            seen.by_id(record.previous) if record.previous else None,
        )
    serving = next((c for c in seen.containers if c.name == name), None)
    if serving is None:
        return None
    older = newest(c for c in seen.containers if c.id != serving.id and c.started_at > 0)
    return Current(serving.revision, serving.id, older.id if older else "", serving, older)


def newest(containers: Iterable[Container]) -> Container | None:
    """The container created last, or None."""
    return max(containers, key=lambda c: (c.created_at, c.id), default=None)
