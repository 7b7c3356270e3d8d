"""What was rolled out, so that two revisions can be compared; in the history's database."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from workloadd.history.writer import Writer

# Revisions of each workload that are kept, and the bytes of one at most: a larger one is not.
KEEP_REVISIONS = 50
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A revision as it was rolled out. `content` maps each field to its value, nothing secret."""

    revision: str
    at: float
    content: Mapping[str, object]


class Revisions:
    """The revisions that were rolled out."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def keep(
        self, workload: str, revision: str, at: float, content: Mapping[str, object]
    ) -> None:
        """Keep what a revision is like. One that is known is taken down as rolled out anew."""
        text = json.dumps(dict(content), ensure_ascii=False, sort_keys=True)
        if len(text.encode(errors="replace")) > MAX_BYTES:
            return

        def work(c: sqlite3.Cursor) -> None:
            c.execute(
                "INSERT OR REPLACE INTO revisions (workload, revision, at, content)"
                " VALUES (?,?,?,?)",
                (workload, revision, at, text),
            )
            c.execute(
                "DELETE FROM revisions WHERE workload=? AND revision NOT IN (SELECT revision"
                " FROM revisions WHERE workload=? ORDER BY at DESC, rowid DESC LIMIT ?)",
                (workload, workload, KEEP_REVISIONS),
            )

        await self._writer.run(work)

    async def find(self, workload: str, prefix: str) -> list[RevisionRow]:
        """The revisions of a workload that begin so, the newest first."""

        def work(c: sqlite3.Cursor) -> list[RevisionRow]:
            rows = c.execute(
                "SELECT revision, at, content FROM revisions WHERE workload=?"
                " AND substr(revision, 1, ?)=? ORDER BY at DESC, rowid DESC",
                (workload, len(prefix), prefix),
            )
            return [RevisionRow(revision, at, json.loads(text)) for revision, at, text in rows]

        return await self._writer.run(work)
