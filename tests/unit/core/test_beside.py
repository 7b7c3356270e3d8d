"""Start first: what serves goes on until the next one has proved itself beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.sim import POLICY, Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_plan_properties import IMAGE, IMAGES
from workloadd.core import actions as a
from workloadd.core.desired import Declared
from workloadd.core.names import SLOTS

FIRST = declared("web", f"image: {IMAGE}\nupdate: {{order: start-first}}\n")
NEXT = declared("web", f"image: {IMAGE}\nuser: nobody\nupdate: {{order: start-first}}\n")
PLAIN = declared("web", f"image: {IMAGE}\nports: ['8080:80']\n")


@pytest.fixture
def host() -> Host:
    """A host on which a first deployment serves."""
    return settled(FIRST)


def settled(file: Declared) -> Host:
    found = Host(images=dict(IMAGES))
    found.settle(file)
    return found


def slots(host: Host) -> tuple[str, str]:
    """The slots of the current deployment and of the one on trial, by the record."""
    record = host.file.record if host.file else None
    assert record
    current, trial = dict(record.containers), dict(record.trial)
    return next(iter(current)), next(iter(trial), "")


def running(host: Host) -> list[str]:
    return [c.id for c in host.containers.values() if c.running]


def test_the_first_one_takes_the_first_slot(host: Host) -> None:
    assert slots(host) == (SLOTS[0], "")
    assert host.serving().name == "web"
    assert host.plan(FIRST).empty


def test_the_next_one_runs_beside_it_and_takes_over(host: Host) -> None:
    old = host.serving().id
    host.carry_out(host.plan(NEXT).actions)
    assert slots(host) == SLOTS
    assert len(running(host)) == 2
    waiting = host.plan(NEXT)
    assert not waiting.actions
    assert waiting.wake_at == host.unit("b").active_since + POLICY.soak
    shown = status(host, NEXT)
    assert shown.current and shown.current.container == old
    assert shown.next and (shown.next.state, shown.previous) == ("running", None)
    host.settle(NEXT)
    assert slots(host) == (SLOTS[1], "")
    assert host.serving().id != old
    assert host.serving().name == "web"
    assert host.containers[old].name.startswith("web_")
    host.settle(FIRST)
    assert slots(host) == (SLOTS[0], "")
    assert host.serving().id == old, "the one kept is used again"
    assert [end.outcome for end in host.ended] == ["stable"] * 3


def test_one_that_fails_never_stops_the_old_one(host: Host) -> None:
    old = host.serving()
    planned = host.plan(NEXT)
    host.crashing.add(planned.revision)
    host.settle(NEXT)
    assert host.serving() == old
    assert slots(host) == (SLOTS[0], "")
    assert host.ended[-1].outcome == "rolled-back"
    assert ("web", planned.revision) in host.bad
    assert host.plan(NEXT).empty, "it is not tried again"
    assert list(host.containers) == [old.id]


def test_a_trial_that_is_overtaken_is_ended(host: Host) -> None:
    old = host.serving()
    host.carry_out(host.plan(NEXT).actions)
    host.settle(FIRST)
    assert host.serving() == old
    assert not host.bad
    assert host.ended[-1].problem and host.ended[-1].problem.reason == "Superseded"
    host.carry_out(host.plan(NEXT).actions)
    third = declared("web", f"image: {IMAGE}\nuser: '7'\nupdate: {{order: start-first}}\n")
    host.settle(third)
    assert host.serving().id not in (old.id, "")


def test_a_broken_file_leaves_the_trial_alone(host: Host) -> None:
    host.carry_out(host.plan(NEXT).actions)
    host.settle(declared("web", "image: 1"))
    assert slots(host) == (SLOTS[1], "")


def test_what_serves_is_lost_and_the_new_one_steps_in(host: Host) -> None:
    old = host.serving().id
    host.carry_out(host.plan(NEXT).actions)
    host.stop("a")
    del host.containers[old]
    host.settle(NEXT)
    assert slots(host) == (SLOTS[1], "")


@pytest.mark.parametrize(("before", "after"), [(PLAIN, NEXT), (FIRST, PLAIN)])
def test_the_layout_changes_with_a_rollout_that_stops_first(
    before: Declared, after: Declared
) -> None:
    host = settled(before)
    host.settle(after)
    assert host.serving().name == "web"
    assert (slots(host)[0] in SLOTS) == (after is NEXT)
    host.settle(before)
    assert host.plan(before).empty


def test_it_goes_back_over_a_change_of_layout() -> None:
    host = settled(PLAIN)
    old = host.serving().id
    host.crashing.add(host.plan(NEXT).revision)
    host.settle(NEXT)
    assert host.serving().id == old
    assert slots(host) == ("_main", "")


def test_a_reboot_in_the_middle_of_a_trial(host: Host) -> None:
    host.carry_out(host.plan(NEXT).actions)
    host.stop()
    host.loaded = None
    host.settle(NEXT)
    assert slots(host) == (SLOTS[1], "")


def test_moving_where_it_listens_cannot_start_first() -> None:
    text = "image: {}\nsockets: ['{}']\nupdate: {{order: start-first}}\n"
    host = settled(declared("web", text.format(IMAGE, 8080)))
    moved = declared("web", text.format(IMAGE, 9090))
    assert any(isinstance(action, a.StopSockets) for action in host.plan(moved).actions)
    host.settle(moved)
    assert host.plan(moved).empty


@given(st.lists(st.tuples(st.sampled_from([FIRST, NEXT, PLAIN]), st.integers(0, 12)), max_size=6))
def test_a_daemon_killed_anywhere_comes_to_what_the_file_says(
    steps: list[tuple[Declared, int]],
) -> None:
    host = settled(FIRST)
    for file, killed in steps:
        host.carry_out(host.plan(file).actions, killed)
    last = steps[-1][0] if steps else FIRST
    host.settle(last)
    assert host.serving().name == "web"
    assert host.plan(last).empty
    assert len(host.containers) <= 2
    assert not host.rollouts


@given(st.lists(st.integers(0, 12), max_size=8), st.booleans())
def test_somebody_serves_all_the_time(kills: list[int], fails: bool) -> None:
    host = settled(FIRST)
    if fails:
        host.crashing.add(host.plan(NEXT).revision)
    for killed in [*kills, *[99] * 6]:
        created: dict[str, str] = {}
        for action in host.plan(NEXT).actions[:killed]:
            host.do(action, created)
            assert running(host), action
        host.now += 2.0
