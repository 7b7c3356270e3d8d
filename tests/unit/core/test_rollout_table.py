"""The rollout's table: every stage, every event, and that the planner goes by it."""

import pytest
from hypothesis import assume, given

from tests.unit.core.sim import BOOT, POLICY, Host, declared
from tests.unit.core.test_plan_properties import IMAGES, WANTED, hosts
from workloadd.core.case import Case
from workloadd.core.deployment import current_deployment
from workloadd.core.desired import Declared
from workloadd.core.resolve import resolve
from workloadd.core.rollout import Policy
from workloadd.core.rollout_stage import Found, find
from workloadd.core.rollout_table import FAILURES, TABLE, Event, Move, Stage, Step

CELLS = [(stage, event) for stage in Stage for event in Event]

E, S, M = Event, Stage, Move
# What the table has to say, written down a second time and the other way round: by event.
EXPECTED: dict[Event, dict[Stage, tuple[Move, Stage]]] = {
    E.WANTED: {
        S.EMPTY: (M.ROLL_FORWARD, S.ALONE),
        S.STABLE: (M.ROLL_FORWARD, S.VERIFYING),
        S.TRIAL: (M.DISCARD, S.STABLE),
        S.VERIFYING: (M.ROLL_FORWARD, S.VERIFYING),
        S.ALONE: (M.ROLL_FORWARD, S.ALONE),
        S.GIVEN_UP: (M.ROLL_FORWARD, S.ALONE),
    },
    E.WANTED_BESIDE: {
        S.EMPTY: (M.ROLL_FORWARD, S.ALONE),
        S.STABLE: (M.TRY, S.TRIAL),
        S.TRIAL: (M.DISCARD, S.STABLE),
        S.VERIFYING: (M.ROLL_FORWARD, S.VERIFYING),
        S.ALONE: (M.ROLL_FORWARD, S.ALONE),
        S.GIVEN_UP: (M.ROLL_FORWARD, S.ALONE),
    },
    E.GONE: {
        S.EMPTY: (M.WAIT, S.EMPTY),
        S.STABLE: (M.FALL_BACK, S.GIVEN_UP),
        S.TRIAL: (M.SWITCH, S.ALONE),
        S.VERIFYING: (M.FALL_BACK, S.STABLE),
        S.ALONE: (M.FALL_BACK, S.EMPTY),
        S.GIVEN_UP: (M.FALL_BACK, S.EMPTY),
    },
    E.CONDEMNED: {
        S.EMPTY: (M.WAIT, S.EMPTY),
        S.STABLE: (M.TIDY, S.STABLE),
        S.TRIAL: (M.DISCARD, S.STABLE),
        S.VERIFYING: (M.ROLL_BACK, S.STABLE),
        S.ALONE: (M.WAIT, S.ALONE),
        S.GIVEN_UP: (M.WAIT, S.GIVEN_UP),
    },
    E.DRIFT: {
        S.EMPTY: (M.WAIT, S.EMPTY),
        S.STABLE: (M.REPAIR, S.STABLE),
        S.TRIAL: (M.REPAIR, S.TRIAL),
        S.VERIFYING: (M.REPAIR, S.VERIFYING),
        S.ALONE: (M.REPAIR, S.ALONE),
        S.GIVEN_UP: (M.REPAIR, S.GIVEN_UP),
    },
    **{
        failure: {
            S.EMPTY: (M.WAIT, S.EMPTY),
            S.STABLE: (M.TIDY, S.STABLE),
            S.TRIAL: (M.DISCARD, S.STABLE),
            S.VERIFYING: (M.ROLL_BACK, S.STABLE),
            S.ALONE: (M.GIVE_UP, S.GIVEN_UP),
            S.GIVEN_UP: (M.GIVE_UP, S.GIVEN_UP),
        }
        for failure in (E.UNIT_FAILED, E.RESTART_LOOP, E.PROBE_FAILED, E.OOM_KILLED, E.LATE)
    },
    E.PROVED: {
        S.EMPTY: (M.WAIT, S.EMPTY),
        S.STABLE: (M.TIDY, S.STABLE),
        S.TRIAL: (M.SWITCH, S.VERIFYING),
        S.VERIFYING: (M.CONCLUDE, S.STABLE),
        S.ALONE: (M.CONCLUDE, S.STABLE),
        S.GIVEN_UP: (M.CONCLUDE, S.STABLE),
    },
    **{
        quiet: {
            S.EMPTY: (M.WAIT, S.EMPTY),
            S.STABLE: (M.TIDY, S.STABLE),
            S.TRIAL: (M.WAIT, S.TRIAL),
            S.VERIFYING: (M.WAIT, S.VERIFYING),
            S.ALONE: (M.WAIT, S.ALONE),
            S.GIVEN_UP: (M.WAIT, S.GIVEN_UP),
        }
        for quiet in (E.UNDECIDED, E.CALM)
    },
}


@pytest.mark.parametrize(("stage", "event"), CELLS)
def test_every_event_in_every_stage(stage: Stage, event: Event) -> None:
    step = TABLE[stage][event]
    assert (step.move, step.to) == EXPECTED[event][stage]


@pytest.mark.parametrize(("stage", "event"), CELLS)
def test_what_has_proved_itself_is_only_ever_left_for_what_is_asked_or_gone(
    stage: Stage, event: Event
) -> None:
    if stage is Stage.STABLE and TABLE[stage][event].to is not Stage.STABLE:
        assert event in (Event.WANTED, Event.WANTED_BESIDE, Event.GONE)


@pytest.mark.parametrize("stage", Stage)
def test_a_failure_goes_back_wherever_there_is_a_way_back(stage: Stage) -> None:
    moves = {TABLE[stage][failure].move for failure in FAILURES}
    assert (moves == {Move.ROLL_BACK}) == (stage is Stage.VERIFYING)
    assert (moves == {Move.DISCARD}) == (stage is Stage.TRIAL)


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_leads_to_a_stable_one(stage: Stage) -> None:
    reached, edge = {stage}, [stage]
    while edge:
        for step in TABLE[edge.pop()].values():
            if step.to not in reached:
                reached.add(step.to)
                edge.append(step.to)
    assert Stage.STABLE in reached


@pytest.mark.parametrize("move", Move)
def test_every_move_is_made_somewhere(move: Move) -> None:
    assert any(step.move is move for row in TABLE.values() for step in row.values())


def look(host: Host, file: Declared, policy: Policy = POLICY) -> tuple[Case, Found]:
    """The case as the planner has it, and what it finds."""
    resolution = resolve(file, host.observed(), host.memory(), host.now)
    revision = resolution.revision
    assert revision
    current = current_deployment("web", host.seen())
    case = Case(
        declared=file,
        seen=host.seen(),
        current=current,
        wanted=revision,
        memory=host.memory(),
        policy=policy.of(file.spec),
        boot=BOOT,
        now=host.now,
    )
    deployed = current and current.revision == revision.digest and current.complete
    due = None if deployed or case.bad(revision.digest) else revision
    return case, find(case, due)


@given(hosts())
def test_the_planner_goes_by_the_table(host: Host) -> None:
    case, found = look(host, WANTED)
    step = TABLE[found.stage][found.event]
    # What is wanted in place of a container that was removed has nothing behind it.
    whole = case.current is None or case.current.complete
    assume(whole)
    planned = host.plan(WANTED)
    assume(planned.actions)
    host.carry_out(planned.actions)
    _, after = look(host, WANTED)
    assert after.stage in (step.to, *_as_good_as(step, found))


def _as_good_as(step: Step, found: Found) -> tuple[Stage, ...]:
    """Stages that count as the one that a step leads to, on a host that was tampered with.

    A rollout that the history does not know is not waited for; a container of the wanted make
    that was kept as the previous one has its plain name, and so is proven already.
    """
    if step.to is Stage.ALONE:
        return (Stage.GIVEN_UP, Stage.VERIFYING, Stage.STABLE)
    if step.to is Stage.VERIFYING:
        return (Stage.ALONE, Stage.GIVEN_UP, Stage.STABLE)
    if step.move in (Move.ROLL_BACK, Move.FALL_BACK, Move.REPAIR):
        return (Stage.GIVEN_UP, Stage.VERIFYING, Stage.STABLE)
    return ()


def committed(file: Declared) -> Host:
    """A host on which an update was just committed and crashes."""
    host = Host(images=dict(IMAGES))
    host.settle(WANTED)
    planned = host.plan(file)
    host.crashing.add(planned.revision)
    host.carry_out(planned.actions)
    return host


def test_with_rollback_false_the_new_one_stays_and_the_old_one_is_kept() -> None:
    text = "image: localhost:5000/nginx:1\nuser: nobody\nupdate: {rollback: false, soak: 2s}\n"
    file = declared("web", text)
    host = committed(file)
    old = {c.id for c in host.containers.values() if c.name == "web"}
    _, found = look(host, file)
    assert found.stage is Stage.ALONE
    assert found.event is Event.RESTART_LOOP
    for _ in range(5):
        host.carry_out(host.plan(file).actions)
    assert not host.bad
    assert host.last["web"].outcome == "failed"
    assert old < host.containers.keys()
    assert host.file and host.file.record and host.file.record.containers[0][1] not in old


def test_a_file_says_how_long_it_has_to_prove_itself() -> None:
    file = declared("web", "image: localhost:5000/nginx:1\nupdate: {soak: 30s, deadline: 5m}\n")
    policy = POLICY.of(file.spec)
    assert (policy.soak, policy.deadline, policy.restarts) == (30.0, 300.0, POLICY.restarts)
    assert POLICY.of(None) is POLICY
    assert POLICY.of(WANTED.spec) == POLICY
