"""The restarts of what was not alive, in the history: counted again by the next daemon."""

from pathlib import Path

from workloadd.core.liveness import NOTE
from workloadd.history import History
from workloadd.history.relapses import KEEP


async def test_they_are_counted_from_events(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite3")
    assert await history.open() is None
    assert await history.relapses.recent() == {}
    for workload, at, kind in (
        ("web", 100.0, NOTE),
        ("web", 200.0, "drift"),
        ("db", 300.0, NOTE),
        ("web", 400.0, NOTE),
    ):
        await history.note(workload, at, kind, "its liveness probe failed: refused")
    expected = {"web": (400.0, 100.0), "db": (300.0,)}
    assert await history.relapses.recent() == expected
    await history.close()
    again = History(tmp_path / "history.sqlite3")
    assert await again.open() is None
    assert await again.relapses.recent() == expected
    for at in range(KEEP + 5):
        await again.note("web", 1000.0 + at, NOTE, "again")
    assert len((await again.relapses.recent())["web"]) == KEEP
    await again.close()
