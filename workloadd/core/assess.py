"""assess(): from one pass's knowledge to the status of each workload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from workloadd.core.actions import Plan, WorkloadPlan
from workloadd.core.conditions import Finding, View, findings, state_of, trouble_of
from workloadd.core.desired import Desired
from workloadd.core.errors import Problem
from workloadd.core.memory import Memory
from workloadd.core.names import unit_name
from workloadd.core.observed import Container, Observed, Seen
from workloadd.core.resolve import Resolution, resolve
from workloadd.core.rollout import current_deployment
from workloadd.core.status import (
    Condition,
    Deployment,
    FileError,
    ImageStatus,
    Rollout,
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


def assess(
    knowledge: Knowledge, previous: Mapping[str, WorkloadStatus]
) -> tuple[WorkloadStatus, ...]:
    """The status of every workload; `since` is carried on from the last one, `previous`."""
    names = sorted(set(knowledge.desired.workloads) | set(knowledge.observed.workloads))
    return tuple(_assess(_view(n, knowledge), previous.get(n)) for n in names)


def restarted(before: WorkloadStatus | None, after: WorkloadStatus) -> str:
    """What to record where systemd restarted a workload between two passes; else nothing."""
    if before is None or after.restarts <= before.restarts:
        return ""
    return f"it ended and systemd started it again ({after.restarts} times since it was steady)"


def _view(name: str, k: Knowledge) -> View:
    declared = k.desired.workloads.get(name)
    seen = k.observed.workloads.get(name, Seen())
    resolution = resolve(declared, k.observed, k.memory, k.now) if declared else Resolution()
    return View(
        name=name,
        declared=declared,
        seen=seen,
        current=current_deployment(name, seen),
        resolution=resolution,
        plan=k.plan.workloads.get(name, WorkloadPlan()),
        memory=k.memory,
        step=k.busy.get(name),
        now=k.now,
    )


def _assess(view: View, before: WorkloadStatus | None) -> WorkloadStatus:
    found = findings(view)
    state, message = state_of(view, found)
    declared = view.declared
    spec = declared.spec if declared else None
    wanted, serving = _wanted_image(view), _serving_image(view)
    earlier = {c.type: c for c in before.conditions} if before else {}
    return WorkloadStatus(
        name=view.name,
        state=state,
        message=message,
        source=declared.path if declared else "",
        files=declared.files if declared else (),
        shadows=declared.shadows if declared else (),
        description=spec.description if spec else "",
        enabled=spec.enabled if spec else True,
        image=serving or wanted,
        ports=_ports(view),
        wanted=wanted if serving and wanted and wanted.id != serving.id else None,
        conditions=tuple(
            _condition(f, earlier.get(f.type), _since(f, view)) for f in found.values()
        ),
        unit=_unit(view),
        restarts=view.seen.unit.restarts,
        last_error=_last_error(view, found),
        errors=tuple(_file_error(e) for e in declared.errors) if declared else (),
        warnings=tuple(_file_error(e) for e in declared.warnings) if declared else (),
        rollout=_open_rollout(view),
        last_rollout=_last_rollout(view),
        **_deployments(view),
    )


def _wanted_image(view: View) -> ImageStatus | None:
    """The image that the file names, pinned as far as it is known."""
    spec = view.declared.spec if view.declared else None
    revision = view.resolution.revision
    if spec is None:
        return None
    if revision is None:
        return ImageStatus(reference=spec.image)
    return ImageStatus(reference=spec.image, digest=revision.image_digest, id=revision.image_id)


def _serving_image(view: View) -> ImageStatus | None:
    """The image of the current deployment."""
    container = view.container
    if container is None:
        return None
    digest = container.params.image_digest if container.params else ""
    return ImageStatus(reference=container.image, digest=digest, id=container.image_id)


def _ports(view: View) -> tuple[str, ...]:
    """The ports of the current deployment, or those that the file asks for."""
    if view.container and view.container.params:
        return view.container.params.ports
    spec = view.declared.spec if view.declared else None
    return tuple(str(port) for port in spec.ports) if spec else ()


def _last_error(view: View, found: Mapping[str, Finding]) -> str:
    trouble = trouble_of(found)
    if trouble:
        return trouble
    last = view.memory.last.get(view.name)
    return last.problem.message if last and last.problem else ""


def _since(finding: Finding, view: View) -> float:
    """When a new finding began: systemd remembers what a daemon that was started since does not."""
    if finding.type == "Ready" and view.running:
        return view.seen.unit.active_since
    return view.now


def _condition(finding: Finding, old: Condition | None, now: float) -> Condition:
    same = old is not None and old.status == finding.status
    return Condition(
        type=finding.type,
        status=finding.status,
        reason=finding.reason,
        message=finding.message,
        since=old.since if old and same else datetime.fromtimestamp(now, UTC),
    )


def _unit(view: View) -> Unit:
    unit = view.seen.unit
    return Unit(
        name=unit_name(view.name),
        load_state=unit.load_state,
        active_state=unit.active_state,
        sub_state=unit.sub_state,
        result=unit.result,
        active_since=moment(unit.active_since) if unit.active else None,
        restarts=unit.restarts,
    )


def _deployments(view: View) -> dict[str, Deployment | None]:
    current = view.current
    known = {current.container_id, current.previous_id} if current else set()
    prepared = next(
        (c for c in view.seen.containers if c.id not in known and c.revision == view.target), None
    )
    return {
        "current": _deployment(view.container),
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
        image_digest=container.params.image_digest if container.params else "",
        image_id=container.image_id,
        state=container.state,
        exit_code=container.exit_code if ended else None,
        created=moment(container.created_at),
        started=moment(container.started_at),
    )


def _open_rollout(view: View) -> Rollout | None:
    rollout = view.memory.rollouts.get(view.name)
    if rollout is None:
        return None
    step = view.step or ("verifying" if rollout.committed_at else "preparing")
    return Rollout(
        revision=rollout.revision,
        cause=rollout.cause,
        step=step,
        started=moment(rollout.started_at),
    )


def _last_rollout(view: View) -> Rollout | None:
    last = view.memory.last.get(view.name)
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
