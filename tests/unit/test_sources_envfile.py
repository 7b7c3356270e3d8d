"""Env files: Podman's format, positions in errors, and never a value in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.sources.envfile import MAX_VALUE_BYTES, MAX_VARIABLES, parse_env_file
from workloadd.sources.files import MAX_BYTES

SECRET = "hunter2-and-more"


def parse(text: str | bytes) -> dict[str, str]:
    data = text.encode() if isinstance(text, str) else text
    content = parse_env_file("/etc/web.env", data)
    assert content.problems == ()
    return dict(content.variables)


def problems(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    content = parse_env_file("/etc/web.env", data)
    assert content.variables == ()
    return [problem.message for problem in content.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("# comment\n\n  # another\n \t A=1\n", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=b=c=d", {"A": "b=c=d"}),
        ("A=  kept  ", {"A": "  kept  "}),
        ('A="quotes kept"', {"A": '"quotes kept"'}),
        ("A=$HOME ${X} `x` # no comment", {"A": "$HOME ${X} `x` # no comment"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=1\nB=2\nA=3", {"B": "2", "A": "3"}),
        ("", {}),
    ],
)
def test_the_format(text: str, expected: dict[str, str]) -> None:
    assert list(parse(text).items()) == list(expected.items())


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (f"A=1\n{SECRET}\n", 2, "there is no ="),
        (f"={SECRET}", 1, "is not the name of a variable"),
        (f"A ={SECRET}", 1, "is not the name of a variable"),
        (f"export A={SECRET}", 1, "export is for shell scripts"),
        (f"\n\nA={SECRET}\0", 3, "has a NUL"),
        (f"A={SECRET}".encode() + b"\xff", 1, "the value of A is not UTF-8"),
        (f"A={SECRET * MAX_VALUE_BYTES}", 1, "the value of A is longer"),
    ],
)
def test_an_error_says_its_line_and_never_the_value(
    text: str | bytes, line: int, what: str
) -> None:
    (message,) = problems(text)
    assert message.startswith(f"cannot read /etc/web.env:{line}: ")
    assert what in message
    assert SECRET not in message


def test_all_errors_up_to_a_bound() -> None:
    assert len(problems("x\ny\n")) == 2
    assert len(problems("x\n" * 1000)) == 10


def test_bounds() -> None:
    assert "larger than" in problems(b"#" * (MAX_BYTES + 1))[0]
    many = "".join(f"A{number}=1\n" for number in range(MAX_VARIABLES + 1))
    assert "more than" in problems(many)[0]


def test_values_are_in_no_repr() -> None:
    assert SECRET not in repr(parse_env_file("/etc/web.env", f"A={SECRET}".encode()))


@given(st.binary(max_size=200))
def test_any_bytes_are_variables_or_problems(data: bytes) -> None:
    content = parse_env_file("/etc/web.env", data)
    assert not (content.variables and content.problems)
    assert all("=" not in name and value.encode() in data for name, value in content.variables)
