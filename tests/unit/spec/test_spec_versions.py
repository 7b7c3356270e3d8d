"""Ranges of versions, and which tags are in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.load import load_workload
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.problems import ProblemsError
from workloadd.spec.versions import (
    is_in_range,
    newest_in_range,
    newest_tag,
    parse_version,
    tag_version,
    version_range,
)

NAME = "registry.example/app"
VERSIONS = st.lists(st.integers(0, 30), min_size=3, max_size=3).map(tuple)
RANGES = st.sampled_from(
    ["*", "1.x", "1.2.x", "~1.2.3", "^1.2.3", "^0.2.3", ">=1.2 <2", "<=3.1", ">2", "1.x || 3.x"]
)


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("1.27.x", ["1.27.0", "1.27.99"], ["1.26.9", "1.28.0", "2.27.1"]),
        ("1.27", ["1.27.0", "1.27.99"], ["1.28.0"]),
        ("1.*", ["1.0.0", "1.99.1"], ["0.9.9", "2.0.0"]),
        ("*", ["0.0.0", "99.0.0"], []),
        ("=1.2.3", ["1.2.3"], ["1.2.4", "1.2.2"]),
        ("1.2.3", ["1.2.3"], ["1.2.4"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.2.2", "1.3.0"]),
        ("~1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("~1", ["1.0.0", "1.9.0"], ["2.0.0"]),
        ("^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]),
        (">=1.2 <2", ["1.2.0", "1.99.9"], ["1.1.9", "2.0.0"]),
        (">= 1.2, < 2", ["1.2.0"], ["2.0.0"]),
        (">1.2", ["1.3.0"], ["1.2.0", "1.2.9"]),
        ("<=1.2", ["1.2.9", "0.1.0"], ["1.3.0"]),
        ("1.2.x || >=3", ["1.2.5", "3.0.0", "9.0.0"], ["1.3.0", "2.0.0"]),
        ("v1.2.x", ["1.2.5"], ["1.3.0"]),
    ],
)
def test_ranges(wanted: str, inside: list[str], outside: list[str]) -> None:
    found = version_range(wanted)
    for text in (*inside, *outside):
        version = tag_version(text)
        assert version
        assert (version.numbers in found) is (text in inside), text


@pytest.mark.parametrize(
    "written",
    ["", " ", "latest", ">", "1.2.3-alpine", "1.2.3.4.5", "1..2", "1.2 -", "|| 1", ">=1.2<2", "x.y",
     "1" * 10, "1 " * 101],
)  # fmt: skip
def test_no_range(written: str) -> None:
    with pytest.raises(ProblemsError):
        parse_version(written)


@pytest.mark.parametrize(
    ("own", "tags", "expected"),
    [
        ("1.27.0", ["1.27.9", "1.27.10", "1.28.0", "latest", "1.27"], "1.27.10"),
        ("1.27.0-alpine", ["1.27.1", "1.27.2-alpine", "1.27.3-alpine-perl"], "1.27.2-alpine"),
        ("v1.27.0", ["1.27.4", "v1.27.3"], "v1.27.3"),
        ("1.27.5", ["1.27.4", "1.27.5"], "1.27.5"),
        ("1.27.5", ["1.27.4"], None),
        ("1.27.0", ["1.27.1-rc1", "1.27.1_2"], None),
        ("latest", ["1.27.1"], None),
    ],
)
def test_the_newest_is_written_like_the_own(own: str, tags: list[str], expected: str) -> None:
    assert newest_tag(tags, version_range("1.27.x"), own) == expected
    found = newest_in_range(f"{NAME}:{own}", "1.27.x", tags)
    assert found == f"{NAME}:{expected or own}"
    if expected:
        assert is_in_range(found, "1.27.x", f"{NAME}:{own}")


def test_another_repository_is_not_in_range() -> None:
    assert not is_in_range("other.example/app:1.27.1", "1.27.x", f"{NAME}:1.27.0")
    assert not is_in_range(f"{NAME}@sha256:{'0' * 64}", "1.27.x", f"{NAME}:1.27.0")


@given(VERSIONS, st.lists(VERSIONS), RANGES)
def test_an_update_never_goes_back_nor_out_of_its_range(
    own: tuple[int, ...], others: list[tuple[int, ...]], wanted: str
) -> None:
    written = ".".join(map(str, own))
    tags = [".".join(map(str, one)) for one in others]
    found = newest_tag(tags, version_range(wanted), written)
    allowed = [one for one in others if one >= own and one in version_range(wanted)]
    assert found == (".".join(map(str, max(allowed))) if allowed else None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"image: {NAME}:1.27\nupdate: {{version: 1.27.x}}\n", f"such as {NAME}:1.27.0"),
        (f"image: {NAME}:1.27.3\nupdate: {{version: 1.28.x}}\n", "own tag 1.27.3 is not in it"),
        (f"image: {NAME}:1.27.3\nupdate: {{version: 1.27.3}}\n", "no tag that is written like"),
        (f"image: {NAME}\nupdate: {{version: 1.x}}\n", 'tag "latest" is no version'),
        (f"image: {NAME}@sha256:{'0' * 64}\nupdate: {{version: 1.x}}\n", "leave it out"),
        (f"image: {NAME}:1.2\nupdate: {{version: {{web: 1.x}}}}\n", 'no container "web"'),
        (f"containers:\n  a: {{image: {NAME}:1.2}}\nupdate: {{version: 1.x}}\n", "write {a: 1.x}"),
        (
            f"containers:\n  web: {{image: {NAME}:1.2}}\nupdate: {{version: {{wbe: 1.x}}}}\n",
            "did you mean web?",
        ),
    ],
)
def test_what_is_of_no_use_is_refused(text: str, said: str) -> None:
    errors = load_workload("web", text.encode(), "web.yaml").errors
    assert [said in str(error) for error in errors] == [True]


@pytest.mark.parametrize("written", ["1.10", '"1.10"'])
def test_a_number_keeps_its_spelling(written: str) -> None:
    text = f"image: {NAME}:1.10.2\nupdate: {{version: {written}}}\n"
    spec = load_workload("web", text.encode(), "web.yaml").spec
    assert spec
    assert dict(spec.update.version) == {MAIN_CONTAINER: "1.10"}
