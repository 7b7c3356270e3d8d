"""One thread that owns the database, so that no disk ever holds up the event loop.

What is waiting when it comes round goes into one transaction (group commit): on flash storage a
commit that survives a power cut takes tens of milliseconds, whatever is in it.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from workloadd.core.errors import Problem, Transient
from workloadd.history.schema import connect, connect_readonly, is_damage

_log = logging.getLogger(__name__)
_BATCH = 256

Result = TypeVar("Result")
Work = Callable[[sqlite3.Cursor], Result]


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    durable: bool
    future: asyncio.Future[Any]

    def settle(self, outcome: object) -> None:
        """Hand over the outcome; runs in the loop."""
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Writer:
    """Runs functions of a cursor on the database's thread, each all or nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._connection: sqlite3.Connection
        self._readonly = False

    async def open(self, *, readonly: bool = False) -> Problem | None:
        """Open the file and start the thread; the problem, if any, has been worked around."""
        self._loop = asyncio.get_running_loop()
        self._readonly = readonly
        opener = connect_readonly if readonly else connect
        self._connection, problem = await asyncio.to_thread(opener, self._file)
        self._thread = threading.Thread(target=self._serve, name="history", daemon=True)
        self._thread.start()
        return problem

    @property
    def waiting(self) -> int:
        """How much is waiting to be done."""
        return self._queue.qsize()

    async def close(self) -> None:
        """Finish what was asked for, then close the file. Closing twice is fine."""
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        self._queue.put(None)
        await asyncio.to_thread(thread.join)

    async def run(self, work: Work[Result], *, durable: bool = False) -> Result:
        """The result of `work`; with `durable` it outlives a power cut once this returns.

        Raises:
            Transient: the database refused (disk full, I/O error), or is not open.
        """
        if self._thread is None:
            raise _refused("it is not open", self._file)
        future: asyncio.Future[Result] = self._loop.create_future()
        self._queue.put(_Job(work, durable, future))
        return await future

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = self._waiting(first)
            outcomes = self._commit(batch)
            self._loop.call_soon_threadsafe(_settle, batch, outcomes)
            if last:
                break
        self._connection.close()

    def _waiting(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < _BATCH:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _commit(self, batch: list[_Job]) -> list[object]:
        """One outcome for each job: its result, or the exception to raise."""
        try:
            return self._transaction(batch)
        except sqlite3.Error as error:
            if self._readonly or not is_damage(error):
                return [_refused(str(error), self._file) for _ in batch]
        self._connection.close()
        self._connection, problem = connect(self._file)
        _log.error("%s", problem or "the history was damaged and has recovered")
        try:
            return self._transaction(batch)
        except sqlite3.Error as error:
            return [_refused(str(error), self._file) for _ in batch]

    def _transaction(self, batch: list[_Job]) -> list[object]:
        cursor = self._connection.cursor()
        # NORMAL keeps the file consistent over a power cut, but may lose the newest commits; the
        # next FULL one makes those durable too (https://www.sqlite.org/pragma.html).
        durable = any(job.durable for job in batch)
        cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        cursor.execute("BEGIN" if self._readonly else "BEGIN IMMEDIATE")
        try:
            outcomes = [self._attempt(cursor, job) for job in batch]
            cursor.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise
        finally:
            cursor.close()
        return outcomes

    def _attempt(self, cursor: sqlite3.Cursor, job: _Job) -> object:
        """One job in a savepoint of its own: its failure takes no other with it."""
        cursor.execute("SAVEPOINT job")
        try:
            result: object = job.work(cursor)
        except sqlite3.IntegrityError as error:
            result = _refused(str(error), self._file)
        except sqlite3.Error:
            raise  # disk full, damage: no job of this batch fares better
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits for this job
            result = error
        if isinstance(result, Exception):
            cursor.execute("ROLLBACK TO job")
        cursor.execute("RELEASE job")
        return result


def _settle(batch: list[_Job], outcomes: list[object]) -> None:
    for job, outcome in zip(batch, outcomes, strict=True):
        job.settle(outcome)


def _refused(why: str, file: Path) -> Transient:
    return Transient(
        "HistoryFailed",
        f"cannot use the history {file}: {why}",
        f"check the free space and the permissions of {file.parent}",
    )
