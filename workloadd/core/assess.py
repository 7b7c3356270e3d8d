"""assess(): from one pass's knowledge to the status of each workload."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workloadd.core.actions import Plan, WorkloadPlan
from workloadd.core.conditions import findings, state_of
from workloadd.core.dependencies import waiting_to_replace, waiting_to_start
from workloadd.core.deployment import Current, DeployedPart
from workloadd.core.errors import Problem
from workloadd.core.hand_status import hand_statuses
from workloadd.core.job_status import job_status
from workloadd.core.names import WHOLE, unit_name
from workloadd.core.observed import Container, UnitState
from workloadd.core.on_demand import all_sockets
from workloadd.core.probe_status import probe_results
from workloadd.core.readiness import ready_since
from workloadd.core.rollout import KILLED_FOR_MEMORY
from workloadd.core.socket_units import from_texts
from workloadd.core.status import (
    Condition,
    ContainerStatus,
    Deployment,
    FileError,
    ImageStatus,
    Rollout,
    Unit,
    WorkloadStatus,
    moment,
)
from workloadd.core.versions import questions
from workloadd.core.view import Finding, View, trouble_of
from workloadd.core.world import World
from workloadd.spec.errors import SpecError


@dataclass(frozen=True, slots=True)
class Knowledge:
    """One pass: the world as it was then, the plan made of it, and who is busy.

    `busy` maps a workload whose actions are being carried out to the step it is at.
    """

    world: World
    plan: Plan
    busy: Mapping[str, str]


def assess(
    knowledge: Knowledge, previous: Mapping[str, WorkloadStatus]
) -> tuple[WorkloadStatus, ...]:
    """The status of every workload; `since` is carried on from the last one, `previous`."""
    return tuple(assessments(knowledge, previous))


def assessments(
    knowledge: Knowledge, previous: Mapping[str, WorkloadStatus]
) -> Iterator[WorkloadStatus]:
    """The same, one by one: of many workloads this takes a while."""
    world = knowledge.world
    for name in sorted(set(world.desired.workloads) | set(world.observed.workloads)):
        before = previous.get(name)
        after = _assess(_view(name, knowledge), before)
        # The same object says that there is nothing new, to whoever has shown it already.
        yield before if before is not None and after == before else after


def restarted(before: WorkloadStatus | None, after: WorkloadStatus) -> str:
    """What to record where systemd restarted a workload between two passes; else nothing.

    A job's retries are runs, which are noted as such.
    """
    if before is None or after.restarts <= before.restarts or after.job:
        return ""
    ready = before.condition("Ready")
    ended = KILLED_FOR_MEMORY if ready and ready.reason == "OOMKilled" else "it ended"
    return f"{ended} and systemd started it again ({after.restarts} times since it was steady)"


def newer_image(before: WorkloadStatus | None, after: WorkloadStatus) -> str:
    """What to record where a newer image is first known of and not rolled out; else nothing."""
    now, then = (one.condition("UpToDate") if one else None for one in (after, before))
    if now is None or now.reason != "Outdated" or (then and then.message == now.message):
        return ""
    return now.message


def _view(name: str, k: Knowledge) -> View:
    world = k.world
    resolution, current = world.resolution(name), world.current(name)
    wanted = resolution.revision
    waits = waiting_to_start(current, world)
    if wanted and not (current and current.revision == wanted.digest):
        waits = waiting_to_replace(wanted, world)
    return View(
        name=name,
        declared=world.desired.workloads.get(name),
        seen=world.seen(name),
        current=current,
        waiting=waits,
        resolution=resolution,
        observed=world.observed,
        plan=k.plan.workloads.get(name, WorkloadPlan()),
        memory=world.memory,
        step=k.busy.get(name),
        now=world.now,
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
        tagged=bool(spec and questions(spec)),
        image=serving or wanted,
        ports=_ports(view),
        wanted=wanted if serving and wanted and wanted.id != serving.id else None,
        conditions=tuple(
            _condition(f, earlier.get(f.type), _since(f, view)) for f in found.values()
        ),
        unit=_unit(view.name, WHOLE, view.seen.unit),
        containers=_containers(view),
        probes=probe_results(view),
        restarts=sum(unit.restarts for unit in view.seen.units.values()),
        job=job_status(view),
        last_error=_last_error(view, found),
        errors=tuple(_file_error(e) for e in declared.errors) if declared else (),
        warnings=tuple(_file_error(e) for e in declared.warnings) if declared else (),
        by_hand=hand_statuses(view),
        rollout=_open_rollout(view),
        last_rollout=_last_rollout(view),
        **_deployments(view),
    )


def _wanted_image(view: View) -> ImageStatus | None:
    """The image that the file names, pinned as far as it is known; for a pod its first one."""
    spec = view.declared.spec if view.declared else None
    if spec is None:
        return None
    revision = view.resolution.revision
    parts = revision.parts if revision else ()
    wanted = revision.spec if revision else spec
    reference = next(iter(wanted.containers_by_name.values())).image
    pinned = next((p.image for p in parts if p.spec and p.spec.image == reference), None)
    if pinned is None:
        return ImageStatus(reference=reference)
    return ImageStatus(reference=reference, digest=pinned.digest, id=pinned.id)


def _serving_image(view: View) -> ImageStatus | None:
    """The image of the current deployment; for a pod that of its first lasting container."""
    serving = [
        part.container
        for part in (view.current.parts if view.current else ())
        if part.container and not part.infra and not part.init
    ]
    if not serving:
        return None
    container = serving[0]
    digest = container.params.image_digest if container.params else ""
    return ImageStatus(reference=container.image, digest=digest, id=container.image_id)


def _ports(view: View) -> tuple[str, ...]:
    """The ports and sockets of the current deployment, or those that the file asks for."""
    if view.current and view.container and view.container.params:
        sockets = all_sockets(c.params for c in view.current.containers if c.params)
        return (*view.container.params.ports, *(str(s) for s in from_texts(sockets)))
    spec = view.declared.spec if view.declared else None
    return tuple(str(one) for one in (*spec.ports, *spec.sockets)) if spec else ()


def _last_error(view: View, found: Mapping[str, Finding]) -> str:
    trouble = trouble_of(found)
    if trouble:
        return trouble
    if found["Ready"].reason == "OOMKilled":
        return found["Ready"].message
    last = view.memory.last.get(view.name)
    return last.problem.message if last and last.problem else ""


def _since(finding: Finding, view: View) -> float:
    """When a new finding began: systemd remembers what a daemon that was started since does not."""
    if finding.type == "Ready" and finding.reason == "Running" and view.current:
        ready = [ready_since(c, view.memory.health) for c in view.current.containers]
        return max(ready + [part.unit.active_since for part in view.current.parts])
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


def _unit(workload: str, part: str, unit: UnitState) -> Unit:
    return Unit(
        name=unit_name(workload, part),
        load_state=unit.load_state,
        active_state=unit.active_state,
        sub_state=unit.sub_state,
        result=unit.result,
        active_since=moment(unit.active_since) if unit.active else None,
        restarts=unit.restarts,
    )


def _deployments(view: View) -> dict[str, Any]:
    current, target = view.current, view.resolution.revision
    # What is on trial is the next one.
    known = {c.id for one in current.behind for c in one.containers} if current else set()
    known |= {id for _, id in current.ids} if current else set()
    wanted = {(part.name, part.digest) for part in target.parts} if target else set()
    prepared = [
        c for c in view.seen.containers if c.id not in known and (c.container, c.revision) in wanted
    ]
    return {
        "current": _deployment(current.revision, current.containers) if current else None,
        "previous": _previous(current) if current else None,
        "older": tuple(
            found
            for one in (current.older if current else ())
            if (found := _deployment(one.revision, one.containers))
        ),
        "next": _deployment(target.digest, prepared) if target else None,
    }


def _previous(current: Current) -> Deployment | None:
    return _deployment(current.fallback_revision, current.fallback)


def _deployment(revision: str, containers: Sequence[Container]) -> Deployment | None:
    """A deployment; its first container stands for it."""
    if not containers:
        return None
    container = containers[0]
    return Deployment(
        revision=revision,
        container=container.id,
        container_name=container.name,
        image=container.image,
        image_digest=container.params.image_digest if container.params else "",
        image_id=container.image_id,
        state=container.state,
        exit_code=_exit_code(container),
        created=moment(container.created_at),
        started=moment(container.started_at),
    )


def _exit_code(container: Container) -> int | None:
    ended = container.exited_at > 0 and not container.running
    return container.exit_code if ended else None


def _containers(view: View) -> tuple[ContainerStatus, ...]:
    """The containers of a pod's current deployment, each with its own unit."""
    current = view.current
    if current is None or len(current.parts) == 1:
        return ()
    return tuple(_container(view.name, part) for part in current.parts if not part.infra)


def _container(workload: str, part: DeployedPart) -> ContainerStatus:
    container = part.container
    return ContainerStatus(
        name=part.name,
        init=part.init,
        up=part.up,
        unit=_unit(workload, part.name, part.unit),
        container=part.id,
        image=container.image if container else "",
        image_digest=container.params.image_digest if container and container.params else "",
        state=container.state if container else "gone",
        exit_code=_exit_code(container) if container else None,
        started=moment(container.started_at) if container else None,
    )


def _open_rollout(view: View) -> Rollout | None:
    rollout = view.memory.rollouts.get(view.name)
    if rollout is None:
        return None
    trial = bool(view.current and view.current.trial)
    step = view.step or ("verifying" if rollout.committed_at or trial else "preparing")
    until = view.plan.proven_at if step == "verifying" else None
    return Rollout(
        revision=rollout.revision,
        cause=rollout.cause,
        step=step,
        started=moment(rollout.started_at),
        until=moment(until) if until else None,
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
