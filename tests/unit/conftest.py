"""What several tests of the history use."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from workloadd.history import History


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a history is, or will be."""
    return tmp_path / "history.sqlite3"


@pytest.fixture
async def history(file: Path) -> AsyncIterator[History]:
    """An open one, with nothing in it."""
    opened = History(file)
    assert await opened.open() is None
    yield opened
    await opened.close()
