"""What people asked for by hand, in the history's database."""

import sqlite3
from collections.abc import Mapping

from workloadd.core.hands import Hand, Hands
from workloadd.history.rows import bounded
from workloadd.history.writer import Writer


class HandRows:
    """The wishes that are not done and not taken back."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: Hands | None = None
        # Counts changes, so that an answer read before one is not kept after it.
        self._changes = 0

    async def set(self, hand: Hand) -> None:
        """Keep a wish, in place of an older one of its kind; durable."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "INSERT OR REPLACE INTO hands (workload, kind, who, at, reason, revision, spec_key)"
                " VALUES (?,?,?,?,?,?,?)",
                (hand.workload, hand.kind, hand.by, hand.at, bounded(hand.reason), hand.revision,
                 hand.spec_key),
            )  # fmt: skip

        self._changed()
        await self._writer.run(work, durable=True)

    async def clear(self, hand: Hand) -> None:
        """Drop a wish, unless there is a newer one of its kind by now; durable."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "DELETE FROM hands WHERE workload=? AND kind=? AND at=?",
                (hand.workload, hand.kind, hand.at),
            )

        self._changed()
        await self._writer.run(work, durable=True)

    async def all(self) -> Hands:
        """Every wish; kept until something changes, since every pass asks for it."""
        if self._known is not None:
            return self._known
        changes = self._changes
        known = await self._writer.run(_read)
        if changes == self._changes:
            self._known = known
        return known

    async def of(self, workload: str) -> Mapping[str, Hand]:
        """The wishes about one workload, by kind."""
        return (await self.all()).get(workload, {})

    def _changed(self) -> None:
        """To be called before a change is queued: what is queued later sees it."""
        self._changes += 1
        self._known = None


def _read(c: sqlite3.Cursor) -> Hands:
    found: dict[str, dict[str, Hand]] = {}
    query = "SELECT workload, kind, who, at, reason, revision, spec_key FROM hands"
    for row in c.execute(query):
        hand = Hand(*row)
        found.setdefault(hand.workload, {})[hand.kind] = hand
    return found
