"""Telling whether anybody uses a workload."""

from workloadd.core.idle import Activity, Idle, next_look, watch

START = 100.0


def look(
    at: float,
    connections: int = 0,
    accepted: int = 0,
    processor: float = 0.0,
    *,
    since: float = START,
    unix: bool = False,
) -> Activity:
    return Activity(at, since, connections, accepted, processor, unix)


def idle_since(*looks: Activity) -> float | None:
    known: Idle | None = None
    for one in looks:
        known = watch(known, one)
    assert known
    return known.since


def test_without_a_connection_it_is_idle_from_the_first_look_on() -> None:
    assert idle_since(look(101), look(102), look(103)) == 101


def test_with_one_it_is_not() -> None:
    assert idle_since(look(101), look(102, connections=1)) is None
    assert idle_since(look(101), look(102, connections=1), look(103), look(104)) == 103


def test_a_connection_between_two_looks_shows_in_what_it_took() -> None:
    assert idle_since(look(101), look(102, accepted=1, processor=0.001)) == 102


def test_one_to_somebody_else_does_not_count() -> None:
    assert idle_since(look(101), look(102, accepted=1)) == 101
    assert idle_since(look(101), look(102, accepted=1, processor=0.000_01)) == 101


def test_timers_of_its_own_do_not_count_while_nobody_connects() -> None:
    assert idle_since(look(101), look(102, processor=0.5)) == 101


def test_work_counts_where_connections_are_not_counted() -> None:
    assert idle_since(look(101, unix=True), look(102, processor=0.01, unix=True)) == 102
    assert idle_since(look(101, unix=True), look(102, processor=0.0001, unix=True)) == 101


def test_started_anew_it_has_been_idle_from_then_on() -> None:
    assert idle_since(look(101), look(150, since=140)) == 150


def test_looks_are_in_time_for_the_stop() -> None:
    assert next_look(None, 8, now=100) == 102
    assert next_look(99, 8, now=100) == 102
    assert next_look(99, 8, now=106) == 107
    assert next_look(None, 3600, now=100) == 130
