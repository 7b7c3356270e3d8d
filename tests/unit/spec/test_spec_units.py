"""Sizes and durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.problems import ProblemsError
from workloadd.spec.units import (
    MAX_DURATION,
    MAX_SIZE,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), (512, 512), ("512", 512), ("512b", 512), ("1k", 1024), ("1kb", 1024),
        ("64KiB", 65536), ("512m", 512 * 2**20), ("512 MB", 512 * 2**20), ("1.5g", 3 * 2**29),
        ("2T", 2**41), ("1p", 2**50), ("0.3k", 307), (" 1m ", 2**20),
    ],
)  # fmt: skip
def test_size(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "m",
        "-1",
        "1x",
        "1mm",
        "1e3",
        "1,5g",
        ".5g",
        "9999p",
        -1,
        2**63,
        True,
        1.5,
        None,
        [1],
        "٣",
    ],
)
def test_bad_size(bad: object) -> None:
    with pytest.raises(ProblemsError, match=r"512m, 1\.5g or 64KiB"):
        parse_size(bad)


@given(st.integers(0, MAX_SIZE))
def test_size_round_trip(size: int) -> None:
    assert parse_size(format_size(size)) == size


def test_size_is_shown_in_the_largest_exact_unit() -> None:
    assert [format_size(n) for n in (0, 1000, 1024, 1536, 3 * 2**29)] == [
        "0B", "1000B", "1KiB", "1536B", "1536MiB",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (10, 10.0), (2.5, 2.5), ("10", 10.0), ("0", 0.0), ("10s", 10.0), ("1m30s", 90.0),
        ("1min 30sec", 90.0), ("1h", 3600.0), ("2h32m", 9120.0), ("1.5h", 5400.0),
        ("250ms", 0.25), ("1us", 1e-6), ("1d", 86400.0), ("1w", 604800.0),
    ],
)  # fmt: skip
def test_duration(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "bad",
    ["", "s", "-1s", "1x", "1m1m", "1s1m", "1 2s", "366d", "1M", -1, 1e9, float("nan"),
     float("inf"), True, None, "infinity"],
)  # fmt: skip
def test_bad_duration(bad: object) -> None:
    with pytest.raises(ProblemsError):
        parse_duration(bad)


@given(st.integers(0, int(MAX_DURATION) * 10**6))
def test_duration_round_trip(micros: int) -> None:
    seconds = micros / 10**6
    assert parse_duration(format_duration(seconds)) == seconds
    assert parse_duration(seconds) == seconds


def test_duration_is_shown_in_units() -> None:
    assert [format_duration(s) for s in (0, 0.5, 10, 90, 86400)] == [
        "0s",
        "500ms",
        "10s",
        "1m30s",
        "1d",
    ]
