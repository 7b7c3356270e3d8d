"""A deployment that has yet to prove itself: judged, concluded, or undone."""

from workloadd.core.actions import (
    Action,
    EndRollout,
    RenameContainer,
    WorkloadPlan,
)
from workloadd.core.back import roll_back
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.errors import Problem
from workloadd.core.forward import removals
from workloadd.core.names import SHORT, candidate_name, plain_name
from workloadd.core.rollout import Judgement, Verdict, judge


def verify(case: Case, current: Current) -> WorkloadPlan:
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
        return roll_back(case, current, judged)
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
    actions += take_plain_names(case, current)
    if recorded:
        actions.append(EndRollout(current.revision, "stable"))
    return WorkloadPlan(tuple(actions), why=f"{current.revision[:SHORT]} has proved itself")


def take_plain_names(case: Case, current: Current) -> list[Action]:
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
