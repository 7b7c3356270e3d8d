"""Which stage of a rollout a workload is in, and what has happened: read off the host."""

from dataclasses import dataclass

from workloadd.core.actions import Action
from workloadd.core.beside import can_start_first
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.liveness import restart_ill
from workloadd.core.repair import repair_activity, repair_units
from workloadd.core.revision import Revision
from workloadd.core.rollout import NOT_JUDGED, Judgement, Verdict, judge
from workloadd.core.rollout_table import Event, Stage

_WITH_A_WAY_BACK = (Stage.TRIAL, Stage.VERIFYING)


@dataclass(frozen=True, slots=True)
class Found:
    """A stage and an event, and what was found out on the way to them.

    `repairs` are the actions that put the units right, `judged` the judgement of a deployment that
    has yet to prove itself.
    """

    stage: Stage
    event: Event
    repairs: tuple[Action, ...] = ()
    judged: Judgement = NOT_JUDGED


# By the reason of a judgement's problem; any other is a failure of a unit.
_EVENTS = {
    "RestartLoop": Event.RESTART_LOOP,
    "ProbeFailed": Event.PROBE_FAILED,
    "OOMKilled": Event.OOM_KILLED,
    "DeadlineExceeded": Event.LATE,
}


def find(case: Case, due: Revision | None) -> Found:
    """Where the workload is; `due` is the revision that is to be rolled out now, if one is."""
    stage = stage_of(case)
    current = case.current
    if due is not None:
        beside = can_start_first(case, due)
        return Found(stage, Event.WANTED_BESIDE if beside else Event.WANTED)
    if current is None:
        return Found(stage, Event.CALM)
    if current.trial and _overtaken(case, current.trial):
        return Found(stage, Event.WANTED)
    if not current.complete and (current.behind or current.container is None):
        return Found(stage, Event.GONE)
    judged_one = current.trial or current
    if bad := case.bad(judged_one.revision) if stage in _WITH_A_WAY_BACK else None:
        judged = Judgement(Verdict.FAILED, bad.problem)
        return Found(stage, Event.CONDEMNED, judged=judged)
    repairs = (*repair_units(case, current), *repair_activity(case, current))
    if not repairs and stage in (Stage.STABLE, Stage.GIVEN_UP):
        # While it has to prove itself, what is not alive has failed.
        repairs = tuple(restart_ill(case, current))
    if repairs:
        return Found(stage, Event.DRIFT, repairs)
    if not judged_one.unproven:
        return Found(stage, Event.CALM)
    judged = _judge(case, judged_one)
    return Found(stage, _event_of(judged), judged=judged)


def stage_of(case: Case) -> Stage:
    """The stage that a workload is in."""
    current = case.current
    if current is None:
        return Stage.EMPTY
    if current.trial:
        return Stage.TRIAL
    if not current.unproven:
        return Stage.STABLE
    if current.behind and case.policy.rollback:
        return Stage.VERIFYING
    return Stage.ALONE if recorded(case, current) else Stage.GIVEN_UP


def _overtaken(case: Case, trial: Current) -> bool:
    """Whether what is on trial is no longer what is wanted, or lost its container."""
    wanted = case.wanted.digest if case.wanted else trial.revision
    return not trial.complete or trial.revision != wanted


def recorded(case: Case, current: Current) -> bool:
    """Whether the history knows the rollout of a deployment, and not yet its end."""
    return case.rollout is not None and case.rollout.revision == current.revision


def _judge(case: Case, current: Current) -> Judgement:
    if case.holding.lacking and not current.parts[0].unit.active:
        return NOT_JUDGED
    # What was stopped for a reboot has its time anew.
    boot = max(case.boot, case.memory.lock.at if case.memory.lock.undone else 0.0)
    began = max(*(c.created_at for c in current.containers), boot)
    if case.rollout and recorded(case, current):
        began = max(case.rollout.committed_at or case.rollout.started_at, boot)
    # Its time begins when nothing else keeps it from starting.
    started = case.hand("start")
    by_hand = started.at if started else 0.0
    began = max(began, case.waiting.since, case.holding.since, by_hand)
    start_failed = case.attempt(current.revision) is not None
    return judge(
        current,
        began,
        case.policy,
        case.now,
        start_failed=start_failed,
        health=case.memory.health,
    )


def _event_of(judged: Judgement) -> Event:
    if judged.verdict is Verdict.PROVEN:
        return Event.PROVED
    if judged.verdict is Verdict.WAITING or judged.problem is None:
        return Event.UNDECIDED
    return _EVENTS.get(judged.problem.reason, Event.UNIT_FAILED)
