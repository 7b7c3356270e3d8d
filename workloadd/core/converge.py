"""What is done for a service in each pass, by the table of the rollout."""

from collections.abc import Callable
from dataclasses import replace

from workloadd.core.actions import (
    Action,
    Note,
    ResetUnit,
    WorkloadPlan,
)
from workloadd.core.back import fall_back, roll_back
from workloadd.core.backoff import STEADY
from workloadd.core.beside import discard, switch, try_beside
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.forward import removals, roll_forward
from workloadd.core.liveness import look_again_at
from workloadd.core.names import plain_name, unit_part
from workloadd.core.observed import Container
from workloadd.core.on_demand import stop_idle
from workloadd.core.revision import Revision
from workloadd.core.rollout_stage import Found, find
from workloadd.core.rollout_table import TABLE, Move
from workloadd.core.verify import conclude, give_up, take_plain_names, unrecorded_end


def converge(case: Case, due: Revision | None) -> WorkloadPlan:
    """The plan for a service; `due` is the revision to roll out now, if there is one."""
    found = find(case, due)
    move = TABLE[found.stage][found.event].move
    if move is Move.ROLL_FORWARD and due:
        return roll_forward(case, due)
    if case.current is None:
        return WorkloadPlan()
    if move is Move.TRY and due:
        return try_beside(case, case.current, due)
    if case.current.trial and move is Move.SWITCH:
        return switch(case, case.current, case.current.trial)
    if case.current.trial and move is Move.DISCARD:
        return discard(case, case.current, case.current.trial, found.judged)
    planned = _MOVES[move](case, case.current, found)
    wakes = [wake for wake in (planned.wake_at, look_again_at(case, case.current)) if wake]
    return replace(planned, wake_at=min(wakes, default=None))


def _repair(case: Case, current: Current, found: Found) -> WorkloadPlan:
    return WorkloadPlan(found.repairs, why=_why([*found.repairs]))


def _wait(case: Case, current: Current, found: Found) -> WorkloadPlan:
    judged = found.judged
    return WorkloadPlan(why="verifying", wake_at=judged.wake_at, proven_at=judged.proven_at)


_MOVES: dict[Move, Callable[[Case, Current, Found], WorkloadPlan]] = {
    Move.ROLL_BACK: lambda case, current, found: roll_back(case, current, found.judged),
    Move.FALL_BACK: lambda case, current, found: fall_back(case, current),
    Move.GIVE_UP: lambda case, current, found: give_up(case, current, found.judged),
    Move.CONCLUDE: lambda case, current, found: conclude(case, current),
    Move.REPAIR: _repair,
    Move.TIDY: lambda case, current, found: _tidy(case, current),
    Move.WAIT: _wait,
}


def _why(actions: list[Action]) -> str:
    notes = [action.message for action in actions if isinstance(action, Note)]
    if actions and all(isinstance(action, ResetUnit) for action in actions):
        return "it is steady again"
    return "; ".join(notes) or "carry on with what was begun"


def _tidy(case: Case, current: Current) -> WorkloadPlan:
    """A proven deployment: its names, litter, and a rollout whose end was never noted."""
    wanted = case.wanted.digest if case.wanted else ""
    waiting = "" if case.bad(wanted) or wanted == current.revision else wanted
    actions: list[Action] = removals(_litter(case, current, waiting))
    renamed = [c for c in current.containers if c.name != plain_name(case.name, c.container)]
    if renamed and not case.seen.taken(case.name, current.made_of):
        actions.append(Note("drift", f"its container was renamed to {renamed[0].name}"))
        actions += take_plain_names(case, current)
    if end := unrecorded_end(case, current, waiting):
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
    # Of what is kept already another make is not needed, and would have its name.
    prepared -= {(c.container, c.revision) for c in case.seen.containers if c.id in current.kept}
    return [
        c
        for c in case.others(current.kept)
        if (c.container, c.revision) not in prepared or c.name == plain_name(case.name, c.container)
    ]
