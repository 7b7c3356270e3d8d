"""Variables in workload files: what they become, and what is said where they cannot be."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workloadd.spec.load import LoadResult, load_workload
from workloadd.spec.scope import Scope, Variable

SECRET = "hunter2hunter2"
IMAGE = "image: localhost/a:1\n"
SCOPE = Scope(
    {
        name: Variable(value, "/etc/workloadd/facts.d/site.env")
        for name, value in {
            "SITE": "berlin", "EMPTY": "", "CPUS": "1.5", "ON": "false", "PORT": "8081",
            "NULL": "null", "LIST": "[1, 2]", "PAIR": "a: b", "REF": "${SITE}", "TAG": "1.10",
        }.items()
    },
    ("/etc/workloadd/facts.d",),
)  # fmt: skip


def load(text: str, scope: Scope = SCOPE) -> LoadResult:
    return load_workload("web", (IMAGE + text).encode(), "web.yaml", scope)


def described(written: str) -> str:
    result = load(f"description: {written}\n")
    assert result.spec, result.errors
    return result.spec.description


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${SITE}", "berlin"),
        ('"in ${SITE}, ${SITE}"', "in berlin, berlin"),
        ("$SITE $ {SITE} $$", "$SITE $ {SITE} $"),
        ("$${SITE} $$$${SITE} $$${SITE}", "${SITE} $${SITE} $berlin"),
        ("x${EMPTY}y", "xy"),
        ("x${EMPTY:-default}", "xdefault"),
        ("x${EMPTY-default}", "x"),
        ("${NONE:-default}", "default"),
        ("${NONE-default}", "default"),
        ("${NONE:-a ${SITE} b}", "a berlin b"),
        ("${NONE:-${EMPTY:-${ALSO-deep}}}", "deep"),
        ("${SITE:-${NONE}}", "berlin"),
        ("${SITE:?must be there}", "berlin"),
        ("x${EMPTY?only has to be defined}", "x"),
        ("x${SITE:+ yes}${EMPTY:+ no}${NONE+ no}", "x yes"),
        ("${NONE:-$$ {a $}", "$ {a $"),
        ("x${REF}", "x${SITE}"),
        ("WORKLOAD is ${WORKLOAD}", "WORKLOAD is web"),
        ("${PAIR}", "a: b"),
        ("${LIST}", "[1, 2]"),
        ("${NULL}", "null"),
        ("'${TAG}'", "1.10"),
    ],
)
def test_what_is_written_and_meant(written: str, meant: str) -> None:
    assert described(written) == meant


def test_a_plain_scalar_is_read_anew_and_a_quoted_one_is_text() -> None:
    result = load(
        "resources:\n  cpus: ${CPUS}\nenabled: ${ON}\nports:\n- target: ${PORT}\n  published: 80\n"
    )
    assert result.spec
    assert result.spec.enabled is False
    assert result.spec.resources and result.spec.resources.cpus == 1.5
    default = load("resources:\n  cpus: ${NONE:-2}\nenabled: ${NONE-false}\n").spec
    assert default and default.resources and default.resources.cpus == 2
    assert default.enabled is False
    quoted = load('enabled: "${ON}"\n')
    assert [error.reason for error in quoted.errors] == ["WrongType"]


def test_what_is_a_text_in_any_case_stays_as_it_is() -> None:
    values = "  A: ${ON}\n  B: ${TAG}\n  C: ${EMPTY}\n  D: ${NULL}\n"
    text = f"environment:\n{values}labels:\n  v: ${{TAG}}\n"
    spec = load(text).spec
    assert spec
    assert dict(spec.environment) == {"A": "false", "B": "1.10", "C": "", "D": "null"}
    assert dict(spec.labels) == {"v": "1.10"}


def test_keys_have_no_variables() -> None:
    spec = load('labels: {"a${SITE}": b}\n').spec
    assert spec and dict(spec.labels) == {"a${SITE}": "b"}


def test_an_error_of_a_value_says_where_its_variable_is_from() -> None:
    (error,) = load("resources:\n  cpus: ${SITE}\n").errors
    assert (error.line, error.column) == (3, 9)
    assert "SITE is from /etc/workloadd/facts.d/site.env" in error.hint


def test_an_undefined_variable_says_where_to_define_it() -> None:
    (error,) = load("description: at ${SIET}\n").errors
    assert str(error) == (
        "web.yaml:2:17: cannot accept description: the variable SIET is not defined "
        "(define it in a .env file in /etc/workloadd/facts.d; did you mean SITE?)"
    )


def test_an_undefined_variable_has_no_errors_in_its_wake() -> None:
    result = load_workload("web", b"image: ${REGISTRY}/a\nports: ['${P}:80', x]\n", "web.yaml")
    assert [(e.line, e.reason) for e in result.errors] == [
        (1, "UndefinedVariable"), (2, "UndefinedVariable"), (2, "BadPort"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("description: |-\n  ${A}\n", (3, 3)),
        ("description: >-\n  one\n   ${A}\n", (4, 4)),
        ("description: 'one\n  two ${A}'\n", (3, 7)),
        ('description: "\\x24{A}"\n', (2, 14)),  # not written with a dollar: where the text begins
        ("description: é${A}\r\n", (2, 15)),
        ("command: [a, b, 'c${A}']\n", (2, 19)),
        ("command:\n- &x ${A}\n", (3, 6)),
    ],
)
def test_the_place_is_that_of_the_reference(text: str, place: tuple[int, int]) -> None:
    (error,) = load(text).errors
    assert (error.line, error.column) == place
    assert error.reason == "UndefinedVariable"


def test_what_is_in_doubt_is_an_error_even_with_a_default() -> None:
    doubt = "cannot read /etc/workloadd/facts.d/x.env: permission denied"
    scope = Scope({"A": Variable("1", "a.env"), "B": Variable("2", "b.env", doubt)}, (), doubt)
    assert load("description: x${A}\n", scope).spec
    for reference in ("${B}", "${B:-1}", "${C}", "${C:-1}", "${C+1}"):
        (error,) = load(f"description: x{reference}\n", scope).errors
        assert (error.reason, error.hint) == ("FactUnreadable", doubt)


def test_nesting_and_growth_are_bounded() -> None:
    deep = "${A:-" * 9 + "x" + "}" * 9
    (error,) = load(f"description: {deep}\n").errors
    assert error.reason == "TooDeep"
    long = Scope({"L": Variable("x" * 30_000)})
    items = "\n".join("- '" + "${L}" * 10 + "'" for _ in range(5))
    (error,) = load(f"command:\n{items}\n", long).errors
    assert error.reason == "TooLarge"
    (error,) = load(f"description: '{'${A}' * 200_000}'\n").errors
    assert error.reason == "TooLarge"


def test_braces_between_brackets_get_advice() -> None:
    for text in ("resources: {cpus: ${CPUS}}\n", "command: [a, ${SITE}]\n"):
        (error,) = load(text).errors
        assert "quote text with ${ in it" in error.hint


@given(st.text(alphabet="${}:-?+ABn \"'", max_size=30), st.text(max_size=10))
def test_no_reference_raises(written: str, value: str) -> None:
    scope = Scope({"A": Variable(value)})
    text = written.replace("\\", "\\\\").replace('"', '\\"')
    result = load(f'description: "{text}"\n', scope)
    assert (result.spec is None) == bool(result.errors)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_a_value_is_never_structure(value: str) -> None:
    """Whatever a variable says, it ends up in the place where it stands, as that text."""
    assume("$" not in value)
    result = load("environment:\n  A: ${V}\n  B: '${V}'\n", Scope({"V": Variable(value)}))
    assert result.spec
    assert dict(result.spec.environment) == {"A": value, "B": value}


@pytest.mark.parametrize("field", ["environment: {K: '${S}', 1: x}", "environment: ['${S}']"])
def test_no_error_shows_the_value_of_a_variable_in_the_environment(field: str) -> None:
    result = load(f"{field}\n", Scope({"S": Variable(SECRET, "s.env")}))
    assert result.errors
    assert SECRET not in repr(result)
