"""What containers wrote, from the journal: read in threads of its own, followed with its events."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from workloadd.core.errors import Transient
from workloadd.host.journal_logs import JournalLog, LogLine

T = TypeVar("T")
# A pod's new container is followed after as many seconds, however quiet the journal is.
_LOOK = 5.0
# However many read: what is left of the machine is the containers'.
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Query:
    """Which lines: the last `tail` of them since a time (seconds since the epoch)."""

    workload: str
    tail: int
    since: float = 0.0
    follow: bool = False
    container: str = ""


class Log:
    """The lines of one query. `parts` are those of the workload that there are traces of."""

    def __init__(self, logs: "Logs", query: Query, journal: JournalLog, parts: set[str]) -> None:
        self._logs = logs
        self._query = query
        self._journal = journal
        self.parts = parts

    async def lines(self, present: Callable[[], set[str]]) -> AsyncGenerator[list[LogLine], None]:
        """Lines as they come; of a query that does not follow, what there is now.

        `present` are the parts that the workload has just now.
        """
        query = self._query
        now = self._logs.clock()
        await self._select(present)
        await self._logs.run(lambda: self._journal.seek(query.tail, query.since, now))
        given = 0
        while True:
            lines, more = await self._logs.run(self._journal.read)
            if lines:
                yield lines
            given += len(lines)
            if not query.follow and (not more or given >= query.tail):
                return
            if not more:
                await self._changed()
                await self._select(present)

    async def _select(self, present: Callable[[], set[str]]) -> None:
        self.parts |= present()
        wanted = {self._query.container} if self._query.container else self.parts
        await self._logs.run(lambda: self._journal.select(wanted))

    async def _changed(self) -> None:
        """Wait until the journal has changed, or long enough."""
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        number = self._journal.fileno()
        loop.add_reader(number, changed.set)
        try:
            async with asyncio.timeout(_LOOK):
                await changed.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(number)


class Logs:
    """Opens the journal for whoever asks; `clock` gives seconds since the epoch.

    `drivers` tells where the file of a workload has the output of each container go.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        drivers: Callable[[str], Mapping[str, str]],
        journal: Callable[[str], JournalLog] = JournalLog,
    ) -> None:
        self.clock = clock
        self.drivers = drivers
        self._journal = journal
        self._threads = ThreadPoolExecutor(_THREADS, "logs")

    async def open(self, query: Query) -> Log:
        """The log of a workload, at hand or long gone.

        Raises:
            Transient: the journal may not be read.
        """
        return await self.run(lambda: self._open(query))

    def _open(self, query: Query) -> Log:
        journal = self._journal(query.workload)
        parts = set(journal.parts())
        if not parts and not journal.is_readable():
            raise Transient(
                "JournalUnreadable",
                "cannot read the journal: there is no entry that this user may read",
                "make it persistent: sudo mkdir -p /var/log/journal && sudo journalctl --flush; "
                "or add the user to the group systemd-journal",
            )
        return Log(self, query, journal, parts)

    async def run(self, call: Callable[[], T]) -> T:
        """Call in one of the threads.

        Raises:
            Transient: the journal cannot be read.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except OSError as error:
            why = error.strerror or str(error)
            raise Transient("JournalFailed", f"cannot read the journal: {why}") from error

    def close(self) -> None:
        """Take nothing more on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
