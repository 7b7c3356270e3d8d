"""Calendar expressions in any number, right and wrong, to compare two readers of them."""

import re
from random import Random

_DAYS = ("Mon", "Tuesday", "wed", "THU", "Fri", "Saturday", "Sun", "Xyz", "Thur")
_JOINTS = (",", "..", "-", " ", "...", ".")
_WHOLE = ("daily", "Hourly", "weekly", "@123456789", "@", "semi-annually", "fortnightly", "x", "5")
_YEARS = ("*", "2026", "2025..2030", "1960", "99", "70", "2026/2", "12", "2200")
_CHARACTERS = "0123456789*/,-.~: aM@"


def expressions(seed: int, count: int) -> list[str]:
    """Up to `count` expressions, the same for the same seed; most are nearly right."""
    random = Random(seed)  # noqa: S311 - test data
    found = {_expression(random).strip() for _ in range(count)}
    return sorted(e for e in found if e and not e.startswith("-"))


def _expression(random: Random) -> str:
    if random.random() < 0.08:
        return random.choice(_WHOLE) + random.choice(("", " UTC", " ", "  "))
    parts = []
    if random.random() < 0.4:
        parts.append(_weekdays(random))
    if random.random() < 0.6:
        parts.append(_date(random))
    if random.random() < 0.7:
        parts.append(_time(random))
    text = random.choice((" ", " ", "  ")).join(parts)
    if random.random() < 0.1:
        text += random.choice((" UTC", " Etc/UTC"))
    elif text and random.random() < 0.15:
        at = random.randrange(len(text))
        text = text[:at] + random.choice(_CHARACTERS) + text[at + random.choice((0, 1)) :]
    return text


def _weekdays(random: Random) -> str:
    text = random.choice(_DAYS)
    for _ in range(random.choice((0, 0, 1, 2))):
        text += random.choice(_JOINTS) + random.choice(_DAYS)
    return text + (random.choice((",", "..", "-")) if random.random() < 0.1 else "")


def _date(random: Random) -> str:
    year = random.choice((*_YEARS, _component(random, 99)))
    date = f"{_component(random, 12)}{random.choice('--~')}{_component(random, 31)}"
    return f"{year}-{date}" if random.random() < 0.5 else date


def _time(random: Random) -> str:
    time = f"{_component(random, 23)}:{_component(random, 59)}"
    if random.random() < 0.4:
        return time
    seconds = _component(random, 59)
    if random.random() < 0.3:
        fractions = ("", ".5", ".", ".1234567", ".000")
        seconds = re.sub("[0-9]+", lambda m: m[0] + random.choice(fractions), seconds)
    return f"{time}:{seconds}"


def _component(random: Random, highest: int) -> str:
    if random.random() < 0.25:
        return "*"
    parts = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        part = str(random.randrange(highest + 3))
        if random.random() < 0.3:
            part += f"..{random.randrange(highest + 3)}"
        if random.random() < 0.3:
            part += f"/{random.randrange(highest // 2 + 3)}"
        parts.append(part)
    return ",".join(parts)
