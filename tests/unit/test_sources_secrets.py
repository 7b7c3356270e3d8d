"""Where secrets come from, and which are refused."""

import hashlib
import hmac
import os
from pathlib import Path

import pytest

from workloadd.core.errors import Problem
from workloadd.core.given import GivenSecret
from workloadd.sources import secrets
from workloadd.sources.secrets import SecretPlaces, Secrets
from workloadd.spec.secrets import Secret
from workloadd.spec.translate import validated

KEY = b"k" * 32
VALUE = b"hunter2\n"
NOWHERE = SecretPlaces({})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_bytes(VALUE)
    path.chmod(0o600)
    return path


def read(places: SecretPlaces = NOWHERE, **secret: object) -> GivenSecret | Problem:
    return Secrets(places, lambda: KEY).read("pw", validated(Secret, secret))


def refusal(**secret: object) -> Problem:
    found = read(**secret)
    assert isinstance(found, Problem)
    assert "hunter2" not in repr(found)
    return found


def test_a_file_is_taken_byte_for_byte_and_its_digest_is_keyed(file: Path) -> None:
    found = read(file=str(file))
    assert isinstance(found, GivenSecret)
    assert found.value == VALUE
    assert found.digest == hmac.new(KEY, VALUE, "sha256").hexdigest()
    assert found.digest != hashlib.sha256(VALUE).hexdigest()
    assert "hunter2" not in repr(found)


def test_a_variable_of_the_container_has_no_last_line_end(file: Path) -> None:
    found = read(file=str(file), env="PASSWORD")
    assert isinstance(found, GivenSecret)
    assert found.value == b"hunter2"
    file.write_bytes(b"hunter2\0")
    problem = refusal(file=str(file), env="PASSWORD")
    assert "NUL" in problem.message


def test_a_variable_of_the_daemon() -> None:
    found = read(SecretPlaces({"TOKEN": "hunter2"}), variable="TOKEN")
    assert isinstance(found, GivenSecret)
    assert found.value == b"hunter2"
    missing = refusal(variable="TOKEN")
    assert missing.reason == "SecretMissing"
    assert "from variable TOKEN: the daemon has no such variable" in missing.message
    assert "Environment=TOKEN=" in missing.hint


def test_the_daemons_own_credential_comes_before_the_managers(tmp_path: Path) -> None:
    own, manager = tmp_path / "own", tmp_path / "manager"
    for directory in (own, manager):
        directory.mkdir()
        (directory / "pw").write_bytes(directory.name.encode())
        (directory / "pw").chmod(0o444)
    places = SecretPlaces({}, (own, manager))
    assert read(places, credential="pw") == read(SecretPlaces({}, (own,)), credential="pw")
    (own / "pw").unlink()
    found = read(places, credential="pw")
    assert isinstance(found, GivenSecret)
    assert found.value == b"manager"
    missing = refusal(credential="other")
    assert missing.reason == "SecretMissing"
    assert "LoadCredential=other:/PATH" in missing.hint


def test_places_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/workloadd.service")
    own, manager = SecretPlaces.of_this_process().credentials
    assert str(own) == "/run/credentials/workloadd.service"
    assert str(manager) == f"/run/credentials/user@{os.getuid()}.service"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert SecretPlaces.of_this_process().credentials == (manager,)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (0o644, "everybody may read it (mode 0644)"),
        (0o620, "others may write to it (mode 0620)"),
        (0o602, "others may write to it (mode 0602)"),
    ],
)
def test_a_file_that_others_have_a_hand_in(file: Path, mode: int, words: str) -> None:
    file.chmod(mode)
    problem = refusal(file=str(file))
    assert problem.reason == "SecretUnusable"
    assert words in problem.message
    assert "chmod 0640" in problem.hint
    file.chmod(0o640)
    assert isinstance(read(file=str(file)), GivenSecret)


def test_a_file_of_somebody_else(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_trusted", lambda: (4711,))
    assert "not to root or to us" in refusal(file=str(file)).message


def test_a_link_is_followed_if_it_is_ours(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    assert isinstance(read(file=str(link)), GivenSecret)
    monkeypatch.setattr(secrets, "_trusted", lambda: (4711,))
    assert f"{link} is a link of the user {os.getuid()}" in refusal(file=str(link)).message


def test_a_link_to_nowhere_is_missing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone")
    assert refusal(file=str(tmp_path / "link")).reason == "SecretMissing"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert "not a file" in refusal(file=str(tmp_path / "fifo")).message
    assert "not a file" in refusal(file=str(tmp_path)).message


@pytest.mark.parametrize(("size", "words"), [(0, "0 bytes"), (512_000, "512000 bytes")])
def test_sizes_that_podman_does_not_take(file: Path, size: int, words: str) -> None:
    file.write_bytes(b"x" * size)
    assert words in refusal(file=str(file)).message


def test_a_missing_file(tmp_path: Path) -> None:
    problem = refusal(file=str(tmp_path / "gone"))
    assert problem.reason == "SecretMissing"
    assert "no such file" in problem.message


def test_a_key_that_cannot_be_had_is_no_traceback(file: Path) -> None:
    def key() -> bytes:
        raise PermissionError(13, "Permission denied")

    found = Secrets(SecretPlaces({}), key).read("pw", validated(Secret, {"file": str(file)}))
    assert isinstance(found, Problem)
