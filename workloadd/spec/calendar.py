"""When a job runs: systemd's calendar expressions (systemd.time(7)), checked as it reads them.

The grammar is that of systemd's own parser, so that a mistake is shown where it stands in the file,
without systemd.  Whether a time zone exists is for the host to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workloadd.spec.calendar_parts import (
    HINT,
    HOUR,
    LAST_DAY,
    MICRO,
    MINUTE,
    MONTH,
    MONTHDAY,
    SECOND,
    YEAR,
    Mistake,
    Range,
    check_ranges,
)
from workloadd.spec.problems import each, reject
from workloadd.spec.text import as_line, as_list, did_you_mean, quote

MAX_EXPRESSIONS = 32
MAX_EXPRESSION = 256

_CRON_HINT = "this is how cron writes it; here 03:30 each Monday is written Mon 03:30"
_WORDS = (
    "minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly",
    "annually", "anually", "biannually", "bi-annually", "semi-annually",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = re.compile("|".join(f"{day}|{day[:3]}" for day in _DAYS), re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+")
_SECONDS = re.compile(r"[0-9]+(?:\.(?!\.)[0-9]+)?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_EPOCH = re.compile(r"@[0-9]{1,10}")
_CRON = re.compile(r"(?:[0-9*/,-]+ +){4}[0-9A-Za-z*/,-]+")
# More repetitions of a component than systemd takes (CALENDARSPEC_COMPONENTS_MAX).
_MAX_PARTS = 240
_MAX_NUMBER = 2**31 - 1


def parse_schedule(value: object) -> tuple[str, ...]:
    """One expression, or a list of them; as written but for blanks around it."""
    if value is None:
        return ()
    entries: Sequence[object] = (
        [value] if isinstance(value, str) else as_list(value, MAX_EXPRESSIONS)
    )
    if isinstance(value, str):
        return (parse_calendar(value),)
    return tuple(expression for _, expression in each(enumerate(entries), parse_calendar))


def parse_calendar(value: object) -> str:
    """An OnCalendar expression."""
    text = as_line(value, MAX_EXPRESSION).strip()
    try:
        _check(text)
    except Mistake as mistake:
        found = text[mistake.at :]
        where = f"from {quote(found)} on: " if found and mistake.at else ""
        why = f"{quote(text)} is no calendar expression: {where}{mistake.why}"
        hint = _CRON_HINT if _CRON.fullmatch(text) else mistake.hint
        raise reject("BadSchedule", why, hint) from None
    return text


def parse_time_zone(value: object) -> str:
    """The name of a time zone, such as ``Europe/Berlin`` or ``UTC``."""
    text = as_line(value, MAX_EXPRESSION)
    if not _ZONE.fullmatch(text):
        hint = "write for example UTC or Europe/Berlin; timedatectl list-timezones lists them"
        raise reject("BadValue", f"{quote(text)} is no name of a time zone", hint)
    return text


def zone_of(expression: str) -> str:
    """The time zone at the end of a valid expression, or nothing."""
    head, _, last = expression.rpartition(" ")
    return last if head and _is_zone(last) else ""


def _is_zone(word: str) -> bool:
    """Whether the last word is meant as a time zone: a weekday may end an expression too."""
    if not _ZONE.fullmatch(word) or word.lower() in _WORDS:
        return False
    return not all(_DAY.fullmatch(part) for part in re.split(r"\.\.|-|,", word) if part)


def _check(text: str) -> None:
    head, _, last = text.rpartition(" ")
    body = head.rstrip(" ") if head and _is_zone(last) else text
    if body.lower() in _WORDS or _EPOCH.fullmatch(body):
        return
    reader = _Reader(body)
    reader.weekdays()
    reader.date()
    reader.time()


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def weekdays(self) -> None:
        """``Mon``, ``Mon,Wed``, ``Mon..Fri``, or none."""
        begin: int | None = None
        first = True
        while found := _DAY.match(self.text, self.at):
            number = [day[:3] for day in _DAYS].index(found[0][:3].lower())
            if begin is not None and begin > number:
                raise Mistake(self.at, "a range of days runs from an earlier to a later one")
            self.at, first = found.end(), False
            if self._rest()[:1] not in ("", "-", ".", ",", " "):
                raise Mistake(self.at, "a day of the week ends before that")
            if self._rest()[:1] in ("", " "):
                self._blanks()
                return
            begin = self._after_day(begin, number)
            if self._rest()[:1] in ("", " "):
                if begin is not None:
                    raise Mistake(self.at, "a range of days has no end")
                self._blanks()
                return
        if not first:
            raise Mistake(self.at, "a day of the week is expected", self._day_hint())
        if (word := re.match(r"[A-Za-z]+", self._rest())) is not None:
            raise Mistake(self.at, f"{quote(word[0])} means nothing here", self._day_hint())

    def _after_day(self, begin: int | None, number: int) -> int | None:
        """Past what joins two days: the day that a range begins with."""
        if self._rest().startswith(","):
            self.at += 1
            return None
        if begin is not None or not self._rest().startswith(("..", "-")):
            raise Mistake(self.at, "days are joined by “..” or “,”")
        self.at += 2 if self._rest().startswith("..") else 1
        return number

    def _day_hint(self) -> str:
        word = re.match(r"[A-Za-z]*", self._rest())
        known = (*_WORDS, *(day.title() for full in _DAYS for day in (full[:3], full)))
        return did_you_mean(word[0] if word else "", known) or HINT

    def date(self) -> None:
        """``[YEAR-]MONTH-DAY``, ``…~DAY`` from the month's end, or none: then it is a time."""
        begin = self.at
        parts = [self._chain()] if self._rest() else []
        if self._rest()[:1] in ("", ":"):
            self.at = begin
            return
        separators: list[str] = []
        while len(parts) < 3 and self._rest()[:1] in ("-", "~") and "~" not in separators:
            separators.append(self._rest()[0])
            self.at += 1
            parts.append(self._chain())
        if len(parts) < 2 or self._rest()[:1] not in ("", " "):
            raise Mistake(self.at, "a date is [YEAR-]MONTH-DAY, a time HOUR:MINUTE[:SECOND]")
        day = LAST_DAY if separators[-1] == "~" else MONTHDAY
        kinds = (YEAR, MONTH, day)[-len(parts) :]
        for component, ranges in zip(kinds, parts, strict=True):
            check_ranges(component, ranges)
        self._blanks()

    def time(self) -> None:
        """``HOUR:MINUTE[:SECOND]``, or none after a date or days: midnight."""
        if not self._rest():
            if not self.at:
                raise Mistake(0, "it is empty")
            return
        check_ranges(HOUR, self._chain())
        self._colon()
        check_ranges(MINUTE, self._chain())
        if not self._rest():
            return
        self._colon()
        check_ranges(SECOND, self._chain(_SECONDS))
        if self._rest():
            raise Mistake(self.at, "nothing but a time zone may follow the time")

    def _colon(self) -> None:
        if not self._rest().startswith(":"):
            raise Mistake(self.at, "a time is HOUR:MINUTE[:SECOND]")
        self.at += 1

    def _chain(self, number: re.Pattern[str] = _NUMBER) -> list[Range]:
        """``*``, or ranges with commas between; the empty list is ``*``."""
        if self._rest().startswith("*"):
            self.at += 1
            return []
        ranges: list[Range] = []
        while True:
            ranges.append(self._range(number))
            if len(ranges) > _MAX_PARTS:
                raise Mistake(self.at, f"it has more than {_MAX_PARTS} parts")
            if not self._rest().startswith(","):
                break
            self.at += 1
        if self._rest()[:1] not in ("", " ", "-", "~", ":"):
            raise Mistake(self.at, "a number ends before that")
        return ranges

    def _range(self, number: re.Pattern[str]) -> Range:
        at = self.at
        start = self._number(number)
        stop = step = None
        if self._rest().startswith(".."):
            self.at += 2
            stop = self._number(number)
        if self._rest().startswith("/"):
            self.at += 1
            step = self._number(number)
            if not step:
                raise Mistake(at, "a step is above 0")
        return Range(at, start, stop, step)

    def _number(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        if not found:
            raise Mistake(self.at, "a number or * is expected")
        value = _scaled(found[0]) if pattern is _SECONDS else int(found[0][:20])
        if value > _MAX_NUMBER:
            raise Mistake(self.at, "the number is too large")
        self.at = found.end()
        return value

    def _rest(self) -> str:
        return self.text[self.at :]

    def _blanks(self) -> None:
        while self._rest().startswith(" "):
            self.at += 1


def _scaled(text: str) -> int:
    """Seconds as microseconds, rounded as systemd does."""
    whole, _, fraction = text.partition(".")
    digits = fraction[:6].ljust(6, "0")
    up = 1 if fraction[6:7] >= "5" else 0
    return int(whole[:20]) * MICRO + int(digits) + up
