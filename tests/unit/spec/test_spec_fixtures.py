"""Files that carry their own expectations.

``# error: LINE:COLUMN Reason "part of message (hint)"`` for each error, ``# warning: …`` likewise,
``# expect: {JSON}`` for fields of the spec, ``# name: NAME`` for the workload's name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from workloadd.spec.errors import SpecError
from workloadd.spec.kinds import spec_of
from workloadd.spec.load import LoadResult, load_workload
from workloadd.spec.model import WorkloadSpec

FIXTURES = Path(__file__).parents[2] / "fixtures" / "spec"
GOOD = sorted((FIXTURES / "good").glob("*.yaml"))
BAD = sorted((FIXTURES / "bad").glob("*.yaml"))
SECRET = "s3cret"

_LINE = re.compile(r'(\d+):(\d+) (\w+) (".*")')


def _comments(path: Path, word: str) -> list[str]:
    lines = path.read_text("utf-8-sig").splitlines()
    prefix = f"# {word}: "
    return [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]


def _load(path: Path) -> LoadResult:
    name = (_comments(path, "name") or ["web"])[0]
    return load_workload(name, path.read_bytes(), str(path))


def _check(found: tuple[SpecError, ...], expected: list[str]) -> None:
    lines = [_LINE.fullmatch(text) for text in expected]
    assert [(e.line, e.column, e.reason) for e in found] == [
        (int(line[1]), int(line[2]), line[3]) for line in lines if line
    ]
    for error, line in zip(found, lines, strict=True):
        assert line and json.loads(line[4]) in str(error)


def _written(found: object, expected: object) -> object:
    """``found`` without the empty fields that ``expected`` does not name."""
    match found, expected:
        case dict(), dict():
            kept = {key: one for key, one in found.items() if key in expected or one}
            return {key: _written(one, expected.get(key)) for key, one in kept.items()}
        case list(), list() if len(found) == len(expected):
            return [_written(one, other) for one, other in zip(found, expected, strict=True)]
    return found


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file_gets_all_its_errors(path: Path) -> None:
    result = _load(path)
    assert result.spec is None
    _check(result.errors, _comments(path, "error"))
    for error in result.errors:
        assert str(error).startswith(f"{path}:{error.line}:{error.column}: cannot ")
        assert SECRET not in repr(error)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_file_means_what_it_says(path: Path) -> None:
    result = _load(path)
    assert result.errors == ()
    assert result.spec is not None
    content = result.spec.model_dump(mode="json")
    for expected in _comments(path, "expect"):
        for key, value in json.loads(expected).items():
            assert _written(content[key], value) == value
    _check(result.warnings, _comments(path, "warning"))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_canonical_form_is_valid_input_and_equal(path: Path) -> None:
    spec = _load(path).spec
    assert spec is not None
    shortest = spec.model_dump(mode="json", exclude_defaults=True)
    if isinstance(spec, WorkloadSpec):
        assert json.loads(spec.canonical()) == shortest
    assert spec_of(shortest) == spec
    assert spec_of(spec.model_dump(mode="json")) == spec


def test_there_are_fixtures_of_both_kinds() -> None:
    assert len(BAD) > 40
    assert len(GOOD) > 10
