"""Times at which something may happen: days of the week and hours, in a time zone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.problems import each, reject
from workloadd.spec.text import as_line, as_list, quote
from workloadd.spec.translate import validated

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_WINDOWS = 16
_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_HOURS_HINT = 'write for example "02:00-05:00"; over midnight as "22:00-04:00"'
_DAYS_HINT = "write for example [mon-fri] or [sat, sun]"
_DAY = 24 * 60


def _days(value: object) -> tuple[str, ...]:
    """Days in the order of the week; ``mon-fri`` is all from one to the other."""
    words = [value] if isinstance(value, str) else as_list(value)
    found: set[int] = set()
    for index, word in each(enumerate(words), as_line):
        first, dash, last = word.lower().partition("-")
        ends = [_day(one.strip(), word, index) for one in ((first, last) if dash else (first,))]
        length = (ends[-1] - ends[0]) % 7
        found |= {(ends[0] + n) % 7 for n in range(length + 1)}
    if not found:
        raise reject("BadValue", "it names no day", _DAYS_HINT)
    return tuple(DAYS[number] for number in sorted(found))


def _day(name: str, word: str, index: int) -> int:
    short = name[:3]
    full = {"mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday"}
    full |= {"fri": "friday", "sat": "saturday", "sun": "sunday"}
    if short not in DAYS or name not in (short, full[short]):
        raise reject("BadValue", f"{quote(word)} is no day of the week", _DAYS_HINT, index)
    return DAYS.index(short)


def _hours(value: object) -> str:
    text = as_line(value)
    found = _HOURS.fullmatch(text.strip())
    if not found:
        raise reject("BadValue", f"{quote(text)} is not a time of day", _HOURS_HINT)
    first, last = _minutes(found[1], found[2]), _minutes(found[3], found[4])
    if max(first, last) > _DAY or first == last:
        raise reject("BadValue", f"{quote(text)} is not a time of day", _HOURS_HINT)
    return f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"


def _minutes(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


def _zone(value: object) -> str:
    name = as_line(value)
    try:
        ZoneInfo(name)
    except (ValueError, OSError):
        hint = "timedatectl list-timezones lists them"
        raise reject("BadValue", f"there is no time zone {quote(name)}", hint) from None
    return name


class Window(SpecModel):
    """A time that comes every week."""

    days: Annotated[
        tuple[str, ...], BeforeValidator(_days, json_schema_input_type=str | list[str])
    ] = Field(
        default=DAYS,
        description="Days of the week on which it opens.",
        examples=[["mon-fri"], ["sat", "sun"]],
    )
    hours: Annotated[str, BeforeValidator(_hours, json_schema_input_type=str)] = Field(
        default="00:00-24:00",
        description="From when to when; over midnight it belongs to the day on which it opens.",
        examples=["02:00-05:00", "22:00-04:00"],
    )
    time_zone: Annotated[
        str | None, BeforeValidator(optional(_zone), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Time zone of the hours; the host's own where it is left out.",
        examples=["Europe/Berlin"],
    )

    def open_at(self, now: float) -> bool:
        """Whether it is open at a time in seconds since the epoch."""
        zone = ZoneInfo(self.time_zone) if self.time_zone else None
        at = datetime.fromtimestamp(now, zone)
        first, last = (_minutes(*end.split(":")) for end in self.hours.split("-"))
        minute = at.hour * 60 + at.minute
        if last <= first:
            # It opened yesterday, or opens today.
            yesterday = DAYS[(at - timedelta(days=1)).weekday()]
            late = minute >= first and DAYS[at.weekday()] in self.days
            return late or (minute < last and yesterday in self.days)
        return first <= minute < last and DAYS[at.weekday()] in self.days

    def __str__(self) -> str:
        days = "" if self.days == DAYS else f"{', '.join(self.days)} "
        return f"{days}{self.hours} {self.time_zone or ''}".strip()


def parse_window(value: object) -> tuple[Window, ...]:
    """The value of ``update.window``: one, or a list of them."""
    if isinstance(value, dict):
        return (validated(Window, value),)
    windows = as_list(value, MAX_WINDOWS)
    return tuple(one for _, one in each(enumerate(windows), lambda v: validated(Window, v)))
