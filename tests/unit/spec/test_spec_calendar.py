"""Calendar expressions: what is one, and what is said of what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.calendars import expressions
from workloadd.spec.calendar import parse_calendar, parse_schedule, parse_time_zone, zone_of
from workloadd.spec.problems import ProblemsError

RIGHT = (
    "daily", "Hourly", "minutely", "semi-annually", "Mon", "mon,Wed..fri 10:00", "Sat,", "*:0/15",
    "*:*:0/5", "03:30", "2026-12-24", "12-24 18:00:00.5", "*-*-1,15 04:00", "*-*~3", "*-02~1..4",
    "70-01-01", "Mon *-*-1..7 03:30:00", "daily UTC", "Mon 03:30 Europe/Berlin", "@1700000000",
    "*-*-* 0..23/6:00", "*:5..5/30", "*-*~28,28",
)  # fmt: skip
WRONG = {
    "fortnightly": ("means nothing here", "fortnightly"),
    "dayly": ("means nothing here (did you mean daily?)", "dayly"),
    "Mon..": ("a range of days has no end", ""),
    "Fri..Mon": ("a range of days runs from an earlier to a later one", "Mon"),
    "Mon 25:00": ("an hour is between 0 and 23", "25:00"),
    "*-*-32": ("a day is between 1 and 31", "32"),
    "*-*~29": ("a day before a month's end is between 1 and 28", "29"),
    "2300-01-01": ("a year is between 1970 and 2199", ""),
    "10": ("a time is HOUR:MINUTE[:SECOND]", ""),
    "10:61": ("a minute is between 0 and 59", "61"),
    "10:00:60": ("a second is between 0 and 59", "60"),
    "10:20..10": ("the range ends before it begins", "20..10"),
    "10:30/45": ("there is no room for the step", "30/45"),
    "10:0/0": ("a step is above 0", "0/0"),
    "10:00 11:00": ("a time is HOUR:MINUTE[:SECOND]", ""),
    "1-2-3-4": ("a date is [YEAR-]MONTH-DAY", "-4"),
    "99999999999-1-1": ("the number is too large", ""),
    "Monx": ("a day of the week ends before that", "x"),
    "0 3 * * 1": ("this is how cron writes it", ""),
    "*/5 * * * *": ("this is how cron writes it", ""),
    "10:00:00 %h": ("nothing but a time zone may follow the time", " %h"),
}


@pytest.mark.parametrize("text", RIGHT)
def test_what_systemd_takes_is_taken_as_it_is_written(text: str) -> None:
    assert parse_calendar(f" {text} ") == text


@pytest.mark.parametrize(("text", "said", "found"), [(t, *w) for t, w in WRONG.items()])
def test_a_mistake_is_shown_where_it_is(text: str, said: str, found: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        parse_calendar(text)
    (problem,) = caught.value.problems
    assert problem.reason == "BadSchedule"
    assert said in str(problem)
    assert not found or text == found or f'from "{found}" on' in problem.why


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        parse_calendar(text)
    except ProblemsError as caught:
        assert all(problem.why for problem in caught.problems)


@given(st.integers())
def test_an_accepted_expression_is_accepted_again(seed: int) -> None:
    for text in expressions(seed, 20):
        try:
            accepted = parse_calendar(text)
        except ProblemsError:
            continue
        assert parse_calendar(accepted) == accepted


def test_a_schedule_is_one_expression_or_several() -> None:
    assert parse_schedule("daily") == ("daily",)
    assert parse_schedule([" daily", "Mon 10:00"]) == ("daily", "Mon 10:00")
    assert parse_schedule(None) == parse_schedule([]) == ()
    with pytest.raises(ProblemsError) as caught:
        parse_schedule(["daily", "10:61", 5])
    assert [problem.path for problem in caught.value.problems] == [(1,), (2,)]


def test_a_time_zone_is_told_from_what_else_may_end_an_expression() -> None:
    assert zone_of("Mon 10:00 Europe/Berlin") == "Europe/Berlin"
    assert zone_of("daily UTC") == "UTC"
    for text in ("daily", "Mon", "Mon..Fri", "10:00", "Mon, 10:00", "Mon Tue"):
        assert zone_of(text) == ""
    assert parse_time_zone("Etc/GMT+3") == "Etc/GMT+3"
    for text in ("", "../etc/passwd", "Europe/", "a b", "%h"):
        with pytest.raises(ProblemsError):
            parse_time_zone(text)
