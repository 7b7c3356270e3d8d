"""The runs of jobs, in the history's database."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from workloadd.core.runs import Run
from workloadd.history.rows import log_column
from workloadd.history.writer import Writer

# Runs of each workload that are kept, and those that the planner and the status know.
KEEP_RUNS = 50
RECENT = 10

_COLUMNS = (
    "id, workload, revision, container, trigger, attempt, started_at, ended_at, exit_code, outcome"
)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run and the last lines of its log."""

    run: Run
    log: tuple[str, ...] = ()


class Runs:
    """What became of jobs' runs."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._recent: Mapping[str, tuple[Run, ...]] | None = None
        # Counts changes, so that an answer read before one is not kept after it.
        self._changes = 0

    async def begin(self, run: Run) -> int:
        """Note that a run began; its ID."""

        def work(c: sqlite3.Cursor) -> int:
            c.execute(
                "INSERT INTO runs (workload, revision, container, trigger, attempt, started_at)"
                " VALUES (?,?,?,?,?,?)",
                (run.workload, run.revision, run.container, run.trigger, run.attempt,
                 run.started_at),
            )  # fmt: skip
            number = c.lastrowid or 0
            _trim(c, run.workload)
            return number

        self._changed()
        return await self._writer.run(work)

    async def end(self, run: Run, log: tuple[str, ...] = ()) -> None:
        """Note how a run ended, whether or not its beginning was noted (then its ID is 0)."""
        number = run.id or await self.begin(replace(run, ended_at=0.0))

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "UPDATE runs SET started_at=?, ended_at=?, exit_code=?, outcome=?, log=?"
                " WHERE id=? AND outcome=''",
                (run.started_at, run.ended_at, run.exit_code, run.outcome, log_column(log), number),
            )

        self._changed()
        await self._writer.run(work)

    async def recent(self) -> Mapping[str, tuple[Run, ...]]:
        """The last runs of each job, the newest first; kept until something changes."""
        if self._recent is not None:
            return self._recent
        changes = self._changes
        recent = await self._writer.run(_read_recent)
        if changes == self._changes:
            self._recent = recent
        return recent

    async def of(self, workload: str, limit: int = 20) -> list[RunRow]:
        """A job's runs with their logs, the newest first."""

        def work(c: sqlite3.Cursor) -> list[RunRow]:
            rows = c.execute(
                f"SELECT {_COLUMNS}, log FROM runs WHERE workload=?"  # noqa: S608 - constants
                " ORDER BY id DESC LIMIT ?",
                (workload, limit),
            )
            return [RunRow(_run(row[:-1]), tuple(json.loads(row[-1]))) for row in rows]

        return await self._writer.run(work)

    def _changed(self) -> None:
        """To be called before a change is queued: what is queued later sees it."""
        self._changes += 1
        self._recent = None


def _trim(c: sqlite3.Cursor, workload: str) -> None:
    c.execute(
        "DELETE FROM runs WHERE workload=? AND id <= (SELECT id FROM runs WHERE workload=?"
        " ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (workload, workload, KEEP_RUNS),
    )


def _read_recent(c: sqlite3.Cursor) -> dict[str, tuple[Run, ...]]:
    found: dict[str, list[Run]] = {}
    for row in c.execute(f"SELECT {_COLUMNS} FROM runs ORDER BY id DESC"):  # noqa: S608
        run = _run(row)
        runs = found.setdefault(run.workload, [])
        if len(runs) < RECENT:
            runs.append(run)
    return {workload: tuple(runs) for workload, runs in found.items()}


def _run(row: tuple[object, ...]) -> Run:
    """A row in the order of its columns, which are those of `Run`."""
    run = Run(*row)  # type: ignore[arg-type]
    return replace(run, ended_at=run.ended_at or 0.0)
