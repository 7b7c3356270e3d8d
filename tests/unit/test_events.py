"""Changes of the status for those who follow them."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd import events as module
from workloadd.board import Board
from workloadd.core.status import PassStatus, Status, Unit, WorkloadStatus
from workloadd.events import MAX_BEHIND, Event, Events, Subscription

UNIT = Unit(name="u", load_state="", active_state="", sub_state="", result="")


def workload(name: str, message: str = "") -> WorkloadStatus:
    return WorkloadStatus(name=name, state="Ready", message=message, unit=UNIT)


def status(*workloads: WorkloadStatus, count: int = 1, problems: tuple[str, ...] = ()) -> Status:
    return Status(
        version="1",
        user="me",
        started=datetime.fromtimestamp(1, UTC),
        workloads=workloads,
        passes=PassStatus(count=count),
        problems=problems,
    )


class Follower:
    """What a client knows, from what it was sent alone."""

    def __init__(self, events: Events, last: str = "") -> None:
        self.workloads: dict[str, str] = {}
        self.problems: list[str] = []
        self.kinds: list[str] = []
        self.last = last
        self.subscription, first = events.subscribe(last)
        self.take(first)

    def take(self, found: list[Event]) -> None:
        for event in found:
            lines = dict(line.split(": ", 1) for line in event.text.decode().strip().splitlines())
            assert set(lines) == {"id", "event", "data"} and event.text.endswith(b"\n\n")
            self.last, data = lines["id"], json.loads(lines["data"])
            self.kinds.append(lines["event"])
            match lines["event"]:
                case "reset":
                    self.workloads.clear()
                case "workload":
                    self.workloads[data["name"]] = data["message"]
                case "gone":
                    del self.workloads[data["name"]]
                case "host":
                    self.problems = data["problems"]

    def catch_up(self) -> None:
        self.take(list(self.subscription.waiting))
        self.subscription.waiting.clear()


class World:
    def __init__(self, first: Status) -> None:
        self.now = 0.0
        self.board = Board(first, lambda: self.now)
        self.events = Events(self.board, lambda: self.now)

    def publish(self, new: Status) -> None:
        """As the task that follows the board would."""
        self.board.publish(new)
        self.events._look(new)


@pytest.fixture
def world() -> Iterator[World]:
    yield World(status(workload("web", "one"), workload("db")))


def test_everything_first_and_then_what_changes(world: World) -> None:
    follower = Follower(world.events)
    assert follower.kinds == ["reset", "host", "workload", "workload"]
    assert follower.workloads == {"web": "one", "db": ""}
    follower.kinds.clear()
    world.publish(status(workload("web", "two"), workload("db"), count=1))
    world.publish(status(workload("web", "two"), count=2))
    world.publish(status(workload("web", "two"), count=3, problems=("disk",)))
    follower.catch_up()
    assert follower.kinds == ["workload", "gone", "host"], "a pass alone is no news"
    assert (follower.workloads, follower.problems) == ({"web": "two"}, ["disk"])


def test_one_that_was_cut_off_goes_on_where_it_was(world: World) -> None:
    first = Follower(world.events)
    world.events.leave(first.subscription)
    world.publish(status(workload("web", "two"), workload("db")))
    again = Follower(world.events, first.last)
    assert again.kinds == ["workload"]
    assert Follower(world.events, again.last).kinds == []


@pytest.mark.parametrize("last", ["", "-1", "nonsense", "00000000-1", "x-x", f"{'9' * 40}-1"])
def test_an_id_of_no_meaning_gets_everything(world: World, last: str) -> None:
    assert Follower(world.events, last).kinds[0] == "reset"


def test_one_that_was_away_for_long_gets_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KEPT", 3)
    first = Follower(world.events)
    world.events.leave(first.subscription)
    for number in range(4):
        world.publish(status(workload("web", str(number)), workload("db")))
    last = Follower(world.events, first.last)
    assert last.kinds[0] == "reset"


def test_with_nobody_there_for_long_nothing_is_kept(world: World) -> None:
    last = Follower(world.events)
    world.events.leave(last.subscription)
    world.now += 1000
    world.publish(status(workload("web", "later")))
    again = Follower(world.events, last.last)
    assert again.kinds[0] == "reset" and again.workloads == {"web": "later"}


def test_one_that_does_not_read_is_given_up_and_no_other(world: World) -> None:
    slow, quick = Follower(world.events), Follower(world.events)
    for number in range(MAX_BEHIND + 2):
        world.publish(status(workload("web", str(number)), workload("db")))
        quick.catch_up()
    assert slow.subscription.lost and not slow.subscription.waiting
    assert not quick.subscription.lost
    assert quick.workloads["web"] == str(MAX_BEHIND + 1)


async def test_who_waits_is_woken(world: World) -> None:
    task = asyncio.create_task(world.events.run())
    follower = Follower(world.events)
    waiting = asyncio.create_task(follower.subscription.next())
    await asyncio.sleep(0)
    world.board.publish(status(workload("web", "two"), workload("db")))
    async with asyncio.timeout(5):
        (event,) = await waiting
    assert (event.kind, event.workload) == ("workload", "web")
    task.cancel()


NAMES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"))


@given(NAMES, st.lists(st.tuples(NAMES, st.booleans()), max_size=12))
def test_a_client_knows_what_the_board_knows(
    first: dict[str, str], more: list[tuple[dict[str, str], bool]]
) -> None:
    """However often it is cut off."""
    world = World(status(*[workload(n, m) for n, m in sorted(first.items())]))
    follower = Follower(world.events)
    for workloads, cut in more:
        if cut:
            follower.catch_up()
            world.events.leave(follower.subscription)
        world.publish(status(*[workload(n, m) for n, m in sorted(workloads.items())]))
        if cut:
            follower.subscription, missed = world.events.subscribe(follower.last)
            follower.take(missed)
        follower.catch_up()
        assert follower.workloads == workloads


def test_a_subscription_that_is_lost_stays_so() -> None:
    subscription = Subscription()
    event = Event(1, "host", "", b"")
    for _ in range(MAX_BEHIND + 1):
        subscription.put(event)
    subscription.put(event)
    assert subscription.lost and not subscription.waiting
