"""When what was not alive was started again, read from the events that say so."""

import sqlite3
from collections.abc import Mapping

from workloadd.core.liveness import NOTE
from workloadd.history.writer import Writer

_Times = Mapping[str, tuple[float, ...]]
# More are in no row that is told from a longer one.
KEEP = 20


class Relapses:
    """The last restarts of each workload; kept until there is another, as every pass asks."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._times: _Times | None = None

    def noted(self, kind: str) -> None:
        """An event of a kind was written."""
        if kind == NOTE:
            self._times = None

    async def recent(self) -> _Times:
        """The times by workload, the newest first."""
        if self._times is None:
            self._times = await self._writer.run(_read)
        return self._times


def _read(c: sqlite3.Cursor) -> _Times:
    times: dict[str, tuple[float, ...]] = {}
    rows = c.execute("SELECT workload, at FROM events WHERE kind=? ORDER BY id DESC", (NOTE,))
    for workload, at in rows:
        times[workload] = (*times.get(workload, ()), at)[:KEEP]
    return times
