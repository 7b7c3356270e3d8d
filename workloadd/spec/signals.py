"""Signals by name, and by number as Linux has them on x86 and ARM (signal(7))."""

from __future__ import annotations

import re

from workloadd.spec.problems import reject
from workloadd.spec.text import did_you_mean, kind, quote

_TABLE = """
HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP
TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS
"""
_NAMES = _TABLE.split()
_NUMBERS = {f"SIG{name}": number for number, name in enumerate(_NAMES, start=1)}

# The C library keeps 32 and 33 for itself.
_RTMIN, _RTMAX = 34, 64
_REAL_TIME = re.compile(r"SIGRT(?:MIN(?:\+(\d{1,2}))?|MAX(?:-(\d{1,2}))?)", re.ASCII)
_HINT = "write for example SIGTERM or SIGRTMIN+3"


def parse_signal(value: object) -> str:
    """The full name, as ``SIGTERM`` or ``SIGRTMIN+3``, of a signal given by name or number."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise reject("WrongType", f"expected a signal, got {kind(value)}", _HINT)
    text = str(value).strip().upper()
    number = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else _number(text)
    name = None if number is None else _name(number)
    if name is None:
        raise reject("BadSignal", f"{quote(str(value))} is no signal", _hint(text))
    return name


def signal_number(name: str) -> int:
    """The number of a signal whose name came from :func:`parse_signal`."""
    number = _number(name)
    if number is None:
        raise ValueError(f"not a signal: {name}")
    return number


def _number(text: str) -> int | None:
    name = text if text.startswith("SIG") else f"SIG{text}"
    if found := _REAL_TIME.fullmatch(name):
        up, down = int(found[1] or 0), int(found[2] or 0)
        number = _RTMAX - down if name.startswith("SIGRTMAX") else _RTMIN + up
        return number if _RTMIN <= number <= _RTMAX else None
    return _NUMBERS.get(name)


def _name(number: int) -> str | None:
    if 1 <= number <= len(_NAMES):
        return f"SIG{_NAMES[number - 1]}"
    if _RTMIN <= number <= _RTMAX:
        return f"SIGRTMIN+{number - _RTMIN}" if number > _RTMIN else "SIGRTMIN"
    return None


def _hint(text: str) -> str:
    if text.isdigit():
        return _HINT
    return did_you_mean(text if text.startswith("SIG") else f"SIG{text}", _NUMBERS) or _HINT
