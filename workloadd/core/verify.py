"""How the verification of a deployment ends: it is concluded, or given up."""

from workloadd.core.actions import (
    Action,
    EndRollout,
    RenameContainer,
    WorkloadPlan,
)
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.errors import Problem
from workloadd.core.forward import removals
from workloadd.core.names import SHORT, candidate_name, plain_name
from workloadd.core.rollout import Judgement
from workloadd.core.rollout_stage import recorded

_UNKNOWN = Problem("Failed", "cannot keep the deployment: it failed")


def give_up(case: Case, current: Current, judged: Judgement) -> WorkloadPlan:
    """There is nothing to go back to, or the file says not to: note it, systemd goes on trying."""
    problem = judged.problem or _UNKNOWN
    actions: list[Action] = []
    if recorded(case, current):
        actions.append(EndRollout(current.revision, "failed", problem, judged.container))
    elif end := unrecorded_end(case, current, case.wanted.digest if case.wanted else ""):
        actions.append(end)
    actions += removals(c for c in case.others(current.kept) if not c.running)
    if actions:
        return WorkloadPlan(tuple(actions), why=problem.message)
    # It may yet prove itself.
    active = [part.unit.active_since for part in current.parts if part.unit.active]
    wake = max(active) + case.policy.soak if len(active) == len(current.parts) else None
    return WorkloadPlan(why=problem.message, wake_at=wake)


def conclude(case: Case, current: Current) -> WorkloadPlan:
    """The deployment is proven: it takes the plain names; all go but those behind it."""
    if taken := case.seen.taken(case.name, current.made_of):
        return WorkloadPlan(why=f"a container or pod that is not ours is named {taken}")
    actions: list[Action] = removals(case.others(current.kept))
    actions += take_plain_names(case, current)
    if recorded(case, current):
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


def unrecorded_end(case: Case, current: Current, waiting: str) -> EndRollout | None:
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
