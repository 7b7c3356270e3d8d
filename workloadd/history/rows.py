"""What the history answers with, and how rows of the database become it."""

import json
from dataclasses import dataclass
from typing import Any

from workloadd.core.errors import Problem

MAX_LOG_LINES = 50
MAX_LINE_BYTES = 2048
MAX_TEXT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a rollout. `at` is seconds since the epoch."""

    at: float
    step: str
    detail: str


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """One rollout. Times are seconds since the epoch, 0.0 for not yet; `outcome` "" while open."""

    id: int
    workload: str
    revision: str
    from_revision: str
    cause: str
    started_at: float
    committed_at: float
    ended_at: float
    outcome: str
    problem: Problem | None
    log: tuple[str, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that happened to a workload outside of a rollout. `at` as everywhere."""

    workload: str
    at: float
    kind: str
    message: str


def problem_of(reason: str, message: str, hint: str) -> Problem | None:
    """The problem in three columns, which are empty for none."""
    return Problem(reason, message, hint) if reason else None


def columns_of(problem: Problem | None) -> tuple[str, str, str]:
    """The three columns of a problem."""
    if problem is None:
        return "", "", ""
    return problem.reason, bounded(problem.message), bounded(problem.hint)


def rollout_of(row: tuple[Any, ...], steps: tuple[Step, ...]) -> RolloutRow:
    """A row of `rollouts` in the order of its columns."""
    rollout, workload, revision, from_revision, cause, started_at, committed_at, *ending = row
    ended_at, outcome, reason, message, hint, log = ending
    return RolloutRow(
        id=rollout,
        workload=workload,
        revision=revision,
        from_revision=from_revision,
        cause=cause,
        started_at=started_at,
        committed_at=committed_at,
        ended_at=ended_at or 0.0,
        outcome=outcome,
        problem=problem_of(reason, message, hint),
        log=tuple(json.loads(log)),
        steps=steps,
    )


def log_column(lines: tuple[str, ...]) -> str:
    """The last lines of a log, each cut, as JSON."""
    last = [bounded(line, MAX_LINE_BYTES) for line in lines[-MAX_LOG_LINES:]]
    return json.dumps(last, ensure_ascii=False)


def bounded(text: str, limit: int = MAX_TEXT_BYTES) -> str:
    """`text` cut to `limit` bytes of UTF-8; what UTF-8 cannot hold is replaced."""
    data = text.encode(errors="replace")
    return data.decode() if len(data) <= limit else data[:limit].decode(errors="ignore")
