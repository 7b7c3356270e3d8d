"""Keeping the current deployment as it should be: drift, verification, conclusion, rollback."""

from collections.abc import Iterable
from dataclasses import replace

from workloadd.core.actions import (
    Action,
    DaemonReload,
    EndRollout,
    MarkBad,
    Note,
    RenameContainer,
    ResetUnit,
    RestartUnit,
    StartUnit,
    StopContainer,
    WorkloadPlan,
    WriteUnits,
)
from workloadd.core.case import Case
from workloadd.core.deployment import Current, DeployedPart, completed, newest, slept, unproven
from workloadd.core.errors import Problem
from workloadd.core.forward import removals, take_over
from workloadd.core.names import SHORT, WHOLE, candidate_name, plain_name, unit_part
from workloadd.core.observed import Container, Ids, UnitRecord
from workloadd.core.on_demand import release_sockets, repair_sockets, stop_idle
from workloadd.core.revision import UnitParams, combined_digest
from workloadd.core.rollout import Judgement, Verdict, began_since, judge, of_part

# Seconds that a unit may be active with no container of its own running before that counts as
# drift: Podman and systemd are looked at one after the other, and a crash may fall in between.
SETTLE = 5.0
# Seconds after which a service that was restarted counts as steady again. systemd itself never
# forgets a restart, and so would let a service that crashes once a week wait ever longer.
STEADY = 600.0


def converge(case: Case, current: Current) -> WorkloadPlan:
    """The plan for a workload whose current deployment is the one to have, or the best there is."""
    if not current.complete and (current.fallback or current.container is None):
        return _fall_back(case, current)
    bad = case.bad(current.revision)
    if bad and current.fallback and current.unproven:
        return _roll_back(case, current, Judgement(Verdict.FAILED, bad.problem))
    repairs = [*repair_units(case, current), *_repair_activity(case, current)]
    if repairs:
        return WorkloadPlan(tuple(repairs), why=_why(repairs))
    if current.unproven:
        return _verify(case, current)
    return _tidy(case, current)


def _why(actions: list[Action]) -> str:
    notes = [action.message for action in actions if isinstance(action, Note)]
    if actions and all(isinstance(action, ResetUnit) for action in actions):
        return "it is steady again"
    return "; ".join(notes) or "carry on with what was begun"


def _fall_back(case: Case, current: Current) -> WorkloadPlan:
    """A container is gone and there is no revision to make it anew from."""
    if not current.fallback:
        return WorkloadPlan(why="its container is gone, and there is none to go back to")
    note = Note("drift", "its container was removed; back to the previous deployment")
    return WorkloadPlan((note, *_switch_back(case, current)), why=note.message)


def _switch_back(case: Case, current: Current) -> tuple[Action, ...]:
    """Commit to the previous deployment, keeping one that is older still behind it."""
    back = current.previous
    params = case.seen.params(back)
    record = UnitRecord(
        case.name,
        combined_digest((c.container, c.revision) for c in current.fallback),
        back,
        _older(case, current),
        case.declared.path,
        _description(case),
        _reclaim(params.values()),
    )
    return (
        *release_sockets(case.seen, current, params),
        WriteUnits(record, params),
        *take_over(case, back, params),
    )


def _older(case: Case, current: Current) -> Ids:
    """What is left of the deployment before the previous one: of pods nothing is kept."""
    if len(current.previous) > 1:
        return ()
    older = newest(c for c in case.others(current.kept) if c.started_at > 0 and not c.pod)
    return ((older.container, older.id),) if older else ()


def _description(case: Case) -> str:
    """The file's line for people; while the file is wrong, the one that the unit has."""
    if case.declared.spec:
        return case.declared.spec.description
    record = case.seen.file.record if case.seen.file else None
    return record.description if record else ""


def _reclaim(params: Iterable[UnitParams]) -> tuple[str, ...]:
    return tuple(sorted({volume for one in params for volume in one.reclaim}))


def _roll_back(case: Case, current: Current, judged: Judgement) -> WorkloadPlan:
    """The new deployment failed: remember that first, then let the previous one serve again."""
    problem = judged.problem or Problem("RolledBack", "it was rolled back before")
    mark = [] if case.bad(current.revision) else [MarkBad(current.revision, problem)]
    before = {c.id for c in current.fallback}
    failed = [c for c in current.containers if c.id not in before]
    actions = (
        *mark,
        *_switch_back(case, current),
        EndRollout(current.revision, "rolled-back", problem, _failing(judged, failed)),
        *removals(failed),
    )
    revision = combined_digest((c.container, c.revision) for c in current.fallback)
    return WorkloadPlan(actions, why=f"roll back to {revision[:SHORT]}: {problem.message}")


def _failing(judged: Judgement, failed: Iterable[Container]) -> str:
    """The container whose last words are to be kept."""
    return judged.container or next((c.id for c in failed), "")


def repair_units(case: Case, current: Current) -> list[Action]:
    """Write the units again where they were edited, deleted or disabled, or their source moved."""
    params = case.seen.params(current.ids)
    file = case.seen.file
    if file is None or file.record is None:
        record = UnitRecord(
            case.name,
            current.revision,
            current.ids,
            current.previous,
            case.declared.path,
            _description(case),
            _reclaim(params.values()),
        )
        return [Note("drift", "its unit was deleted"), WriteUnits(record, params), DaemonReload()]
    wanted = replace(
        file.record, source=case.declared.path, description=_description(case), disabled=False
    )
    write = WriteUnits(wanted, params)
    if file.record.disabled:
        return [Note("enabled", "the file says enabled: true again"), write, DaemonReload()]
    if not file.intact:
        note = Note("drift", "its unit was edited, or another version wrote it")
        return [note, write, DaemonReload()]
    if file.record != wanted:
        return [write, DaemonReload()]
    if file.enabled is False:
        return [Note("drift", "its unit was disabled"), write]
    return [DaemonReload()] if case.seen.needs_reload else []


def _repair_activity(case: Case, current: Current) -> list[Action]:
    """Start what should run and does not; restart what runs something else.

    The parts of a pod follow its own unit: while that is being put right, they are left alone.
    """
    actions = repair_sockets(case, current)
    if actions or not current.listening:
        return actions
    if current.asleep and not _to_be_started(current):
        return _repair_asleep(case)
    for part in current.parts:
        if part.container is not None and not (part.unit.job or case.retry_at(current.revision)):
            actions += _repair_part(case, current, part, part.container)
        if unit_part(part.name) == WHOLE and (actions or not part.unit.active):
            break
    return actions


def _repair_asleep(case: Case) -> list[Action]:
    """Nothing is to run; what has begun a moment ago may be what a connection just started."""
    running = [c for c in case.seen.containers if c.running and case.now - c.started_at > SETTLE]
    return [Note("drift", "it ran outside its unit"), *_stops(running)] if running else []


def _to_be_started(current: Current) -> bool:
    """Whether a deployment that waits for connections has yet to be started, to prove itself."""
    return any(unproven(c) and not slept(c) for c in current.containers)


def _repair_part(
    case: Case, current: Current, part: DeployedPart, container: Container
) -> list[Action]:
    unit = part.unit
    if unit.active_state == "deactivating":
        return []
    if unit.active_state == "activating":
        # systemd is starting it again and again: by its old text, if that was not read since.
        return [RestartUnit(unit_part(part.name))] if unit.needs_reload else []
    if completed(container, unit):
        return []
    if unit.active:
        return _repair_running(case, current, part, container)
    start = StartUnit(unit_part(part.name))
    mine = part.name if unit_part(part.name) != WHOLE else ""
    running = [c for c in case.seen.containers if c.running and mine in ("", c.container)]
    if running:
        note = Note("drift", f"{of_part(part.name)}it ran outside its unit")
        return [note, *_stops(running), replace(start, reset=True)]
    if unit.active_state == "failed":
        restart = (container.params or UnitParams()).restart
        by_itself = restart != "always" and began_since(container, case.boot)
        return [] if by_itself else [replace(start, reset=True)]
    record = case.seen.file.record if case.seen.file else None
    ran = began_since(container, case.boot) and container.exited_at >= container.started_at > 0
    by_hand = ran and not (record and record.disabled)
    return [*([Note("drift", f"{of_part(part.name)}it was stopped")] if by_hand else []), start]


def _rivals(case: Case, current: Current, part: DeployedPart) -> list[Container]:
    """Running containers that are in a part's place: of its name, or of no part's at all."""
    names = {one.name for one in current.parts}
    known = {id for _, id in current.ids}
    whole = unit_part(part.name) == WHOLE
    return [
        c
        for c in case.others(known)
        if c.running and (c.container == part.name or (whole and c.container not in names))
    ]


def _repair_running(
    case: Case, current: Current, part: DeployedPart, container: Container
) -> list[Action]:
    """The unit is active: its own container has to be what runs, and nothing else of ours."""
    others = _stops(_rivals(case, current, part))
    restart = RestartUnit(unit_part(part.name))
    if container.running:
        return [Note("drift", "an older container was started"), *others] if others else []
    if others:
        # The unit was written, and the daemon ended before the restart.
        return [restart]
    if case.now - max(container.exited_at, part.unit.active_since) > SETTLE:
        note = Note("drift", f"{of_part(part.name)}its unit was active with no container running")
        return [note, restart]
    return []


def _stops(containers: Iterable[Container]) -> list[Action]:
    return [StopContainer(c.id, (c.params or UnitParams()).stop_timeout) for c in containers]


def _verify(case: Case, current: Current) -> WorkloadPlan:
    """Judge a deployment that has not proved itself: conclude, roll back, or wait."""
    rollout = case.rollout
    recorded = rollout is not None and rollout.revision == current.revision
    began = max(*(c.created_at for c in current.containers), case.boot)
    if rollout and recorded:
        began = max(rollout.committed_at or rollout.started_at, case.boot)
    start_failed = case.attempt(current.revision) is not None
    judged = judge(current, began, case.policy, case.now, start_failed=start_failed)
    if judged.verdict is Verdict.PROVEN:
        if taken := case.seen.taken(case.name, current.made_of):
            return WorkloadPlan(why=f"a container or pod that is not ours is named {taken}")
        return _conclude(case, current, recorded)
    if judged.verdict is Verdict.FAILED and judged.problem:
        return _give_up(case, current, judged, judged.problem, recorded)
    return WorkloadPlan(why="verifying", wake_at=judged.wake_at)


def _give_up(
    case: Case, current: Current, judged: Judgement, problem: Problem, recorded: bool
) -> WorkloadPlan:
    """Roll back; where there is nothing to go back to, note it and let systemd go on trying."""
    if current.fallback:
        return _roll_back(case, current, judged)
    actions: list[Action] = []
    if recorded:
        actions.append(EndRollout(current.revision, "failed", problem, judged.container))
    known = {id for _, id in current.ids}
    actions += removals(c for c in case.others(known) if not c.running)
    if actions:
        return WorkloadPlan(tuple(actions), why=problem.message)
    # It may yet prove itself.
    active = [part.unit.active_since for part in current.parts if part.unit.active]
    wake = max(active) + case.policy.soak if len(active) == len(current.parts) else None
    return WorkloadPlan(why=problem.message, wake_at=wake)


def _conclude(case: Case, current: Current, recorded: bool) -> WorkloadPlan:
    """The deployment is proven: it takes the plain names; all but the previous one go."""
    actions: list[Action] = removals(case.others(current.kept))
    actions += _take_plain_names(case, current)
    if recorded:
        actions.append(EndRollout(current.revision, "stable"))
    return WorkloadPlan(tuple(actions), why=f"{current.revision[:SHORT]} has proved itself")


def _take_plain_names(case: Case, current: Current) -> list[Action]:
    """Give the serving containers their plain names; the previous ones make way for them."""
    actions: list[Action] = []
    for part in current.parts:
        plain = plain_name(case.name, part.name)
        if part.container is None or part.container.name == plain:
            continue
        kept = (c for c in case.seen.containers if c.id in current.kept)
        holder = next((c for c in kept if c.name == plain), None)
        if holder and holder.revision == part.container.revision:
            # Another make of the same revision: nothing that one could go back to.
            actions += removals([holder])
        elif holder:
            aside = candidate_name(case.name, holder.container, holder.revision)
            actions.append(RenameContainer(holder.id, aside))
        actions.append(RenameContainer(part.id, plain))
    return actions


def _tidy(case: Case, current: Current) -> WorkloadPlan:
    """A proven deployment: its names, litter, and a rollout whose end was never noted."""
    wanted = case.wanted.digest if case.wanted else ""
    waiting = "" if case.bad(wanted) or wanted == current.revision else wanted
    actions: list[Action] = removals(_litter(case, current, waiting))
    renamed = [c for c in current.containers if c.name != plain_name(case.name, c.container)]
    if renamed and not case.seen.taken(case.name, current.made_of):
        actions.append(Note("drift", f"its container was renamed to {renamed[0].name}"))
        actions += _take_plain_names(case, current)
    if end := _unrecorded_end(case, current, waiting):
        actions.append(end)
    wakes = [case.retry_at(current.revision)]
    for part in current.parts:
        if part.unit.restarts and part.unit.active:
            steady_at = part.unit.active_since + STEADY
            if case.now >= steady_at:
                actions.append(ResetUnit(unit_part(part.name)))
            else:
                wakes.append(steady_at)
    idle, look_at = stop_idle(case, current)
    wake_at = min((wake for wake in (*wakes, look_at) if wake), default=None)
    if idle and not actions:
        return WorkloadPlan(tuple(idle), why="nobody uses it any more", wake_at=wake_at)
    return WorkloadPlan(tuple(actions), why=_why(actions) if actions else "", wake_at=wake_at)


def _litter(case: Case, current: Current, waiting: str) -> list[Container]:
    """What belongs to no deployment, but for what is prepared for the revision that waits."""
    prepared = {
        (part.name, part.digest) for part in (case.wanted.parts if case.wanted and waiting else ())
    }
    return [
        c
        for c in case.others(current.kept)
        if (c.container, c.revision) not in prepared or c.name == plain_name(case.name, c.container)
    ]


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
