"""The lock for reboots of the host, in the history's database: one row."""

import sqlite3

from workloadd.core.fleetlock import NO_LOCK, Client, Lock, Stage
from workloadd.history.writer import Writer

_COLUMNS = "stage, client, client_group, began, at, boot, undone, owed"


class LockRow:
    """The lock as it was last kept."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def keep(self, lock: Lock) -> None:
        """Keep it in place of what was there; durable."""

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                f"INSERT OR REPLACE INTO reboot_lock (id, {_COLUMNS})"  # noqa: S608 - constants
                " VALUES (1,?,?,?,?,?,?,?,?)",
                (lock.stage.name, lock.client.id, lock.client.group, lock.began, lock.at,
                 lock.boot, lock.undone, lock.owed),
            )  # fmt: skip

        await self._writer.run(work, durable=True)

    async def read(self) -> Lock:
        """The lock; a stage that a later version wrote is none that this one knows."""

        def work(c: sqlite3.Cursor) -> Lock:
            row = c.execute(f"SELECT {_COLUMNS} FROM reboot_lock").fetchone()  # noqa: S608
            if row is None or row[0] not in Stage.__members__:
                return NO_LOCK
            stage, client, group, began, at, boot, undone, owed = row
            return Lock(Stage[stage], Client(client, group), began, at, boot, undone, bool(owed))

        return await self._writer.run(work)
