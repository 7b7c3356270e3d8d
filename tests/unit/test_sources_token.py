"""The token of the API, where it is kept."""

from pathlib import Path

import pytest

from workloadd.core.errors import Permanent, Problem
from workloadd.sources.secrets import SecretPlaces
from workloadd.sources.token import read_token

VALUE = "the-token-that-nobody-is-told"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{VALUE}\n")
    path.chmod(0o640)
    return path


def refusal(place: str, places: SecretPlaces) -> Problem:
    with pytest.raises(Permanent) as caught:
        read_token(place, places)
    assert caught.value.problem.reason == "TokenUnusable"
    assert VALUE not in str(caught.value.problem)
    return caught.value.problem


def test_out_of_a_file_or_a_credential(file: Path) -> None:
    places = SecretPlaces({}, (file.parent / "none", file.parent))
    assert read_token(str(file), places) == f"{VALUE}\n".encode()
    assert read_token("credential:token", places) == f"{VALUE}\n".encode()


@pytest.mark.parametrize(
    ("mode", "words"), [(0o644, "everybody may read it"), (0o620, "others may write to it")]
)
def test_one_that_others_have_a_hand_in_is_none(file: Path, mode: int, words: str) -> None:
    file.chmod(mode)
    problem = refusal(str(file), SecretPlaces({}))
    assert f"cannot read the token of the API from {file}: {words}" in problem.message
    assert "chmod 0640" in problem.hint


def test_one_that_is_not_there(file: Path) -> None:
    file.unlink()
    places = SecretPlaces({}, (file.parent,))
    assert "no such file" in refusal(str(file), places).message.lower()
    assert "LoadCredential=token:" in refusal("credential:token", places).hint


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    assert "it is not a file" in refusal(str(tmp_path), SecretPlaces({})).message
