"""How much room there has to be, and what is said where there is too little."""

from dataclasses import replace

import pytest

from workloadd.core.room import GIB, DiskFacts, Low, disk_low, short_of, size_text

DISK = DiskFacts("/var", "images and containers", 2 * GIB, 100 * GIB, 500, 1000)


@pytest.mark.parametrize(
    ("disk", "low", "short"),
    [
        (DISK, Low(), False),
        (DISK, Low(3 * GIB), True),
        (DISK, Low(0, share=0.05), True),
        (DISK, Low(0, share=0.01), False),
        (replace(DISK, free_inodes=19), Low(), True),
        (replace(DISK, free_inodes=20), Low(), False),
        # It makes inodes as they are needed.
        (replace(DISK, free_inodes=0, inodes=0), Low(), False),
    ],
)
def test_short(disk: DiskFacts, low: Low, short: bool) -> None:
    assert bool(short_of([disk], low)) is short


def test_a_pull_that_is_on_may_use_half() -> None:
    low = Low(3 * GIB)
    assert short_of([DISK], low)
    assert not short_of([DISK], low.while_pulling)
    assert short_of([replace(DISK, free=GIB)], low.while_pulling)


def test_it_says_how_much_is_free_what_is_needed_and_what_to_do() -> None:
    problem = disk_low("app:1", DISK, Low(3 * GIB), stopped=False)
    assert problem.reason == "DiskLow"
    assert problem.message == (
        "cannot pull app:1: not begun, only 2.0 GiB (2 %) free for images and containers (/var),"
        " less than 3.0 GiB"
    )
    assert "workloadctl prune" in problem.hint
    stopped = disk_low("app:1", replace(DISK, free_inodes=1), Low(), stopped=True)
    assert "was stopped, only 1 of 1000 inodes free" in stopped.message


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (GIB, "1.0 GiB"), (1 << 51, "2048.0 TiB")],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text
