"""The numbers of a calendar expression: what they are between, and how their ranges repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HINT = "write for example daily, Mon..Fri 08:00 or *:0/15; see systemd.time(7)"
MICRO = 10**6


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a date or time, and what its numbers are between."""

    name: str
    least: int
    most: int
    scale: int = 1


YEAR = Component("a year", 1970, 2199)
MONTH = Component("a month", 1, 12)
MONTHDAY = Component("a day", 1, 31)
LAST_DAY = Component("a day before a month's end", 1, 28)
HOUR = Component("an hour", 0, 23)
MINUTE = Component("a minute", 0, 59)
SECOND = Component("a second", 0, 60 * MICRO - 1, MICRO)


class Mistake(Exception):  # noqa: N818 - of whoever wrote the expression
    """What is wrong with an expression, and from which character on."""

    def __init__(self, at: int, why: str, hint: str = HINT) -> None:
        super().__init__(why)
        self.at = at
        self.why = why
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Range:
    """``start..stop/step``; `stop` and `step` are None where they are left out."""

    at: int
    start: int
    stop: int | None
    step: int | None


def check_ranges(component: Component, ranges: Sequence[Range]) -> None:
    """Refuse a part of an expression with a number or a step that it cannot have."""
    different = {(one.start, one.stop or -1, one.step or -1): one for one in reversed(ranges)}
    for number, (_, one) in enumerate(sorted(different.items())):
        # Of days before a month's end systemd takes the second up to 25, the third up to 22 …
        cut = 3 * number if component is LAST_DAY else 0
        _check_range(component, one, component.most - cut)


def _check_range(component: Component, one: Range, most: int) -> None:
    """A range within its bounds, and with room for its step, as systemd takes it."""
    least, scale = component.least, component.scale
    start, stop, step = _full_year(component, one.start), one.stop, one.step or 0
    if stop is not None:
        stop = _full_year(component, stop)
        if stop < start or (component is SECOND and not step and stop < start + scale):
            raise Mistake(one.at, "the range ends before it begins")
        step = step or scale
        # A range ends with its last step; without room for one it is its start alone.
        stop -= (stop - start) % step
        if stop == start:
            stop, step = None, 0
    for number in (start, stop):
        if number is not None and not least <= number <= most:
            words = f"{component.name} is between {least} and {most // scale}"
            raise Mistake(one.at, words)
    room = start - least if component is LAST_DAY else most - start
    if step > (most - least if stop is not None else room):
        raise Mistake(one.at, "there is no room for the step")


def _full_year(component: Component, number: int) -> int:
    """Years of two digits are those from 1970 to 2069."""
    if component is not YEAR or number >= 100:
        return number
    return number + (2000 if number < 70 else 1900)
