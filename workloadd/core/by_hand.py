"""by_hand(): what people asked for, where that decides what is done for a workload now.

What was asked for is looked at anew in each pass, like everything else: so it holds over the death
of the daemon and over reboots, and asking twice is the same as asking once.
"""

from collections.abc import Mapping
from dataclasses import replace

from workloadd.core.actions import (
    Action,
    ClearHand,
    EndRollout,
    Note,
    RestartUnit,
    StartSockets,
    StartUnit,
    StopTimer,
    StopUnit,
    WorkloadPlan,
    WriteUnits,
)
from workloadd.core.back import go_back
from workloadd.core.beside import discard
from workloadd.core.case import Case
from workloadd.core.deployment import Current, Older
from workloadd.core.errors import Problem
from workloadd.core.hands import Hand
from workloadd.core.job import carry_on, is_job
from workloadd.core.job_runs import note_runs
from workloadd.core.observed import Seen
from workloadd.core.on_demand import stop_sockets
from workloadd.core.revision import Revision, spec_key
from workloadd.core.rollout import NOT_JUDGED, began_since


def by_hand(case: Case) -> WorkloadPlan | None:
    """The plan that follows from what people asked for; None where nothing does."""
    if stop := case.hand("stop"):
        return _stopped(case, stop)
    disabled = case.declared.spec is not None and not case.declared.spec.enabled
    restart = case.hand("restart")
    if restart and not disabled and (planned := _restarted(case, restart)):
        return planned
    if pause := case.hand("pause"):
        return _paused(case, pause)
    hold = case.hand("hold")
    return _held(case, hold) if hold and not disabled else None


def due_by_hand(case: Case, due: Revision | None) -> Revision | None:
    """The revision to roll out; of a workload that is held, only the one it is held at."""
    hold = case.hand("hold")
    return due if hold is None or (due and due.digest == hold.revision) else None


def at_rest(seen: Seen, note: Note | None = None) -> list[Action]:
    """Keep a workload's deployment, stopped and not started at boot."""
    actions: list[Action] = []
    record = seen.file.record if seen.file else None
    if seen.file and record and (seen.file.enabled or not record.disabled):
        params = seen.params(record.containers)
        actions.append(WriteUnits(replace(record, disabled=True), params, enabled=False))
        actions += [note] if note else []
    if seen.timer.active:
        actions.append(StopTimer())
    actions += stop_sockets(seen)
    if seen.unit.active_state in ("active", "activating", "reloading"):
        actions.append(StopUnit())
    return actions


def _stopped(case: Case, stop: Hand) -> WorkloadPlan:
    if case.current and case.current.trial:
        return discard(case, case.current, case.current.trial, NOT_JUDGED)
    if is_job(case) and (noted := note_runs(case)):
        return WorkloadPlan(tuple(noted), why="note what became of a run")
    return WorkloadPlan(tuple(at_rest(case.seen)), why=f"stopped {stop.words}")


def _restarted(case: Case, restart: Hand) -> WorkloadPlan | None:
    """Restart once: what has been started since it was asked for is done."""
    current, unit = case.current, case.seen.unit
    done = (Note("by-hand", f"restarted {restart.words}"), ClearHand(restart))
    why = f"restart {restart.words}"
    if current is None or is_job(case) or current.asleep:
        return WorkloadPlan((ClearHand(restart),), why=f"nothing runs to {why}")
    if any(part.starting or part.unit.active_state == "deactivating" for part in current.parts):
        return WorkloadPlan(why=why)
    if unit.active and unit.active_since >= restart.at:
        return WorkloadPlan(done, why=why)
    if unit.job or unit.active_state == "deactivating":
        return WorkloadPlan(why=why)
    return WorkloadPlan((RestartUnit(), *done), why=why)


def _paused(case: Case, pause: Hand) -> WorkloadPlan:
    """Leave it alone; but what the host took down with it comes up again."""
    actions = carry_on(case) if is_job(case) else _after_a_boot(case)
    return WorkloadPlan(tuple(actions), why=f"paused {pause.words}")


def _after_a_boot(case: Case) -> list[Action]:
    """Start what has not been started in this boot."""
    current, record = case.current, case.record
    if current is None or not current.complete or (record and record.disabled):
        return []
    down = tuple(unit for unit, state in current.sockets if not (state.active or state.job))
    whole = current.parts[0]
    idle = whole.unit.active_state == "inactive" and not whole.unit.job
    ran = any(began_since(c, case.boot) for c in current.containers)
    if ran or not idle or case.holding.lacking:
        return []
    if current.sockets:
        return [StartSockets(down)] if down else []
    return [StartUnit()]


def _held(case: Case, hold: Hand) -> WorkloadPlan | None:
    """Go to the revision that it is held at, and stay there until its file changes."""
    spec, current = case.declared.spec, case.current
    if spec and spec_key(spec) != hold.spec_key:
        return _release(hold, f"its file changed: it is no longer held at {hold.where}")
    if current and current.trial and current.trial.revision != hold.revision:
        return discard(case, current, current.trial, NOT_JUDGED)
    if current and current.revision == hold.revision and current.complete:
        return None
    if current and (to := next((d for d in current.behind if d.revision == hold.revision), None)):
        return _go_back(case, current, to, hold)
    if case.wanted and case.wanted.digest == hold.revision:
        return None
    return _release(hold, f"it cannot be held at {hold.where}: a container of that is gone")


def _release(hold: Hand, why: str) -> WorkloadPlan:
    return WorkloadPlan((Note("by-hand", why), ClearHand(hold)), why=why)


def _go_back(case: Case, current: Current, to: Older, hold: Hand) -> WorkloadPlan:
    if case.rollout and case.rollout.revision == current.revision:
        problem = Problem("ByHand", f"it was rolled back {hold.words}")
        end = EndRollout(current.revision, "rolled-back", problem)
        return WorkloadPlan((end,), why=problem.message)
    return go_back(case, current, to, f"by hand: rolled back {hold.words}")


def forget_all(hands: Mapping[str, Hand]) -> list[Action]:
    """What was asked for of a workload that goes: another one of its name starts afresh."""
    return [ClearHand(hand) for hand in hands.values()]
