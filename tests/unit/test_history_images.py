"""Which images workloadd pulled, as the history knows."""

import sqlite3
from pathlib import Path

from workloadd.core.prune import OurImage
from workloadd.history import History


async def test_by_all_names_that_pulls_brought(history: History) -> None:
    await history.images.pulled("a", {"r.test/app:1"}, 1.0)
    await history.images.pulled("a", {"r.test/app:2"}, 2.0)
    await history.images.pulled("b", (), 3.0)
    assert await history.images.ours() == {
        "a": OurImage("a", frozenset({"r.test/app:1", "r.test/app:2"}), 2.0, 2.0),
        "b": OurImage("b", frozenset(), 3.0, 3.0),
    }


async def test_use_and_removal_of_what_is_ours(history: History) -> None:
    await history.images.pulled("a", {"r.test/app:1"}, 1.0)
    await history.images.used({"a", "theirs"}, 5.0)
    assert await history.images.ours() == {
        "a": OurImage("a", frozenset({"r.test/app:1"}), 1.0, 5.0)
    }
    await history.images.forget({"a"})
    assert await history.images.ours() == {}


async def test_a_file_of_the_version_before_gets_the_table(history: History, file: Path) -> None:
    await history.begin("web", "r1", "", "new", 1.0)
    await history.close()
    with sqlite3.connect(file) as older:
        older.executescript("DROP TABLE images; DROP TABLE reboot_lock; PRAGMA user_version=3;")
    older.close()
    again = History(file)
    assert await again.open() is None
    assert await again.images.ours() == {}
    assert len(await again.rollouts("web")) == 1
    await again.close()
