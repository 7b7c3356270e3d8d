"""Regular expressions in a workload file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.pattern import is_found, parse_pattern
from workloadd.spec.problems import ProblemsError


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ('"status": *"ok"', b'{"status":  "ok"}\n', True),
        ("^ok$", b"ok", True),
        ("^ok$", b"ok\n", True),
        ("^ok$", b"ok\n\n", False),
        ("^ok\n$", b"ok\n", True),
        (r"ok\s*$", b"ok\n", True),
        ("(?m)^ok$", b"so\nok\n", True),
        ("(?i)OK", b"ok", True),
        ("^.$", "ü".encode(), True),
        ("ok", b"\xff\x00ok", True),
        ("a.b", b"a\nb", False),
        ("", b"", True),
    ],
)
def test_what_is_found(pattern: str, text: bytes, found: bool) -> None:
    assert is_found(parse_pattern(pattern), text) is found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[a", "missing ]: [a"),
        ("(a", "missing ): (a"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?<=a)b", "invalid perl operator: (?<"),
        # What others compile into gigabytes.
        ("((((a{99}){99}){99}){99}){9}", "invalid repetition size: {99}"),
        (r"\pL{900}", "pattern too large"),
        ("a" * 1025, "1024"),
    ],
)
def test_what_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ProblemsError, match=re.escape(why)):
        parse_pattern(pattern)


@given(st.text(st.sampled_from("ab(|)[]*+?{}.^$\\1,29"), max_size=40), st.binary(max_size=40))
def test_any_other_can_be_searched_for(pattern: str, text: bytes) -> None:
    try:
        parsed = parse_pattern(pattern)
    except ProblemsError:
        return
    assert is_found(parsed, text) in (True, False)
