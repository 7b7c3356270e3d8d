"""What people asked for, and what was rolled out, in the history's database."""

import sqlite3
from dataclasses import replace
from pathlib import Path

from workloadd.core.errors import Problem
from workloadd.core.hands import Hand, without
from workloadd.history import History
from workloadd.history.revisions import KEEP_REVISIONS, MAX_BYTES

HELD = Hand("web", "hold", "ann", 100.5, "it was slow", "a" * 64, "key")
PAUSED = Hand("web", "pause", "root", 101.0)


async def test_a_wish_of_each_kind_is_kept_until_it_is_cleared(history: History) -> None:
    await history.set_hand(HELD)
    await history.set_hand(PAUSED)
    assert await history.hands.all() == {"web": {"hold": HELD, "pause": PAUSED}}
    await history.clear_hand(HELD)
    assert await history.hands.of("web") == {"pause": PAUSED}
    assert await history.hands.of("other") == {}


async def test_a_newer_one_takes_its_place_and_is_not_cleared_with_it(history: History) -> None:
    newer = replace(HELD, at=200.0, revision="b" * 64)
    await history.set_hand(HELD)
    await history.set_hand(newer)
    await history.clear_hand(HELD)
    assert await history.hands.of("web") == {"hold": newer}


async def test_it_outlives_the_daemon(history: History, file: Path) -> None:
    await history.set_hand(HELD)
    await history.close()
    again = History(file)
    await again.open()
    assert await again.hands.of("web") == {"hold": HELD}
    await again.close()


async def test_a_file_of_the_version_before_gets_the_tables(history: History, file: Path) -> None:
    await history.begin("web", "r1", "", "new workload", 1.0)
    await history.close()
    with sqlite3.connect(file) as older:
        older.executescript(
            "DROP TABLE hands; DROP TABLE revisions; DROP TABLE images;"
            "DROP TABLE reboot_lock; PRAGMA user_version=2;"
        )
    older.close()
    again = History(file)
    assert await again.open() is None
    await again.set_hand(HELD)
    assert len(await again.rollouts("web")) == 1
    await again.close()


async def test_what_is_long_gone_is_forgotten(history: History) -> None:
    await history.set_hand(HELD)
    await history.revisions.keep("web", "r1", 1.0, {"image": "one"})
    rollout = await history.begin("web", "r1", "", "new workload", 1.0)
    await history.end(rollout, 2.0, "removed", Problem("Removed", "gone"))
    other = await history.begin("other", "r1", "", "new workload", 1.0)
    await history.end(other, 40 * 86400.0, "stable")
    assert await history.revisions.find("web", "") == []
    history.hands._changed()
    assert await history.hands.all() == {}


async def test_revisions_are_found_by_how_they_begin(history: History) -> None:
    await history.revisions.keep("web", "ab1", 1.0, {"image": "one"})
    await history.revisions.keep("web", "ab2", 2.0, {"image": "two"})
    await history.revisions.keep("web", "cd", 3.0, {"image": "three"})
    await history.revisions.keep("other", "ab3", 4.0, {"image": "four"})
    found = await history.revisions.find("web", "ab")
    assert [(row.revision, row.content["image"]) for row in found] == [
        ("ab2", "two"),
        ("ab1", "one"),
    ]
    assert await history.revisions.find("web", "%") == []


async def test_only_the_last_revisions_are_kept_and_none_that_is_huge(history: History) -> None:
    for number in range(KEEP_REVISIONS + 3):
        await history.revisions.keep("web", f"r{number}", float(number), {})
    await history.revisions.keep("web", "huge", 1e6, {"command": "x" * MAX_BYTES})
    rows = await history.revisions.find("web", "")
    assert len(rows) == KEEP_REVISIONS
    assert rows[0].revision == f"r{KEEP_REVISIONS + 2}"


def test_what_was_cleared_meanwhile_does_not_count() -> None:
    assert without({"web": {"hold": HELD, "pause": PAUSED}}, {HELD}) == {"web": {"pause": PAUSED}}
