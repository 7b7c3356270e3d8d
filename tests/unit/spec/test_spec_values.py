"""Names, signals, capabilities and the small fields of a process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.capabilities import CAPABILITIES, parse_capabilities
from workloadd.spec.names import MAX_NAME, check_name, propose_name
from workloadd.spec.problems import ProblemsError
from workloadd.spec.process import (
    parse_arguments,
    parse_hostname,
    parse_restart,
    parse_stop_timeout,
    parse_user,
)
from workloadd.spec.signals import parse_signal, signal_number
from workloadd.spec.text import did_you_mean, excerpt


@pytest.mark.parametrize("name", ["a", "0", "web", "web-1", "a--b", "x" * MAX_NAME])
def test_good_name(name: str) -> None:
    assert check_name(name) is None


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "Web", "a_b", "a.b", "a b", "../a", "ä", "a\n", "x" * (MAX_NAME + 1)]
)
def test_bad_name(name: str) -> None:
    assert check_name(name)


@given(st.text(max_size=80))
def test_proposed_name_is_valid(text: str) -> None:
    proposed = propose_name(text)
    assert proposed is None or check_name(proposed) is None


@pytest.mark.parametrize(
    ("given_", "name", "number"),
    [
        ("SIGTERM", "SIGTERM", 15), ("term", "SIGTERM", 15), (15, "SIGTERM", 15),
        ("9", "SIGKILL", 9), ("RTMIN+3", "SIGRTMIN+3", 37), (37, "SIGRTMIN+3", 37),
        ("SIGRTMAX", "SIGRTMIN+30", 64), ("SIGRTMAX-1", "SIGRTMIN+29", 63),
        ("RTMIN", "SIGRTMIN", 34), ("SIGWINCH", "SIGWINCH", 28),
    ],
)  # fmt: skip
def test_signal(given_: object, name: str, number: int) -> None:
    assert parse_signal(given_) == name
    assert signal_number(name) == number


@pytest.mark.parametrize(
    "bad", ["", "SIGFOO", 0, 32, 65, -1, True, None, "RTMIN+31", "RTMAX-31", 1.0]
)
def test_bad_signal(bad: object) -> None:
    with pytest.raises(ProblemsError):
        parse_signal(bad)


def test_signal_number_takes_names_only_from_the_parser() -> None:
    with pytest.raises(ValueError, match="SIGFOO"):
        signal_number("SIGFOO")


def test_capabilities_are_normalised() -> None:
    assert parse_capabilities(["net_raw", "CAP_CHOWN", "NET_RAW"]) == ("CAP_CHOWN", "CAP_NET_RAW")
    assert parse_capabilities(["net_raw", "all"]) == ("ALL",)
    assert len(set(CAPABILITIES)) == 41


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, None), ("", ()), ([], ()), ("a 'b c' \"d\"", ("a", "b c", "d")),
        (["a b", ""], ("a b", "")), ("a # b", ("a", "#", "b")),
    ],
)  # fmt: skip
def test_arguments(value: object, words: tuple[str, ...] | None) -> None:
    assert parse_arguments(value) == words


@pytest.mark.parametrize("bad", ["'a", ["\0"], [None], [True], ["a"] * 257, "x" * 40000, 5])
def test_bad_arguments(bad: object) -> None:
    with pytest.raises(ProblemsError):
        parse_arguments(bad)


@pytest.mark.parametrize(("value", "user"), [(0, "0"), ("www-data", "www-data"), ("1:a", "1:a")])
def test_user(value: object, user: str) -> None:
    assert parse_user(value) == user


@pytest.mark.parametrize("bad", [-1, 2**32 - 1, "a:", ":a", "a b", True, "a\nb", "", 1.5])
def test_bad_user(bad: object) -> None:
    with pytest.raises(ProblemsError):
        parse_user(bad)


@pytest.mark.parametrize("bad", ["-a", "a-", "a..b", "a_b", "x" * 64, "a." * 33, "", 5])
def test_bad_hostname(bad: object) -> None:
    with pytest.raises(ProblemsError):
        parse_hostname(bad)


@pytest.mark.parametrize(
    "bad", ["on-failure:0", "on-failure:", "always:3", "On-Failure", True, 3, None]
)
def test_bad_restart(bad: object) -> None:
    with pytest.raises(ProblemsError):
        parse_restart(bad)


def test_stop_timeout_is_bounded() -> None:
    assert parse_stop_timeout(86400) == 86400
    with pytest.raises(ProblemsError, match="more than 24h"):
        parse_stop_timeout(86400.5)


def test_excerpt_is_harmless_to_a_terminal() -> None:
    assert excerpt("\x1b[31m\n") == "\\x1b[31m\\n"
    assert len(excerpt("x" * 1000)) == 80


def test_did_you_mean_is_bounded() -> None:
    assert did_you_mean("Comand", ["command", "image"]) == "did you mean command?"
    assert did_you_mean("x" * 10_000, ["x" * 10_000]) == ""
