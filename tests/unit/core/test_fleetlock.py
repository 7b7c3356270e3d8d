"""The lock for reboots: every stage with every event, and whatever comes after whatever."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.fleetlock import (
    NO_LOCK,
    TABLE,
    Client,
    Event,
    Lock,
    Look,
    Move,
    Stage,
    apply,
    asked,
    refusal,
    released,
)

ZINCATI, OTHER = Client("zincati", "default"), Client("other", "default")
DONE = Look((), 2, 2, began=100.0)
HALF = Look((), 1, 2, began=100.0)
BUSY = Look(("a rollout of web has yet to prove itself",), 0, 2)
BOOT = "b1"


def lock(stage: Stage) -> Lock:
    return Lock(stage, ZINCATI if stage is not Stage.FREE else Client("", ""), 100.0, 100.0, BOOT)


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(Stage)
    for stage in Stage:
        assert set(TABLE[stage]) == set(Event), stage


@pytest.mark.parametrize(
    ("stage", "event", "move", "to"),
    [
        (Stage.FREE, Event.ASKED, Move.DRAIN, Stage.DRAINING),
        (Stage.FREE, Event.HINDERED, Move.REFUSE, Stage.FREE),
        # What a pass saw before it knew of the question does not count.
        (Stage.FREE, Event.STOPPED, Move.DRAIN, Stage.DRAINING),
        (Stage.FREE, Event.ASKED_BY_OTHER, Move.DRAIN, Stage.DRAINING),
        (Stage.FREE, Event.RELEASED, Move.NOTHING, Stage.FREE),
        (Stage.FREE, Event.RELEASED_BY_OTHER, Move.NOTHING, Stage.FREE),
        (Stage.FREE, Event.EXPIRED, Move.NOTHING, Stage.FREE),
        (Stage.FREE, Event.BOOTED, Move.NOTHING, Stage.FREE),
        (Stage.DRAINING, Event.ASKED, Move.AWAIT, Stage.DRAINING),
        (Stage.DRAINING, Event.HINDERED, Move.ABANDON, Stage.FREE),
        (Stage.DRAINING, Event.STOPPED, Move.GRANT, Stage.GRANTED),
        (Stage.DRAINING, Event.ASKED_BY_OTHER, Move.REFUSE, Stage.DRAINING),
        (Stage.DRAINING, Event.RELEASED, Move.UNDO, Stage.FREE),
        (Stage.DRAINING, Event.RELEASED_BY_OTHER, Move.NOTHING, Stage.DRAINING),
        (Stage.DRAINING, Event.EXPIRED, Move.UNDO, Stage.FREE),
        (Stage.DRAINING, Event.BOOTED, Move.RESUME, Stage.REBOOTED),
        (Stage.GRANTED, Event.ASKED, Move.GRANT, Stage.GRANTED),
        (Stage.GRANTED, Event.HINDERED, Move.GRANT, Stage.GRANTED),
        (Stage.GRANTED, Event.STOPPED, Move.GRANT, Stage.GRANTED),
        (Stage.GRANTED, Event.ASKED_BY_OTHER, Move.REFUSE, Stage.GRANTED),
        (Stage.GRANTED, Event.RELEASED, Move.UNDO, Stage.FREE),
        (Stage.GRANTED, Event.RELEASED_BY_OTHER, Move.NOTHING, Stage.GRANTED),
        (Stage.GRANTED, Event.EXPIRED, Move.UNDO, Stage.FREE),
        (Stage.GRANTED, Event.BOOTED, Move.RESUME, Stage.REBOOTED),
        (Stage.REBOOTED, Event.ASKED, Move.DRAIN, Stage.DRAINING),
        (Stage.REBOOTED, Event.HINDERED, Move.REFUSE, Stage.REBOOTED),
        (Stage.REBOOTED, Event.STOPPED, Move.DRAIN, Stage.DRAINING),
        (Stage.REBOOTED, Event.ASKED_BY_OTHER, Move.REFUSE, Stage.REBOOTED),
        (Stage.REBOOTED, Event.RELEASED, Move.FREE, Stage.FREE),
        (Stage.REBOOTED, Event.RELEASED_BY_OTHER, Move.NOTHING, Stage.REBOOTED),
        (Stage.REBOOTED, Event.EXPIRED, Move.FREE, Stage.FREE),
        (Stage.REBOOTED, Event.BOOTED, Move.RESUME, Stage.REBOOTED),
    ],
)
def test_every_stage_and_event(stage: Stage, event: Event, move: Move, to: Stage) -> None:
    step = TABLE[stage][event]
    assert (step.move, step.to) == (move, to)
    after = apply(lock(stage), event, 200.0, BOOT, ZINCATI)
    assert after.stage is to
    if move in (Move.REFUSE, Move.NOTHING):
        assert after == lock(stage)


def test_every_row_is_tried() -> None:
    cases = test_every_stage_and_event.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {case[:2] for case in cases} == set(itertools.product(Stage, Event))


def test_who_asks_and_what_was_seen_make_the_event() -> None:
    free, draining, granted = lock(Stage.FREE), lock(Stage.DRAINING), lock(Stage.GRANTED)
    assert asked(free, OTHER, None) is Event.HINDERED
    assert asked(free, OTHER, BUSY) is Event.HINDERED
    assert asked(free, OTHER, HALF) is Event.ASKED
    assert asked(draining, OTHER, DONE) is Event.ASKED_BY_OTHER
    assert asked(draining, ZINCATI, DONE) is Event.STOPPED
    assert asked(draining, ZINCATI, HALF) is Event.ASKED
    assert asked(draining, ZINCATI, None) is Event.ASKED, "a daemon that has just started"
    assert asked(granted, ZINCATI, None) is Event.ASKED
    # Seen by a pass that did not know of the drain: it may have begun something.
    assert asked(draining, ZINCATI, Look((), 2, 2)) is Event.ASKED
    assert asked(draining, ZINCATI, Look((), 0, 0, began=100.0)) is Event.STOPPED
    assert released(draining, ZINCATI) is Event.RELEASED
    assert released(draining, OTHER) is Event.RELEASED_BY_OTHER


def test_a_refusal_says_why() -> None:
    draining = lock(Stage.DRAINING)
    held = refusal(draining, Event.ASKED_BY_OTHER, DONE)
    assert (held.reason, "zincati holds" in held.message) == ("FailedLockHeld", True)
    busy = refusal(NO_LOCK, Event.HINDERED, BUSY)
    assert (busy.reason, "rollout of web" in busy.message) == ("FailedLockBusy", True)
    assert refusal(NO_LOCK, Event.HINDERED, None).reason == "FailedLockNotReady"
    going = refusal(draining, Event.ASKED, HALF)
    assert str(going) == "draining: 1 of 2 workloads are stopped (ask again)"
    assert "are being stopped" in refusal(draining, Event.ASKED, BUSY).message
    assert refusal(draining, Event.ASKED, None).reason == "FailedLockDraining"


def test_the_reboot_is_told_from_a_restart_of_the_daemon() -> None:
    after = apply(lock(Stage.GRANTED), Event.BOOTED, 300.0, "b2")
    assert (after.stage, after.boot, after.at, after.drains) == (Stage.REBOOTED, "b2", 300.0, False)
    assert apply(after, Event.BOOTED, 400.0, "b2") == after
    assert apply(after, Event.BOOTED, 400.0, "b3").at == 400.0


def test_what_a_drain_stopped_in_vain_is_known() -> None:
    undone = apply(lock(Stage.GRANTED), Event.EXPIRED, 700.0, BOOT)
    assert undone.undone == "the host was not rebooted in time"
    assert [undone.stopped(at) for at in (50.0, 100.0, 300.0, 700.0, 800.0)] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert not lock(Stage.GRANTED).stopped(150.0)
    assert not apply(undone, Event.ASKED, 800.0, BOOT, ZINCATI).undone


@given(
    st.lists(
        st.tuples(st.sampled_from(Event), st.sampled_from([ZINCATI, OTHER]), st.sampled_from("ab")),
        max_size=30,
    )
)
def test_whatever_happens(events: list[tuple[Event, Client, str]]) -> None:
    """Only who holds it lets it go, a grant is only after a drain, and it always ends."""
    now, one = 1_000.0, NO_LOCK
    for event, client, boot in events:
        now += 1
        if event in (Event.RELEASED, Event.RELEASED_BY_OTHER):
            event = released(one, client)
        elif event in (Event.ASKED, Event.STOPPED, Event.HINDERED, Event.ASKED_BY_OTHER):
            held = one.stage is not Stage.FREE and one.client != client
            event = Event.ASKED_BY_OTHER if held else event
            if event is Event.ASKED_BY_OTHER and not held:
                event = Event.ASKED
        before, one = one, apply(one, event, now, boot, client)
        if one.stage is Stage.GRANTED:
            assert before.drains
        if before.drains and not one.drains:
            assert event in (Event.RELEASED, Event.EXPIRED, Event.BOOTED, Event.HINDERED)
        if one.drains:
            assert one.client == (before.client if before.drains else client)
            assert one.began <= one.at <= now
    assert apply(one, Event.EXPIRED, now, "a").stage is Stage.FREE
