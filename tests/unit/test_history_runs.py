"""The runs of jobs in the history: kept, bounded, and added to a file that has none."""

import sqlite3
from dataclasses import replace
from pathlib import Path

from workloadd.core.runs import Run
from workloadd.history import History, RunRow
from workloadd.history.runs import KEEP_RUNS, RECENT

BEGUN = Run(0, "backup", "r1", "c1", "schedule", 1, 100.25)


async def test_a_run_from_beginning_to_end(history: History) -> None:
    number = await history.runs.begin(BEGUN)
    begun = replace(BEGUN, id=number)
    assert await history.runs.recent() == {"backup": (begun,)}
    assert begun.on
    ended = replace(begun, ended_at=103.5, exit_code=3, outcome="failed")
    await history.runs.end(ended, ("one", "two"))
    assert await history.runs.recent() == {"backup": (ended,)}
    assert await history.runs.of("backup") == [RunRow(ended, ("one", "two"))]


async def test_a_run_of_which_only_the_end_was_seen(history: History) -> None:
    ended = replace(BEGUN, ended_at=103.5, exit_code=0, outcome="succeeded")
    await history.runs.end(ended)
    (row,) = await history.runs.of("backup")
    assert row.run == replace(ended, id=row.run.id)


async def test_a_second_end_is_ignored(history: History) -> None:
    begun = replace(BEGUN, id=await history.runs.begin(BEGUN))
    await history.runs.end(replace(begun, ended_at=1.0, outcome="interrupted"))
    await history.runs.end(replace(begun, ended_at=2.0, exit_code=0, outcome="succeeded"))
    (row,) = await history.runs.of("backup")
    assert (row.run.outcome, row.run.exit_code) == ("interrupted", None)


async def test_only_the_last_runs_are_kept_and_fewer_planned_with(history: History) -> None:
    for number in range(KEEP_RUNS + 5):
        await history.runs.begin(replace(BEGUN, started_at=float(number)))
    await history.runs.begin(replace(BEGUN, workload="other"))
    rows = await history.runs.of("backup", 100)
    assert [row.run.started_at for row in rows] == [float(n) for n in range(KEEP_RUNS + 4, 4, -1)]
    recent = await history.runs.recent()
    assert len(recent["backup"]) == RECENT
    assert recent["backup"][0].started_at == KEEP_RUNS + 4
    assert len(recent["other"]) == 1


async def test_a_removed_workload_s_runs_go_with_its_rollouts(history: History) -> None:
    await history.runs.begin(BEGUN)
    await history.end(await history.begin("backup", "r1", "", "new", 1.0), 2.0, "removed")
    later = await history.begin("web", "r1", "", "new", 1e9)
    await history.end(later, 1e9, "stable")
    assert await history.runs.of("backup") == []


async def test_a_file_of_the_first_version_gets_them(history: History, file: Path) -> None:
    await history.begin("web", "r1", "", "new", 1.0)
    await history.close()
    first = sqlite3.connect(file)
    first.executescript(
        "DROP TABLE runs; DROP TABLE hands; DROP TABLE revisions; DROP TABLE images;"
        "DROP TABLE reboot_lock; PRAGMA user_version=1"
    )
    first.close()
    again = History(file)
    assert await again.open() is None
    await again.runs.begin(BEGUN)
    assert len(await again.runs.of("backup")) == 1
    assert len(await again.rollouts("web")) == 1
    await again.close()
