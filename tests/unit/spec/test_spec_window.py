"""When a window is open."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.window import DAYS, Window, parse_window

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def opens(days: object = None, hours: str = "00:00-24:00", zone: str = "UTC") -> Window:
    given_days = {} if days is None else {"days": days}
    (window,) = parse_window({**given_days, "hours": hours, "time_zone": zone})
    return window


def at(day: int, hour: int, minute: int = 0) -> float:
    return (MONDAY + timedelta(days=day, hours=hour, minutes=minute)).timestamp()


@pytest.mark.parametrize(
    ("when", "expected"),
    [(at(0, 1, 59), False), (at(0, 2), True), (at(0, 4, 59), True), (at(0, 5), False)],
)
def test_hours(when: float, expected: bool) -> None:
    assert opens(hours="02:00-05:00").open_at(when) is expected


def test_over_midnight_it_belongs_to_the_day_on_which_it_opens() -> None:
    window = opens(["fri"], "22:00-04:00")
    assert [window.open_at(at(4, h)) for h in (3, 21, 22, 23)] == [False, False, True, True]
    assert [window.open_at(at(5, h)) for h in (0, 3, 4, 23)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("written", "days"),
    [
        (["mon-fri"], DAYS[:5]),
        ("sat, sun", None),
        (["sat-mon"], ("mon", "sat", "sun")),
        (["Monday", "wed"], ("mon", "wed")),
    ],
)
def test_days(written: object, days: tuple[str, ...] | None) -> None:
    if days is None:
        with pytest.raises(ValueError, match="no day of the week"):
            opens(written)
        return
    window = opens(written)
    assert window.days == days
    assert [d for n, d in enumerate(DAYS) if window.open_at(at(n, 12))] == list(days)


def test_the_time_zone_counts() -> None:
    window = opens(["mon"], "00:00-01:00", "Europe/Berlin")
    assert window.open_at(at(-1, 23, 30))
    assert not window.open_at(at(0, 0, 30))


@given(st.floats(0, 4e9))
def test_at_any_time_where_nothing_is_said(now: float) -> None:
    assert opens().open_at(now)


@given(st.integers(0, 23), st.integers(0, 23), st.floats(0, 4e9))
def test_a_window_and_the_rest_of_the_day_are_the_whole_day(a: int, b: int, now: float) -> None:
    if a != b:
        one, other = opens(hours=f"{a}:00-{b}:00"), opens(hours=f"{b}:00-{a}:00")
        assert one.open_at(now) != other.open_at(now)
