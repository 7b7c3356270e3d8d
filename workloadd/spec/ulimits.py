"""Limits of single processes, as setrlimit(2) has them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_serializer, model_validator

from workloadd.spec.base import SpecModel
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.text import did_you_mean, key_name, kind, quote
from workloadd.spec.translate import validated

UNLIMITED = -1
_MAX = 2**63 - 1
_NAMES = (
    "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc",
    "rss", "rtprio", "rttime", "sigpending", "stack",
)  # fmt: skip
_HINT = "write for example nofile: 65536 or nofile: {soft: 1024, hard: 65536}; -1 is unlimited"


class Ulimit(SpecModel):
    """One limit: what holds, and up to what the process may raise it."""

    soft: int = Field(ge=UNLIMITED, le=_MAX, description="What holds.", examples=[1024])
    hard: int = Field(
        ge=UNLIMITED,
        le=_MAX,
        description="Up to what the process may raise it; -1 is unlimited.",
        examples=[65536, UNLIMITED],
    )

    @model_validator(mode="after")
    def _ordered(self) -> Ulimit:
        if self.hard != UNLIMITED and not UNLIMITED < self.soft <= self.hard:
            soft = "unlimited" if self.soft == UNLIMITED else self.soft
            why = f"{soft} is more than the hard limit {self.hard}"
            raise ProblemsError(Problem("BadValue", why, path=("soft",)))
        return self

    @model_serializer
    def _short(self) -> int | dict[str, int]:
        return self.soft if self.soft == self.hard else {"soft": self.soft, "hard": self.hard}


def _ulimit(pair: tuple[str, object]) -> Ulimit:
    name, value = pair
    if name not in _NAMES:
        hint = did_you_mean(name, _NAMES) or f"known are {', '.join(_NAMES)}"
        raise reject("UnknownKey", f"there is no limit {quote(key_name(name))}", hint, at_key=True)
    match value:
        case Ulimit() | dict():
            return validated(Ulimit, value)
        case bool():
            pass
        case int():
            return validated(Ulimit, {"soft": int(value), "hard": int(value)})
    raise reject("WrongType", f"expected a limit, got {kind(value)}", _HINT)


def parse_ulimits(value: object) -> Mapping[str, Ulimit]:
    """The value of ``ulimits``, sorted by name."""
    if not isinstance(value, dict):
        raise reject("WrongType", f"expected a mapping, got {kind(value)}", _HINT)
    return dict(sorted(each(((name, (name, one)) for name, one in value.items()), _ulimit)))
