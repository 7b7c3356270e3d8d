"""History: what it remembers, its bounds, and that nothing about its file can stop the daemon."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from workloadd.core.errors import Problem, Transient
from workloadd.core.memory import Bad, LastRollout, OpenRollout
from workloadd.history import EventRow, History, Step
from workloadd.history.rows import MAX_LINE_BYTES, MAX_LOG_LINES
from workloadd.history.store import KEEP_BAD, KEEP_REMOVED, KEEP_STEPS
from workloadd.history.writer import Writer

CRASHED = Problem("Crashed", "cannot keep it running: exit code 1", "see its log")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.sqlite3"


@pytest.fixture
async def history(file: Path) -> AsyncIterator[History]:
    history = History(file, keep=3)
    assert await history.open() is None
    yield history
    await history.close()


def put(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)


def spoil(file: Path) -> None:
    """Overwrite every page but the first."""
    size = file.stat().st_size
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * (size - 4096))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_a_rollout_from_beginning_to_end(history: History) -> None:
    rollout = await history.begin("web", "r2", "r1", "file changed", 100.0)
    _, open_, last = await history.memory()
    assert open_ == {"web": OpenRollout(rollout, "web", "r2", "file changed", 100.0)}
    assert last == {}
    await history.step(rollout, 101.0, "Create", "container abc")
    await history.committed(rollout, 102.0)
    _, open_, _ = await history.memory()
    assert open_["web"].committed_at == 102.0
    await history.end(rollout, 110.0, "rolled-back", CRASHED, ("one", "two"))
    bad, open_, last = await history.memory()
    assert (bad, open_) == ({}, {})
    assert last == {"web": LastRollout("r2", "rolled-back", CRASHED, 110.0, "file changed", 100.0)}
    (row,) = await history.rollouts("web")
    assert (row.id, row.from_revision, row.committed_at, row.ended_at) == (rollout, "r1", 102, 110)
    assert (row.outcome, row.problem, row.log) == ("rolled-back", CRASHED, ("one", "two"))
    assert row.steps == (Step(101.0, "Create", "container abc"),)


async def test_a_second_end_is_ignored(history: History) -> None:
    rollout = await history.begin("web", "r1", "", "new", 1.0)
    await history.end(rollout, 2.0, "stable")
    await history.end(rollout, 3.0, "failed", CRASHED)
    assert (await history.rollouts("web"))[0].outcome == "stable"


async def test_a_new_rollout_supersedes_the_open_one_of_its_workload(history: History) -> None:
    await history.begin("web", "r1", "", "new", 1.0)
    other = await history.begin("db", "r1", "", "new", 1.0)
    second = await history.begin("web", "r2", "", "file changed", 2.0)
    _, open_, last = await history.memory()
    assert {name: r.id for name, r in open_.items()} == {"web": second, "db": other}
    assert last["web"].problem is not None
    assert last["web"].problem.reason == "Superseded"


async def test_bad_revisions(history: History) -> None:
    await history.mark_bad("web", "r1", CRASHED, 1.0)
    await history.mark_bad("db", "r1", CRASHED, 1.0)
    bad, _, _ = await history.memory()
    assert bad["web", "r1"] == Bad("r1", CRASHED, 1.0)
    await history.forget_bad("web")
    assert set((await history.memory())[0]) == {("db", "r1")}
    for number in range(KEEP_BAD + 5):
        await history.mark_bad("web", f"r{number}", CRASHED, 10.0 + number)
    kept = {revision for workload, revision in (await history.memory())[0] if workload == "web"}
    assert kept == {f"r{number}" for number in range(5, KEEP_BAD + 5)}


async def test_news_are_noted_once(history: History) -> None:
    for at, said in enumerate(("two", "two", "three", "two")):
        await history.note_news("web", float(at), "newer-image", said)
        await history.note("web", float(at), "other", said)
    noted = [e for e in await history.events("web") if e.kind == "newer-image"]
    assert [e.message for e in noted] == ["two", "three", "two"]


async def test_everything_is_bounded(history: History) -> None:
    for number in range(6):
        rollout = await history.begin("web", f"r{number}", "", "new", float(number))
        await history.end(rollout, number + 0.5, "stable")
    assert [r.revision for r in await history.rollouts("web")] == ["r5", "r4", "r3"]
    for number in range(20):
        await history.note("web", float(number), "Drift", f"event {number}")
    events = await history.events("web", 100)
    assert len(events) == 12
    assert events[0] == EventRow("web", 19.0, "Drift", "event 19")
    rollout = await history.begin("web", "r6", "", "new", 10.0)
    for number in range(KEEP_STEPS + 5):
        await history.step(rollout, float(number), f"step {number}")
    lines = tuple(f"{number} " + "ü" * MAX_LINE_BYTES for number in range(MAX_LOG_LINES + 5))
    await history.end(rollout, 11.0, "failed", CRASHED, lines)
    row = (await history.rollouts("web", 1))[0]
    assert row.steps[0].step == "step 5"
    assert len(row.log) == MAX_LOG_LINES
    assert row.log[0].startswith("5 ü")
    assert max(len(line.encode()) for line in row.log) <= MAX_LINE_BYTES


async def test_a_step_of_a_rollout_that_is_gone_is_ignored(history: History) -> None:
    await history.step(4711, 1.0, "Create")


async def test_a_removed_workload_is_forgotten_after_a_while(history: History) -> None:
    for name in ("web", "again"):
        removal = await history.begin(name, "r1", "r1", "file gone", 1.0)
        await history.mark_bad(name, "r0", CRASHED, 1.0)
        await history.note(name, 1.0, "Removed", "its file is gone")
        await history.end(removal, 2.0, "removed")
    back = await history.begin("again", "r1", "", "new", 3.0)
    await history.end(back, 3.0 + KEEP_REMOVED, "stable")
    assert await history.rollouts("web") == []
    assert await history.events("web") == []
    assert len(await history.rollouts("again")) == 2
    assert set((await history.memory())[0]) == {("again", "r0")}


async def test_it_is_there_after_a_restart(history: History, file: Path) -> None:
    await history.begin("web", "r1", "", "new", 1.0)
    await history.mark_bad("web", "r0", CRASHED, 1.0)
    before = await history.memory()
    await history.close()
    again = History(file)
    assert await again.open() is None
    assert await again.memory() == before
    await again.close()
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)


async def test_many_at_once_keep_their_order(history: History) -> None:
    ids = await asyncio.gather(
        *(history.begin(f"w{number}", "r", "", "new", 1.0) for number in range(100))
    )
    assert ids == sorted(ids)
    assert len((await history.memory())[1]) == 100


async def test_memory_is_never_older_than_a_change_asked_for_before(history: History) -> None:
    reading = asyncio.create_task(history.memory())
    marking = asyncio.create_task(history.mark_bad("web", "r1", CRASHED, 1.0))
    await asyncio.gather(reading, marking)
    assert set((await history.memory())[0]) == {("web", "r1")}


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
async def test_an_unusable_file_is_replaced(file: Path, content: bytes) -> None:
    put(file, content)
    history = History(file)
    problem = await history.open()
    if content:
        assert problem is not None
        assert problem.reason == "HistoryDamaged"
        assert file.with_name("history.sqlite3.damaged").read_bytes() == content
    await history.begin("web", "r1", "", "new", 1.0)
    await history.close()


async def test_another_programs_database_is_moved_aside(file: Path) -> None:
    file.parent.mkdir()
    other = sqlite3.connect(file)
    other.executescript("CREATE TABLE recipes (id); PRAGMA user_version=7;")
    other.close()
    history = History(file)
    problem = await history.open()
    assert problem is not None
    assert problem.reason == "HistoryDamaged"
    await history.close()


async def test_a_malformed_file_is_replaced(history: History, file: Path) -> None:
    await history.begin("web", "r1", "", "new", 1.0)
    await history.close()
    spoil(file)
    again = History(file)
    problem = await again.open()
    assert problem is not None
    assert await again.rollouts("web") == []
    await again.close()


async def test_damage_that_shows_while_it_runs(file: Path) -> None:
    writer = Writer(file)
    await writer.open()
    attempts = []

    def work(cursor: sqlite3.Cursor) -> int:
        attempts.append(cursor)
        if len(attempts) == 1:
            error = sqlite3.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        return len(attempts)

    assert await writer.run(work) == 2
    await writer.close()


async def test_without_a_place_to_write_it_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the directory should be")
    history = History(tmp_path / "state" / "history.sqlite3")
    problem = await history.open()
    assert problem is not None
    assert problem.reason == "HistoryVolatile"
    await history.mark_bad("web", "r1", CRASHED, 1.0)
    assert set((await history.memory())[0]) == {("web", "r1")}
    await history.close()


async def test_a_file_of_a_later_version_is_used_and_stays_one(file: Path) -> None:
    history = History(file)
    await history.open()
    await history.close()
    later = sqlite3.connect(file)
    later.executescript(
        "ALTER TABLE rollouts ADD COLUMN author TEXT; CREATE TABLE more (id); PRAGMA user_version=9"
    )
    later.close()
    history = History(file)
    assert await history.open() is None
    await history.begin("web", "r1", "", "new", 1.0)
    await history.close()
    check = sqlite3.connect(file)
    assert check.execute("PRAGMA user_version").fetchone() == (9,)
    check.close()


async def test_reading_beside_the_daemon(history: History, file: Path) -> None:
    reader = History(file)
    assert await reader.open(readonly=True) is None
    rollout = await history.begin("web", "r1", "", "new", 1.0)
    assert [row.id for row in await reader.rollouts("web")] == [rollout]
    with pytest.raises(Transient, match="readonly"):
        await reader.note("web", 1.0, "Drift", "x")
    await reader.close()


async def test_reading_without_the_daemon(history: History, file: Path, tmp_path: Path) -> None:
    await history.begin("web", "r1", "", "new", 1.0)
    await history.close()
    reader = History(file)
    assert await reader.open(readonly=True) is None
    assert len(await reader.rollouts("web")) == 1
    await reader.close()
    missing = History(tmp_path / "nowhere" / "history.sqlite3")
    problem = await missing.open(readonly=True)
    assert problem is not None
    assert problem.reason == "HistoryMissing"
    assert await missing.rollouts("web") == []
    await missing.close()
    assert not (tmp_path / "nowhere").exists()


async def test_one_failed_job_takes_no_other_with_it(history: History) -> None:
    begun, refused, noted = await asyncio.gather(
        history.begin("web", "r1", "", "new", 1.0),
        history.note("web", 1.0, "Drift", None),  # type: ignore[arg-type]
        history.note("web", 2.0, "Drift", "kept"),
        return_exceptions=True,
    )
    assert isinstance(begun, int)
    assert isinstance(refused, Exception)
    assert noted is None
    assert [event.message for event in await history.events("web")] == ["kept"]


async def test_a_closed_history_refuses(history: History) -> None:
    await history.close()
    await history.close()
    with pytest.raises(Transient, match="not open"):
        await history.rollouts("web")
