"""The images that workloadd pulled, in the history's database: Podman puts no mark on them."""

import sqlite3
from collections.abc import Collection, Mapping

from workloadd.core.prune import OurImage
from workloadd.history.writer import Writer


class Images:
    """Which images are ours, by ID, and when they were last of use."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def pulled(self, image: str, names: Collection[str], at: float) -> None:
        """Note that a pull brought an image, or further names for one of ours.

        One without a name is noted as well.
        """

        def work(c: sqlite3.Cursor) -> None:
            c.executemany(
                "INSERT INTO images (id, reference, pulled_at, last_used) VALUES (?,?,?,?)"
                " ON CONFLICT (id, reference) DO UPDATE SET pulled_at=?, last_used=?",
                [(image, name, at, at, at, at) for name in names or ("",)],
            )

        await self._writer.run(work)

    async def used(self, images: Collection[str], at: float) -> None:
        """Note that images are in use now; what is not ours is passed over."""

        def work(c: sqlite3.Cursor) -> None:
            c.executemany("UPDATE images SET last_used=? WHERE id=?", [(at, i) for i in images])

        await self._writer.run(work)

    async def forget(self, images: Collection[str]) -> None:
        """Drop images that are there no longer."""

        def work(c: sqlite3.Cursor) -> None:
            c.executemany("DELETE FROM images WHERE id=?", [(image,) for image in images])

        await self._writer.run(work)

    async def ours(self) -> Mapping[str, OurImage]:
        """All of them."""
        return await self._writer.run(_read)


def _read(c: sqlite3.Cursor) -> dict[str, OurImage]:
    rows = c.execute(
        "SELECT id, group_concat(reference, char(10)), max(pulled_at), max(last_used)"
        " FROM images GROUP BY id"
    )
    return {
        image: OurImage(image, frozenset(filter(None, names.split("\n"))), pulled_at, last_used)
        for image, names, pulled_at, last_used in rows
    }
