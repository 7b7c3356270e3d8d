"""Start first: the next deployment proves itself beside the current one, in the other slot."""

from dataclasses import replace

from workloadd.core.actions import (
    Action,
    DaemonReload,
    EndRollout,
    MarkBad,
    StartUnit,
    StopUnit,
    WorkloadPlan,
    WriteUnits,
)
from workloadd.core.back import description_of, failing, reclaim_of, record_of
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.errors import Problem
from workloadd.core.forward import cause_of, prepare, removals
from workloadd.core.names import SHORT, SLOTS, unit_part
from workloadd.core.observed import UnitRecord
from workloadd.core.on_demand import all_sockets
from workloadd.core.revision import Revision
from workloadd.core.rollout import Judgement

_OVERTAKEN = Problem("Superseded", "the file changed before the rollout was committed")


def can_start_first(case: Case, revision: Revision) -> bool:
    """Whether a revision can be tried beside the current deployment, which serves.

    systemd opens sockets for a workload only where nothing of it runs: what listens elsewhere than
    now is rolled out the other way.
    """
    current = case.current
    if not case.policy.start_first or revision.is_pod or current is None or not current.slot:
        return False
    if case.record is None or case.record.disabled or current.unproven:
        return False
    if not all(part.up for part in current.parts):
        return False
    before = (c.params for c in current.containers if c.params)
    return all_sockets(before) == all_sockets(part.params for part in revision.parts)


def try_beside(case: Case, current: Current, revision: Revision) -> WorkloadPlan:
    """Make the next one, and start it in the other slot; what serves is not touched."""
    (part,) = revision.parts
    ready, prepared = prepare(case, revision)
    if case.waiting.lacking:
        return WorkloadPlan(tuple(prepared), why=case.waiting.message)
    slot = _other(current.slot)
    params = {**case.seen.params(current.ids), slot: part.params}
    record = replace(record_of(case, current), trial=((slot, ready.get(part.name, "")),))
    cause = cause_of(revision, current)
    actions = [
        *prepared,
        WriteUnits(record, params),
        DaemonReload(),
        StartUnit(unit_part(slot), reset=True),
    ]
    why = f"try {revision.digest[:SHORT]} beside {current.revision[:SHORT]}: {cause}"
    return WorkloadPlan(tuple(actions), why=why)


def switch(case: Case, current: Current, trial: Current) -> WorkloadPlan:
    """What was tried takes over: it runs already, only the other one has to stop."""
    params = case.seen.params(trial.ids)
    behind = current.behind_next(trial.revision, case.policy.keep, proven=True)
    record = UnitRecord(
        case.name,
        trial.revision,
        trial.ids,
        behind[0] if behind else (),
        source=case.declared.path,
        description=description_of(case),
        reclaim=reclaim_of(params.values()),
        older=behind[1:],
    )
    actions = (
        WriteUnits(record, params),
        # By its old text, which systemd forgets when it finds the file gone.
        StopUnit(unit_part(current.slot)),
        DaemonReload(),
    )
    return WorkloadPlan(actions, why=f"switch to {trial.revision[:SHORT]}, which is up and ready")


def discard(case: Case, current: Current, trial: Current, judged: Judgement) -> WorkloadPlan:
    """End the trial: it failed, or something else is wanted by now. What serves goes on."""
    problem = judged.problem
    mark: list[Action] = []
    if problem and not case.bad(trial.revision):
        mark.append(MarkBad(trial.revision, problem))
    params = case.seen.params(current.ids)
    end: list[Action] = []
    if case.rollout and case.rollout.revision == trial.revision:
        outcome = EndRollout(trial.revision, "failed", _OVERTAKEN)
        if problem:
            container = failing(judged, trial.containers)
            outcome = EndRollout(trial.revision, "rolled-back", problem, container)
        end.append(outcome)
    actions = (
        *mark,
        WriteUnits(replace(record_of(case, current), trial=()), params),
        StopUnit(unit_part(trial.parts[0].name)),
        DaemonReload(),
        *end,
        *removals(trial.containers),
    )
    said = problem.message if problem else _OVERTAKEN.message
    return WorkloadPlan(actions, why=f"end the trial of {trial.revision[:SHORT]}: {said}")


def _other(slot: str) -> str:
    return SLOTS[1] if slot == SLOTS[0] else SLOTS[0]
