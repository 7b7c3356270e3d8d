"""The history as the daemon and `workloadctl` use it."""

import logging
import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from workloadd.core.errors import Problem, Transient
from workloadd.core.hands import Hand
from workloadd.core.memory import Bad, LastRollout, OpenRollout
from workloadd.history.hands import HandRows
from workloadd.history.images import Images
from workloadd.history.reboot_lock import LockRow
from workloadd.history.relapses import Relapses
from workloadd.history.revisions import Revisions
from workloadd.history.rows import (
    EventRow,
    RolloutRow,
    Step,
    bounded,
    columns_of,
    log_column,
    problem_of,
    rollout_of,
)
from workloadd.history.runs import Runs
from workloadd.history.writer import Writer

_log = logging.getLogger(__name__)

Outcome = Literal["stable", "rolled-back", "failed", "removed"]
BadRevisions = Mapping[tuple[str, str], Bad]
OpenRollouts = Mapping[str, OpenRollout]
LastRollouts = Mapping[str, LastRollout]
_Memory = tuple[BadRevisions, OpenRollouts, LastRollouts]

KEEP_EVENTS_PER_ROLLOUT = 4
KEEP_BAD = 20
KEEP_STEPS = 100
KEEP_REMOVED = 30 * 86400.0

_SUPERSEDED = Problem("Superseded", "cannot finish this rollout: a newer one was begun")


class History:
    """The history of all workloads of one user, in one SQLite file; bounded in every direction.

    `keep` rollouts of each workload, four times as many events, 20 bad revisions, 100 steps of a
    rollout; everything of a workload 30 days after its removal is dropped. `at` is always seconds
    since the epoch. Methods raise `Transient` where the database refuses. `runs` are those of jobs,
    `hands` what people asked for, `revisions` what was rolled out, `images` what was pulled,
    `relapses` the restarts of what was not alive.
    """

    def __init__(self, file: Path, keep: int = 50) -> None:
        self._keep = keep
        self._writer = Writer(file)
        self.runs = Runs(self._writer)
        self.hands = HandRows(self._writer)
        self.reboot_lock = LockRow(self._writer)
        self.revisions = Revisions(self._writer)
        self.images = Images(self._writer)
        self.relapses = Relapses(self._writer)
        self._memory: _Memory | None = None
        # Counts changes, so that an answer read before one is not kept after it.
        self._changes = 0

    async def open(self, *, readonly: bool = False) -> Problem | None:
        """Open or create the file; a problem on the way is logged, worked around and returned."""
        problem = await self._writer.open(readonly=readonly)
        if problem and not readonly:
            _log.error("%s", problem)
        if not readonly:
            with suppress(Transient):  # next time, when the disk has room again
                await self._writer.run(lambda c: _drop_removed(c, time.time()))
        return problem

    @property
    def waiting(self) -> int:
        """How much is waiting to be written or read."""
        return self._writer.waiting

    async def close(self) -> None:
        """Write what is under way, then close."""
        await self._writer.close()

    async def begin(
        self, workload: str, revision: str, from_revision: str, cause: str, at: float
    ) -> int:
        """Begin a rollout and return its ID; durable. An open one of this workload is ended."""

        def work(c: sqlite3.Cursor) -> int:
            c.execute(
                "UPDATE rollouts SET ended_at=?, outcome='failed', reason=?, message=?, hint=?"
                " WHERE workload=? AND ended_at IS NULL",
                (at, *columns_of(_SUPERSEDED), workload),
            )
            c.execute(
                "INSERT INTO rollouts (workload, revision, from_revision, cause, started_at)"
                " VALUES (?,?,?,?,?)",
                (workload, revision, from_revision, bounded(cause), at),
            )
            rollout = c.lastrowid or 0
            _trim(c, "rollouts", workload, self._keep)
            return rollout

        self._changed()
        return await self._writer.run(work, durable=True)

    async def step(self, rollout: int, at: float, step: str, detail: str = "") -> None:
        """Record that a rollout came to a step. One that was dropped meanwhile is ignored."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "INSERT INTO steps (rollout, at, step, detail) SELECT id,?,?,? FROM rollouts"
                " WHERE id=?",
                (at, bounded(step), bounded(detail), rollout),
            )
            c.execute(
                "DELETE FROM steps WHERE rollout=? AND id <= (SELECT id FROM steps WHERE rollout=?"
                " ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (rollout, rollout, KEEP_STEPS),
            )

        await self._writer.run(work)

    async def committed(self, rollout: int, at: float) -> None:
        """Record that the unit of the new deployment was written; durable."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute("UPDATE rollouts SET committed_at=? WHERE id=?", (at, rollout))

        self._changed()
        await self._writer.run(work, durable=True)

    async def end(
        self,
        rollout: int,
        at: float,
        outcome: Outcome,
        problem: Problem | None = None,
        log: tuple[str, ...] = (),
    ) -> None:
        """End a rollout; `log` are the failed container's last lines. A second end is ignored."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "UPDATE rollouts SET ended_at=?, outcome=?, reason=?, message=?, hint=?, log=?"
                " WHERE id=? AND ended_at IS NULL",
                (at, outcome, *columns_of(problem), log_column(log), rollout),
            )
            _drop_removed(c, at)

        self._changed()
        await self._writer.run(work)

    async def mark_bad(self, workload: str, revision: str, problem: Problem, at: float) -> None:
        """Remember that a revision failed and is not to be tried again; durable."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "INSERT OR REPLACE INTO bad (workload, revision, reason, message, hint, at)"
                " VALUES (?,?,?,?,?,?)",
                (workload, revision, *columns_of(problem), at),
            )
            c.execute(
                "DELETE FROM bad WHERE workload=? AND revision NOT IN (SELECT revision FROM bad"
                " WHERE workload=? ORDER BY at DESC, rowid DESC LIMIT ?)",
                (workload, workload, KEEP_BAD),
            )

        self._changed()
        await self._writer.run(work, durable=True)

    async def forget_bad(self, workload: str) -> None:
        """Forget the bad revisions of a workload, so that they may be tried again."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute("DELETE FROM bad WHERE workload=?", (workload,))

        self._changed()
        await self._writer.run(work)

    async def set_hand(self, hand: Hand) -> None:
        """Keep what somebody asked for, in place of an older wish of its kind; durable."""
        await self.hands.set(hand)

    async def clear_hand(self, hand: Hand) -> None:
        """Drop what was asked for: it is done, or was taken back."""
        await self.hands.clear(hand)

    async def note(self, workload: str, at: float, kind: str, message: str) -> None:
        """Record an event outside of a rollout: drift, a workload disabled …"""

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "INSERT INTO events (workload, at, kind, message) VALUES (?,?,?,?)",
                (workload, at, kind, bounded(message)),
            )
            _trim(c, "events", workload, KEEP_EVENTS_PER_ROLLOUT * self._keep)

        await self._writer.run(work)
        self.relapses.noted(kind)

    async def note_news(self, workload: str, at: float, kind: str, message: str) -> None:
        """Record an event, unless the last one of its kind said the same."""
        query = (
            "SELECT message FROM events WHERE workload = ? AND kind = ? ORDER BY id DESC LIMIT 1"
        )
        last = await self._writer.run(lambda c: c.execute(query, (workload, kind)).fetchone())
        if last is None or last[0] != bounded(message):
            await self.note(workload, at, kind, message)

    async def memory(self) -> tuple[BadRevisions, OpenRollouts, LastRollouts]:
        """What the planner needs: bad revisions, open rollouts, the last ended ones.

        Kept until something changes, since every pass asks for it.
        """
        if self._memory is not None:
            return self._memory
        changes = self._changes
        memory = await self._writer.run(_read_memory)
        if changes == self._changes:
            self._memory = memory
        return memory

    async def rollouts(self, workload: str, limit: int = 20) -> list[RolloutRow]:
        """A workload's rollouts with their steps, the newest first."""
        return await self._writer.run(lambda c: _read_rollouts(c, workload, limit))

    async def events(self, workload: str, limit: int = 50) -> list[EventRow]:
        """A workload's events, the newest first."""

        def work(c: sqlite3.Cursor) -> list[EventRow]:
            rows = c.execute(
                "SELECT workload, at, kind, message FROM events WHERE workload=?"
                " ORDER BY id DESC LIMIT ?",
                (workload, limit),
            )
            return [EventRow(*row) for row in rows]

        return await self._writer.run(work)

    def _changed(self) -> None:
        """To be called before a change is queued: what is queued later sees it."""
        self._changes += 1
        self._memory = None


def _trim(c: sqlite3.Cursor, table: str, workload: str, keep: int) -> None:
    c.execute(
        f"DELETE FROM {table} WHERE workload=? AND id <= (SELECT id FROM {table}"  # noqa: S608
        " WHERE workload=? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (workload, workload, keep),
    )


def _drop_removed(c: sqlite3.Cursor, now: float) -> None:
    """Forget workloads whose newest rollout is a removal of more than 30 days ago."""
    gone = c.execute(
        "SELECT workload FROM rollouts AS r WHERE outcome='removed' AND ended_at < ? AND NOT EXISTS"
        " (SELECT 1 FROM rollouts AS n WHERE n.workload = r.workload AND n.id > r.id)",
        (now - KEEP_REMOVED,),
    ).fetchall()
    for table in ("rollouts", "bad", "events", "runs", "hands", "revisions"):
        c.executemany(f"DELETE FROM {table} WHERE workload=?", gone)  # noqa: S608 - constants


def _read_memory(c: sqlite3.Cursor) -> _Memory:
    bad = {
        (workload, revision): Bad(revision, Problem(reason, message, hint), at)
        for workload, revision, reason, message, hint, at in c.execute(
            "SELECT workload, revision, reason, message, hint, at FROM bad"
        )
    }
    open_ = {
        row[1]: OpenRollout(*row)
        for row in c.execute(
            "SELECT id, workload, revision, cause, started_at, committed_at FROM rollouts"
            " WHERE ended_at IS NULL"
        )
    }
    last = {
        workload: LastRollout(revision, outcome, problem_of(*problem), ended_at, cause, started_at)
        for workload, revision, outcome, ended_at, cause, started_at, *problem in c.execute(
            "SELECT workload, revision, outcome, ended_at, cause, started_at, reason, message,"
            " hint FROM rollouts WHERE id IN"
            " (SELECT max(id) FROM rollouts WHERE ended_at IS NOT NULL GROUP BY workload)"
        )
    }
    return bad, open_, last


def _read_rollouts(c: sqlite3.Cursor, workload: str, limit: int) -> list[RolloutRow]:
    rows = c.execute(
        "SELECT id, workload, revision, from_revision, cause, started_at, committed_at, ended_at,"
        " outcome, reason, message, hint, log FROM rollouts WHERE workload=?"
        " ORDER BY id DESC LIMIT ?",
        (workload, limit),
    ).fetchall()
    return [rollout_of(row, _read_steps(c, row[0])) for row in rows]


def _read_steps(c: sqlite3.Cursor, rollout: int) -> tuple[Step, ...]:
    query = "SELECT at, step, detail FROM steps WHERE rollout=? ORDER BY id"
    return tuple(Step(*row) for row in c.execute(query, (rollout,)))
