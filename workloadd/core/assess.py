"""assess(): from one pass's knowledge to the status of each workload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from workloadd.core.actions import Plan, WorkloadPlan
from workloadd.core.desired import Declared, Desired
from workloadd.core.errors import Problem
from workloadd.core.memory import Memory
from workloadd.core.names import SHORT, unit_name
from workloadd.core.observed import Container, Observed, Seen
from workloadd.core.resolve import Resolution, resolve
from workloadd.core.rollout import Current, completed, current_deployment, unproven
from workloadd.core.status import (
    Condition,
    Deployment,
    FileError,
    ImageStatus,
    Rollout,
    State,
    Unit,
    WorkloadStatus,
    moment,
)
from workloadd.spec.errors import SpecError


@dataclass(frozen=True, slots=True)
class Knowledge:
    """One pass: what was declared, observed and remembered, the plan made of it, and who is busy.

    `busy` maps a workload whose actions are being carried out to the step it is at.
    """

    desired: Desired
    observed: Observed
    memory: Memory
    plan: Plan
    busy: Mapping[str, str]
    now: float


@dataclass(frozen=True, slots=True)
class _Case:
    """One workload's part of that knowledge."""

    name: str
    declared: Declared | None
    seen: Seen
    current: Current | None
    resolution: Resolution
    plan: WorkloadPlan
    memory: Memory
    step: str | None
    boot: float
    now: float

    @property
    def target(self) -> str:
        """The revision that is wanted, as far as it is known."""
        return self.resolution.revision.digest if self.resolution.revision else ""

    @property
    def container(self) -> Container | None:
        return self.current.container if self.current else None

    @property
    def running(self) -> bool:
        container = self.container
        return bool(container and container.state == "running" and self.seen.unit.active)


_Status = Literal["True", "False", "Unknown"]
_Finding = tuple[str, _Status, str, str]


def assess(
    knowledge: Knowledge, previous: Mapping[str, WorkloadStatus]
) -> tuple[WorkloadStatus, ...]:
    """The status of every workload; `since` is carried on from the last one, `previous`."""
    names = sorted(set(knowledge.desired.workloads) | set(knowledge.observed.workloads))
    return tuple(_assess(_case(n, knowledge), previous.get(n)) for n in names)


def _case(name: str, k: Knowledge) -> _Case:
    declared = k.desired.workloads.get(name)
    seen = k.observed.workloads.get(name, Seen())
    resolution = resolve(declared, k.observed, k.memory, k.now) if declared else Resolution()
    return _Case(
        name=name,
        declared=declared,
        seen=seen,
        current=current_deployment(name, seen),
        resolution=resolution,
        plan=k.plan.workloads.get(name, WorkloadPlan()),
        memory=k.memory,
        step=k.busy.get(name),
        boot=k.observed.manager_started_at,
        now=k.now,
    )


def _assess(case: _Case, before: WorkloadStatus | None) -> WorkloadStatus:
    findings = [_loaded(case), _pulled(case), _deployed(case), _ready(case), _converged(case)]
    by_type = {f[0]: f for f in findings}
    state, message = _state(case, by_type)
    declared = case.declared
    spec = declared.spec if declared else None
    revision = case.resolution.revision
    image = ImageStatus(reference=spec.image) if spec else None
    if image and revision:
        image = ImageStatus(
            reference=image.reference, digest=revision.image_digest, id=revision.image_id
        )
    return WorkloadStatus(
        name=case.name,
        state=state,
        message=message,
        source=declared.path if declared else "",
        shadows=declared.shadows if declared else (),
        description=spec.description if spec else "",
        enabled=spec.enabled if spec else True,
        image=image,
        ports=tuple(str(p) for p in spec.ports) if spec else (),
        conditions=tuple(_condition(f, before, _since(f, case)) for f in findings),
        unit=_unit(case),
        restarts=case.seen.unit.restarts,
        last_error=_last_error(case, by_type),
        errors=tuple(_file_error(e) for e in declared.errors) if declared else (),
        warnings=tuple(_file_error(e) for e in declared.warnings) if declared else (),
        rollout=_open_rollout(case),
        last_rollout=_last_rollout(case),
        **_deployments(case),
    )


def _loaded(case: _Case) -> _Finding:
    if case.declared is None:
        return ("Loaded", "False", "FileGone", "its workload file is gone")
    if case.declared.errors:
        first, more = case.declared.errors[0], len(case.declared.errors) - 1
        also = f" (and {more} more)" if more else ""
        return ("Loaded", "False", "InvalidFile", f"{first}{also}")
    if case.declared.problems:
        problem = case.declared.problems[0]
        return ("Loaded", "False", problem.reason, str(problem))
    return ("Loaded", "True", "Loaded", f"loaded {case.declared.path}")


def _pulled(case: _Case) -> _Finding:
    revision, problem = case.resolution.revision, case.resolution.problem
    if revision:
        return ("Pulled", "True", "Present", f"{revision.spec.image} is {revision.image_digest}")
    if case.declared is None or case.declared.spec is None or case.declared.problems:
        return ("Pulled", "Unknown", "NoSpec", "there is no valid spec to pull for")
    if problem and problem.reason != "Pulling":
        return ("Pulled", "False", problem.reason, str(problem))
    return ("Pulled", "False", "Pulling", problem.message if problem else "")


def _deployed(case: _Case) -> _Finding:
    problem = _obstacle(case)
    if problem:
        return ("Deployed", "False", problem.reason, str(problem))
    if not case.target:
        serving = case.current is not None and case.container is not None
        said = "the last good deployment stays" if serving else "nothing is deployed"
        return ("Deployed", "Unknown", "NotResolved", said)
    if case.current and case.current.revision == case.target and case.container:
        return ("Deployed", "True", "Deployed", f"revision {case.target[:SHORT]}")
    return ("Deployed", "False", "RollingOut", case.step or case.plan.why)


def _obstacle(case: _Case) -> Problem | None:
    """What keeps the wanted revision from being deployed, if anything does."""
    if case.seen.file and case.seen.file.problem:
        return case.seen.file.problem
    if case.seen.name_taken:
        return Problem(
            "NameTaken",
            f"cannot deploy: a container named {case.name} exists that is not workloadd's",
            f"remove it or rename it: podman rename {case.name} NEW-NAME",
        )
    bad = case.memory.bad.get((case.name, case.target))
    if bad:
        said = f"revision {case.target[:SHORT]} was rolled back: {bad.problem.message}"
        return Problem("RolledBack", said, bad.problem.hint)
    attempt = case.memory.attempts.get(case.name)
    if attempt and attempt.revision == case.target:
        return attempt.problem
    return case.resolution.obstacle


def _ready(case: _Case) -> _Finding:
    unit, container = case.seen.unit, case.container
    if case.running:
        return ("Ready", "True", "Running", "its unit is active and its container runs")
    if container and completed(container, unit):
        return ("Ready", "True", "Completed", "it ran to its end, exit code 0")
    if container is None:
        return ("Ready", "False", "NotDeployed", "no container is deployed")
    said = f"unit {unit.active_state} ({unit.result}), container {container.state}"
    if container.exited_at and not container.running:
        said += f", exit code {container.exit_code}"
    return ("Ready", "False", "NotRunning", said)


def _converged(case: _Case) -> _Finding:
    if case.step is not None:
        return ("Converged", "False", "Working", case.step)
    if not case.plan.empty:
        return ("Converged", "False", "Working", case.plan.why)
    if case.container and unproven(case.container):
        return ("Converged", "False", "Verifying", case.plan.why)
    behind = case.target and not (case.current and case.current.revision == case.target)
    if behind or _unresolved(case):
        return ("Converged", "False", "Blocked", case.plan.why)
    return ("Converged", "True", "Converged", "nothing to do")


def _unresolved(case: _Case) -> bool:
    enabled = case.declared and (case.declared.spec is None or case.declared.spec.enabled)
    return bool(enabled) and case.resolution.revision is None


def _state(case: _Case, findings: Mapping[str, _Finding]) -> tuple[State, str]:
    """The one word for a workload, and the sentence that says why."""
    if case.seen.unit.masked:
        return "Paused", "its unit is masked; unmask it to have workloadd manage it again"
    if case.declared is None:
        problem = case.seen.file.problem if case.seen.file else None
        return "Removing", str(problem) if problem else "its workload file is gone"
    if case.declared.spec and not case.declared.spec.enabled:
        return "Disabled", "the file says enabled: false"
    serving = findings["Ready"][1] == "True"
    trouble = _trouble(findings)
    if _rolling_out(case) and not (serving and trouble):
        return "RollingOut", case.step or case.plan.why or "verifying"
    if serving:
        if trouble:
            return "Degraded", trouble
        if findings["Pulled"][2] == "Pulling":
            return "RollingOut", findings["Pulled"][3]
        return ("Completed" if findings["Ready"][2] == "Completed" else "Ready"), ""
    return _not_serving(case, findings, trouble)


def _rolling_out(case: _Case) -> bool:
    """Whether something is being done, or a deployment has yet to prove itself."""
    if case.step is not None:
        return True
    if case.container is None or not unproven(case.container):
        return False
    last = case.memory.last.get(case.name)
    given_up = last and last.outcome == "failed" and last.revision == case.container.revision
    return case.name in case.memory.rollouts or not given_up


def _trouble(findings: Mapping[str, _Finding]) -> str:
    """What is wrong although something may be serving."""
    for kind in ("Loaded", "Deployed", "Pulled"):
        _, status, reason, message = findings[kind]
        if status == "False" and reason not in ("Pulling", "RollingOut"):
            return message
    return ""


def _not_serving(case: _Case, findings: Mapping[str, _Finding], trouble: str) -> tuple[State, str]:
    if findings["Loaded"][1] == "False":
        return "Invalid", findings["Loaded"][3]
    if trouble:
        return "Failed", trouble
    if findings["Pulled"][2] == "Pulling":
        return "Pulling", findings["Pulled"][3]
    if case.container is None:
        return "Waiting", case.plan.why or findings["Deployed"][3]
    return "Failed", findings["Ready"][3]


def _last_error(case: _Case, findings: Mapping[str, _Finding]) -> str:
    trouble = _trouble(findings)
    if trouble:
        return trouble
    last = case.memory.last.get(case.name)
    return last.problem.message if last and last.problem else ""


def _since(finding: _Finding, case: _Case) -> float:
    """When a new finding began: systemd remembers what a daemon that was started since does not."""
    if finding[0] == "Ready" and case.running:
        return case.seen.unit.active_since
    return case.now


def _condition(finding: _Finding, before: WorkloadStatus | None, now: float) -> Condition:
    kind, status, reason, message = finding
    old = before.condition(kind) if before else None
    since = old.since if old and old.status == status else datetime.fromtimestamp(now, UTC)
    return Condition(type=kind, status=status, reason=reason, message=message, since=since)


def _unit(case: _Case) -> Unit:
    unit = case.seen.unit
    return Unit(
        name=unit_name(case.name),
        load_state=unit.load_state,
        active_state=unit.active_state,
        sub_state=unit.sub_state,
        result=unit.result,
        active_since=moment(unit.active_since) if unit.active else None,
        restarts=unit.restarts,
    )


def _deployments(case: _Case) -> dict[str, Deployment | None]:
    current = case.current
    known = {current.container_id, current.previous_id} if current else set()
    prepared = next(
        (c for c in case.seen.containers if c.id not in known and c.revision == case.target), None
    )
    return {
        "current": _deployment(case.container),
        "previous": _deployment(current.previous if current else None),
        "next": _deployment(prepared),
    }


def _deployment(container: Container | None) -> Deployment | None:
    if container is None:
        return None
    ended = container.exited_at > 0 and not container.running
    return Deployment(
        revision=container.revision,
        container=container.id,
        container_name=container.name,
        image=container.image,
        image_id=container.image_id,
        state=container.state,
        exit_code=container.exit_code if ended else None,
        created=moment(container.created_at),
        started=moment(container.started_at),
    )


def _open_rollout(case: _Case) -> Rollout | None:
    rollout = case.memory.rollouts.get(case.name)
    if rollout is None:
        return None
    step = case.step or ("verifying" if rollout.committed_at else "preparing")
    return Rollout(
        revision=rollout.revision,
        cause=rollout.cause,
        step=step,
        started=moment(rollout.started_at),
    )


def _last_rollout(case: _Case) -> Rollout | None:
    last = case.memory.last.get(case.name)
    if last is None:
        return None
    problem = last.problem or Problem("", "")
    return Rollout(
        revision=last.revision,
        cause=last.cause,
        outcome=last.outcome,
        started=moment(last.started_at),
        reason=problem.reason,
        message=problem.message,
        ended=moment(last.ended_at),
    )


def _file_error(error: SpecError) -> FileError:
    return FileError(
        file=error.file,
        line=error.line,
        column=error.column,
        reason=error.reason,
        message=error.message,
        text=error.text,
        hint=error.hint,
    )
