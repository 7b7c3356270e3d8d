"""Judging a deployment that was committed and has to prove itself."""

from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from workloadd.core.deployment import Current, DeployedPart, completed, slept, unproven
from workloadd.core.errors import Problem
from workloadd.core.names import made_as
from workloadd.core.observed import Container
from workloadd.core.readiness import Healths, illness, lacks, ready_since
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.names import INFRA_CONTAINER, MAIN_CONTAINER

KILLED_FOR_MEMORY = "it was killed, as it needed more memory than it may have"
NOBODY_ASKED: Healths = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Policy:
    """How a rollout is judged.

    `soak`: seconds a deployment has to stay up to be proven; `deadline`: seconds within which it
    has to get there; `restarts`: how many restarts in that time make it a failure; `rollback`:
    whether the previous deployment comes back then; `start_first`: whether the new one proves
    itself beside it; `keep`: how many deployments are kept behind the one that serves.
    """

    soak: float = 5.0
    deadline: float = 120.0
    restarts: int = 2
    rollback: bool = True
    start_first: bool = False
    keep: int = 1

    def of(self, spec: WorkloadSpec | None) -> "Policy":
        """The policy for one workload, with what its file says of it."""
        if spec is None:
            return self
        update = spec.update
        return replace(
            self,
            soak=self.soak if update.soak is None else update.soak,
            deadline=self.deadline if update.deadline is None else update.deadline,
            rollback=update.rollback,
            start_first=update.order == "start-first",
            keep=self.keep if update.keep is None else update.keep,
        )


class Verdict(Enum):
    """What verification says."""

    PROVEN = "proven"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict; why it failed and by which container; when (epoch seconds) to judge again, and
    when it is proven if it stays as it is."""

    verdict: Verdict
    problem: Problem | None = None
    container: str = ""
    wake_at: float | None = None
    proven_at: float | None = None


NOT_JUDGED = Judgement(Verdict.WAITING)


def began_since(container: Container, boot: float) -> bool:
    """Whether the container was started in this boot; Podman tells that in whole seconds."""
    return container.started_at >= boot // 1


def judge(
    current: Current,
    began: float,
    policy: Policy,
    now: float,
    *,
    start_failed: bool = False,
    health: Healths = NOBODY_ASKED,
) -> Judgement:
    """Verify a committed deployment whose rollout began (was committed) at `began`.

    It is proven when each of its parts is (those that it took over are), and has failed when one
    has. `start_failed` says that
    a start job of this very deployment has failed. Without it, a failed unit with a container
    that never ran is what the older one left behind. `health` is what the probes say: with them it
    has to be ready all through the soak.
    """
    judged = [
        _judge_part(part, began, policy, now, start_failed, health)
        for part in current.parts
        if part.container is None or unproven(part.container)
    ]
    failed = next((one for one in judged if one.verdict is Verdict.FAILED), None)
    if not failed and start_failed and (problem := socket_problem(current)):
        failed = Judgement(Verdict.FAILED, problem)
    waiting = [one for one in judged if one.verdict is Verdict.WAITING]
    if failed or not waiting:
        return failed or Judgement(Verdict.PROVEN)
    wakes = [one.wake_at for one in waiting if one.wake_at]
    proofs = [one.proven_at for one in waiting if one.proven_at]
    proven_at = max(proofs) if len(proofs) == len(waiting) else None
    return Judgement(Verdict.WAITING, wake_at=min(wakes, default=None), proven_at=proven_at)


def _judge_part(
    part: DeployedPart,
    began: float,
    policy: Policy,
    now: float,
    start_failed: bool,
    health: Healths,
) -> Judgement:
    container, unit = part.container, part.unit
    if container is None:
        return NOT_JUDGED
    idle = unit.active_state == "inactive" and not unit.job and container.exited_at >= began // 1
    if completed(container, unit) or (idle and slept(container)):
        return Judgement(Verdict.PROVEN)
    if (unit.job and not part.init) or unit.active_state == "deactivating":
        # Stopping the older one may take as long as its own stop timeout allows; a member of a
        # pod waits for what has to run to its end, whose own job lasts until then.
        return NOT_JUDGED
    if container.oom and not container.running and container.exited_at >= began // 1:
        return _failure("OOMKilled", part, f"{KILLED_FOR_MEMORY} (exit code {container.exit_code})")
    if unit.active_state == "failed" and (container.started_at > 0 or start_failed):
        return _failed("UnitFailed", part)
    up = unit.active and container.running and not part.init
    if up and (asked_of := _judge_asked(part, container, began, policy, now, health)):
        return asked_of
    proven_at = max(unit.active_since, ready_since(container, health)) + policy.soak
    if up and now >= proven_at:
        return Judgement(Verdict.PROVEN)
    # Judged while it is down: then its exit code is known.
    if unit.restarts >= policy.restarts and not container.running:
        return _failed("RestartLoop", part)
    if up:
        return Judgement(Verdict.WAITING, wake_at=proven_at, proven_at=proven_at)
    if now >= began + policy.deadline:
        return _failed("DeadlineExceeded", part)
    return Judgement(Verdict.WAITING, wake_at=began + policy.deadline)


def _judge_asked(
    part: DeployedPart,
    container: Container,
    began: float,
    policy: Policy,
    now: float,
    health: Healths,
) -> Judgement | None:
    """What the probes of a running container say against it; None where that is nothing."""
    if said := illness(container, health):
        return _failure("ProbeFailed", part, said)
    lack = lacks(container, health)
    if lack is None:
        return None
    late = began + policy.deadline
    if now >= late:
        return _failure("ProbeFailed", part, f"it was not ready in time: {lack.message}")
    return Judgement(Verdict.WAITING, wake_at=late)


def socket_problem(current: Current) -> Problem | None:
    """Why systemd does not listen, where it cannot."""
    failed = next((u for u, state in current.sockets if state.active_state == "failed"), None)
    if failed is None:
        return None
    return Problem(
        "SocketFailed",
        f"cannot listen: {failed} failed",
        f"another program may have the port; see journalctl --user -u {failed}",
    )


def _failed(reason: str, part: DeployedPart) -> Judgement:
    """The failure of a part, in words."""
    container, unit = part.container, part.unit
    ending = f"state {container.state}" if container else "gone"
    if container and container.exited_at:
        ending = f"exit code {container.exit_code}"
    said = {
        "UnitFailed": f"its unit failed ({unit.result}, {ending})",
        "RestartLoop": f"it was restarted {unit.restarts} times ({ending})",
        "DeadlineExceeded": f"it was not up in time (unit {unit.active_state}, {ending})",
    }[reason]
    if part.oom:
        return _failure("OOMKilled", part, f"{KILLED_FOR_MEMORY}: {said}")
    return _failure(reason, part, said)


def _failure(reason: str, part: DeployedPart, said: str) -> Judgement:
    problem = Problem(
        reason,
        f"cannot keep the deployment: {of_part(part.name)}{said}",
        "its last log lines are in the history; change the file or the image to try again",
    )
    return Judgement(Verdict.FAILED, problem, container=part.id)


def of_part(name: str) -> str:
    """The beginning of a sentence about a container of a pod; nothing for an only one."""
    if made_as(name) == MAIN_CONTAINER:
        return ""
    said = {INFRA_CONTAINER: "the pod itself: "}
    return said.get(name, f"container {name}: ")
