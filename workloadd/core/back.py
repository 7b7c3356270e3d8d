"""Going back to the previous deployment: the new one failed, or is gone."""

from collections.abc import Iterable

from workloadd.core.actions import (
    Action,
    BeginRollout,
    ClearHand,
    EndRollout,
    MarkBad,
    Note,
    WorkloadPlan,
    WriteUnits,
)
from workloadd.core.case import Case
from workloadd.core.deployment import Current, Older, newest
from workloadd.core.errors import Problem
from workloadd.core.forward import removals, take_over
from workloadd.core.names import SHORT
from workloadd.core.observed import Container, Ids, UnitRecord
from workloadd.core.on_demand import release_sockets
from workloadd.core.revision import UnitParams
from workloadd.core.rollout import Judgement


def fall_back(case: Case, current: Current) -> WorkloadPlan:
    """A container is gone and there is no revision to make it anew from."""
    if not current.behind:
        return WorkloadPlan(why="its container is gone, and there is none to go back to")
    note = Note("drift", "its container was removed; back to the previous deployment")
    actions = _switch_back(case, current, current.behind[0], proven=False)
    return WorkloadPlan((note, *actions), why=note.message)


def roll_back(case: Case, current: Current, judged: Judgement) -> WorkloadPlan:
    """The new deployment failed: remember that first, then let the previous one serve again."""
    problem = judged.problem or Problem("RolledBack", "it was rolled back before")
    mark: list[Action] = []
    if not case.bad(current.revision):
        mark.append(MarkBad(current.revision, problem))
    hold = case.hand("hold")
    if hold and hold.revision == current.revision:
        # Before the switch: else the next daemon would go back to what failed.
        mark += [Note("by-hand", f"it failed, and is no longer held at {hold.where}")]
        mark += [ClearHand(hold)]
    before = {c.id for one in current.behind for c in one.containers}
    failed = [c for c in current.containers if c.id not in before]
    actions = (
        *mark,
        *_switch_back(case, current, current.behind[0], proven=False),
        EndRollout(current.revision, "rolled-back", problem, failing(judged, failed)),
        *removals(failed),
    )
    revision = current.behind[0].revision
    return WorkloadPlan(actions, why=f"roll back to {revision[:SHORT]}: {problem.message}")


def failing(judged: Judgement, failed: Iterable[Container]) -> str:
    """The container whose last words are to be kept."""
    return judged.container or next((c.id for c in failed), "")


def go_back(case: Case, current: Current, to: Older, cause: str) -> WorkloadPlan:
    """Let an older deployment serve again although none failed, and prove itself like any other;
    the one that served is kept behind it."""
    revision = to.revision
    begin: list[Action] = []
    if case.rollout is None or case.rollout.revision != revision:
        begin.append(BeginRollout(revision, current.revision, cause))
    actions = (*begin, *_switch_back(case, current, to, proven=True))
    return WorkloadPlan(actions, why=f"roll back to {revision[:SHORT]}: {cause}")


def _switch_back(case: Case, current: Current, to: Older, *, proven: bool) -> tuple[Action, ...]:
    """Commit to an older deployment; what serves is kept behind it where it is `proven`."""
    params = case.seen.params(to.ids)
    behind = current.behind_next(to.revision, case.policy.keep, proven=proven)
    record = UnitRecord(
        case.name,
        to.revision,
        to.ids,
        behind[0] if behind else _unrecorded(case, current),
        source=case.declared.path,
        description=description_of(case),
        reclaim=reclaim_of(params.values()),
        older=behind[1:],
    )
    return (
        *release_sockets(case.seen, current, params),
        WriteUnits(record, params),
        *take_over(case, to.ids, params),
    )


def _unrecorded(case: Case, current: Current) -> Ids:
    """What is left of a deployment that no record tells of: of pods nothing is kept."""
    if len(current.previous) > 1:
        return ()
    older = newest(c for c in case.others(current.kept) if c.started_at > 0 and not c.pod)
    return ((older.container, older.id),) if older else ()


def record_of(case: Case, current: Current) -> UnitRecord:
    """The commit record of the current deployment; made anew where its unit was deleted."""
    return case.record or UnitRecord(
        case.name,
        current.revision,
        current.ids,
        current.previous,
        source=case.declared.path,
        description=description_of(case),
        reclaim=reclaim_of(case.seen.params(current.ids).values()),
        older=tuple(one.ids for one in current.older),
    )


def description_of(case: Case) -> str:
    """The file's line for people; while the file is wrong, the one that the unit has."""
    if case.declared.spec:
        return case.declared.spec.description
    return case.record.description if case.record else ""


def reclaim_of(params: Iterable[UnitParams]) -> tuple[str, ...]:
    return tuple(sorted({volume for one in params for volume in one.reclaim}))
