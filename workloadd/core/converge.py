"""Keeping the current deployment as it should be: drift, verification, conclusion, rollback."""

from collections.abc import Iterable
from dataclasses import replace

from workloadd.core.actions import (
    Action,
    DaemonReload,
    EndRollout,
    MarkBad,
    Note,
    RemoveContainer,
    RenameContainer,
    ResetUnit,
    RestartUnit,
    StartUnit,
    StopContainer,
    WorkloadPlan,
    WriteUnit,
)
from workloadd.core.case import Case
from workloadd.core.errors import Problem
from workloadd.core.names import SHORT, candidate_name
from workloadd.core.observed import Container, UnitRecord
from workloadd.core.revision import UnitParams
from workloadd.core.rollout import (
    Current,
    Verdict,
    began_since,
    completed,
    judge,
    newest,
    unproven,
)

# Seconds that a unit may be active with no container of its own running before that counts as
# drift: Podman and systemd are looked at one after the other, and a crash may fall in between.
SETTLE = 5.0
# Seconds after which a service that was restarted counts as steady again. systemd itself never
# forgets a restart, and so would let a service that crashes once a week wait ever longer.
STEADY = 600.0


def converge(case: Case, current: Current) -> WorkloadPlan:
    """The plan for a workload whose current deployment is the one to have, or the best there is."""
    container = current.container
    if container is None:
        return _fall_back(case, current)
    bad = case.bad(current.revision)
    if bad and current.previous and unproven(container):
        return _roll_back(case, current, current.previous, bad.problem)
    repairs = [
        *_repair_unit(case, current, container),
        *_repair_activity(case, current, container),
    ]
    if repairs:
        return WorkloadPlan(tuple(repairs), why=_why(repairs))
    if unproven(container):
        return _verify(case, current, container)
    return _tidy(case, current, container)


def _why(actions: list[Action]) -> str:
    notes = [action.message for action in actions if isinstance(action, Note)]
    if actions == [ResetUnit()]:
        return "it is steady again"
    return "; ".join(notes) or "carry on with what was begun"


def _fall_back(case: Case, current: Current) -> WorkloadPlan:
    """The current container is gone and there is no revision to make it anew from."""
    if current.previous is None:
        return WorkloadPlan(why="its container is gone, and there is none to go back to")
    note = Note("drift", "its container was removed; back to the previous deployment")
    actions = (note, *_switch_to(case, current, current.previous))
    return WorkloadPlan(actions, why=note.message)


def _switch_to(case: Case, current: Current, to: Container) -> tuple[Action, ...]:
    """Commit to an older container `to`, keeping one that is older still behind it."""
    older = newest(c for c in case.others(to.id, current.container_id) if c.started_at > 0)
    params = to.params or UnitParams()
    record = UnitRecord(
        case.name,
        to.revision,
        to.id,
        older.id if older else "",
        case.declared.path,
        params.reclaim,
    )
    return WriteUnit(record, params), DaemonReload(), RestartUnit()


def _roll_back(case: Case, current: Current, previous: Container, problem: Problem) -> WorkloadPlan:
    """The new deployment failed: remember that first, then let the previous one serve again."""
    mark = [] if case.bad(current.revision) else [MarkBad(current.revision, problem)]
    actions = (
        *mark,
        *_switch_to(case, current, previous),
        EndRollout(current.revision, "rolled-back", problem, current.container_id),
        RemoveContainer(current.container_id),
    )
    return WorkloadPlan(actions, why=f"roll back to {previous.revision[:SHORT]}: {problem.message}")


def _repair_unit(case: Case, current: Current, container: Container) -> list[Action]:
    """Write the unit again where it was edited, deleted or disabled, or its source moved."""
    params = container.params or UnitParams()
    file = case.seen.file
    if file is None or file.record is None:
        record = UnitRecord(
            case.name,
            current.revision,
            current.container_id,
            current.previous_id,
            case.declared.path,
            params.reclaim,
        )
        return [Note("drift", "its unit was deleted"), WriteUnit(record, params), DaemonReload()]
    write = WriteUnit(replace(file.record, source=case.declared.path, disabled=False), params)
    if file.record.disabled:
        return [Note("enabled", "the file says enabled: true again"), write, DaemonReload()]
    if not file.intact:
        return [
            Note("drift", "its unit was edited, or another version wrote it"),
            write,
            DaemonReload(),
        ]
    if file.record.source != case.declared.path:
        return [write, DaemonReload()]
    if not file.enabled:
        return [Note("drift", "its unit was disabled"), write]
    return [DaemonReload()] if case.seen.unit.needs_reload else []


def _repair_activity(case: Case, current: Current, container: Container) -> list[Action]:
    """Start what should run and does not; restart what runs something else."""
    unit = case.seen.unit
    if unit.job or unit.active_state == "deactivating" or case.retry_at(current.revision):
        return []
    if unit.active_state == "activating":
        # systemd is starting it again and again: by its old text, if that was not read since.
        return [RestartUnit()] if unit.needs_reload else []
    if completed(container, unit):
        return []
    if unit.active:
        return _repair_running(case, container)
    if strays := _stops(c for c in case.seen.containers if c.running):
        return [Note("drift", "it ran outside its unit"), *strays, StartUnit(reset=True)]
    if unit.active_state == "failed":
        restart = (container.params or UnitParams()).restart
        by_itself = restart != "always" and began_since(container, case.boot)
        return [] if by_itself else [StartUnit(reset=True)]
    record = case.seen.file.record if case.seen.file else None
    ran = began_since(container, case.boot) and container.exited_at >= container.started_at > 0
    by_hand = ran and not (record and record.disabled)
    return [*([Note("drift", "it was stopped")] if by_hand else []), StartUnit()]


def _repair_running(case: Case, container: Container) -> list[Action]:
    """The unit is active: its own container has to be what runs, and nothing else of ours."""
    others = _stops(c for c in case.others(container.id) if c.running)
    if container.running:
        return [Note("drift", "an older container was started"), *others] if others else []
    if others:
        # The unit was written, and the daemon ended before the restart.
        return [RestartUnit()]
    if case.now - max(container.exited_at, case.seen.unit.active_since) > SETTLE:
        return [Note("drift", "its unit was active with no container running"), RestartUnit()]
    return []


def _stops(containers: Iterable[Container]) -> list[Action]:
    return [StopContainer(c.id, (c.params or UnitParams()).stop_timeout) for c in containers]


def _verify(case: Case, current: Current, container: Container) -> WorkloadPlan:
    """Judge a deployment that has not proved itself: conclude, roll back, or wait."""
    rollout = case.rollout
    recorded = rollout is not None and rollout.revision == current.revision
    began = max(container.created_at, case.boot)
    if rollout and recorded:
        began = max(rollout.committed_at or rollout.started_at, case.boot)
    start_failed = case.attempt(current.revision) is not None
    judged = judge(
        container, case.seen.unit, began, case.policy, case.now, start_failed=start_failed
    )
    if judged.verdict is Verdict.PROVEN:
        if case.seen.name_taken:
            return WorkloadPlan(why=f"a container that is not ours is named {case.name}")
        return _conclude(case, current, container, recorded)
    if judged.verdict is Verdict.FAILED and judged.problem:
        if current.previous:
            return _roll_back(case, current, current.previous, judged.problem)
        actions: list[Action] = []
        if recorded:
            actions.append(EndRollout(current.revision, "failed", judged.problem, container.id))
        litter = case.others(current.container_id)
        actions += [RemoveContainer(c.id) for c in litter if not c.running]
        if actions:
            return WorkloadPlan(tuple(actions), why=judged.problem.message)
        # There is nothing to go back to: systemd goes on trying, and it may yet prove itself.
        unit = case.seen.unit
        wake = unit.active_since + case.policy.soak if unit.active else None
        return WorkloadPlan(why=judged.problem.message, wake_at=wake)
    return WorkloadPlan(why="verifying", wake_at=judged.wake_at)


def _conclude(case: Case, current: Current, container: Container, recorded: bool) -> WorkloadPlan:
    """The deployment is proven: it takes the plain name; all but the previous one go."""
    litter = case.others(current.container_id, current.previous_id)
    actions: list[Action] = [RemoveContainer(c.id) for c in litter]
    actions += _take_plain_name(case, current, container)
    if recorded:
        actions.append(EndRollout(current.revision, "stable"))
    return WorkloadPlan(tuple(actions), why=f"{current.revision[:SHORT]} has proved itself")


def _take_plain_name(case: Case, current: Current, container: Container) -> list[Action]:
    """Give the serving container the workload's name; the previous one makes way for it."""
    actions: list[Action] = []
    previous = current.previous
    if previous and previous.name == case.name:
        if previous.revision == container.revision:
            # Another make of the same revision: nothing that one could go back to.
            actions.append(RemoveContainer(previous.id))
        else:
            aside = candidate_name(case.name, previous.revision)
            actions.append(RenameContainer(previous.id, aside))
    return [*actions, RenameContainer(container.id, case.name)]


def _tidy(case: Case, current: Current, container: Container) -> WorkloadPlan:
    """A proven deployment: its name, litter, and a rollout whose end was never noted."""
    actions: list[Action] = []
    wanted = case.wanted.digest if case.wanted else ""
    waiting = "" if case.bad(wanted) or wanted == current.revision else wanted
    litter = case.others(current.container_id, current.previous_id)
    actions += [
        RemoveContainer(c.id) for c in litter if c.revision != waiting or c.name == case.name
    ]
    if container.name != case.name and not case.seen.name_taken:
        actions.append(Note("drift", f"its container was renamed to {container.name}"))
        actions += _take_plain_name(case, current, container)
    if end := _unrecorded_end(case, current, waiting):
        actions.append(end)
    unit = case.seen.unit
    wake_at = case.retry_at(current.revision)
    if unit.restarts and unit.active:
        steady_at = unit.active_since + STEADY
        if case.now >= steady_at:
            actions.append(ResetUnit())
        else:
            wake_at = min(wake_at or steady_at, steady_at)
    return WorkloadPlan(tuple(actions), why=_why(actions) if actions else "", wake_at=wake_at)


def _unrecorded_end(case: Case, current: Current, waiting: str) -> EndRollout | None:
    """The end of a rollout that the daemon did not live to note, or that the file overtook."""
    rollout = case.rollout
    if rollout is None:
        return None
    if rollout.revision == current.revision:
        return EndRollout(rollout.revision, "stable")
    if bad := case.bad(rollout.revision):
        return EndRollout(rollout.revision, "rolled-back", bad.problem)
    if rollout.revision == waiting:
        return None
    problem = Problem("Superseded", "the file changed before the rollout was committed")
    return EndRollout(rollout.revision, "failed", problem)
