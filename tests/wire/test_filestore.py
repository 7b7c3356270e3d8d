"""The store of files that containers get, on a real file system."""

import stat
from pathlib import Path

import pytest

from workloadd.core.errors import Permanent, Transient
from workloadd.core.given import GivenFile
from workloadd.core.observed import StoredFiles
from workloadd.host import filestore
from workloadd.host.fates import FateFile
from workloadd.host.filestore import FileStore, files_of
from workloadd.host.secret_key import SecretKey

ONE = GivenFile("/etc/a", (("", b"one"),))
SITE = GivenFile("/srv", (("a", b"1"), ("b/c", b"2")))
LIVE = "web_main_0123456789ab"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def kept(store: FileStore, name: str, given: GivenFile, mode: int) -> Path:
    return store.keep(store.draft(given, mode), name)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_content_is_kept_once(store: FileStore, tmp_path: Path) -> None:
    assert store.find("x") is None
    path = kept(store, "x", ONE, 0o440)
    assert (path.read_bytes(), mode_of(path)) == (b"one", 0o440)
    inode = path.stat().st_ino
    assert kept(store, "x", ONE, 0o440).stat().st_ino == inode
    assert store.find("x") == path
    assert store.look() == StoredFiles(frozenset({"x"}), {})
    assert mode_of(tmp_path / "files/stored") == 0o700
    assert [p.name for p in (tmp_path / "files/stored").iterdir()] == ["x"]


def test_so_is_what_was_to_be_noted_of_live_files(store: FileStore, tmp_path: Path) -> None:
    store.begin_live(LIVE, {"/etc/a": (ONE, 0o444)})
    before = set((tmp_path / "files/live" / LIVE).iterdir())
    (tmp_path / "files/live" / LIVE / ".applied.json.0123456789ab").touch()
    store.clean()
    assert set((tmp_path / "files/live" / LIVE).iterdir()) == before


def test_a_directory_can_be_entered_by_who_may_read_it(store: FileStore) -> None:
    path = kept(store, "x", SITE, 0o444)
    assert (path / "a").read_bytes() == b"1"
    assert mode_of(path / "b/c") == 0o444
    assert mode_of(path / "b") == mode_of(path) == 0o755
    closed = kept(store, "y", SITE, 0o400)
    assert mode_of(closed / "b") == 0o700
    empty = kept(store, "z", GivenFile("/srv", ()), 0o444)
    assert empty.is_dir() and not list(empty.iterdir())
    assert sorted(p.name for p in files_of(path)) == ["a", "c"]
    assert files_of(path / "a") == [path / "a"]


def test_what_failed_half_way_is_not_there(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(filestore, "_write", full)
    with pytest.raises(Transient, match="cannot keep /srv: No space left on device"):
        store.draft(SITE, 0o444)
    assert not list((tmp_path / "files/stored").iterdir())


def test_drafts_of_a_daemon_that_died_are_cleared_away(store: FileStore, tmp_path: Path) -> None:
    store.draft(SITE, 0o444)
    kept(store, "x", ONE, 0o444)
    assert store.look().stored == {"x"}
    store.clean()
    assert [p.name for p in (tmp_path / "files/stored").iterdir()] == ["x"]


def test_live_files_are_replaced_in_place(store: FileStore) -> None:
    paths = store.begin_live(LIVE, {"/etc/a": (ONE, 0o444), "/srv": (SITE, 0o444)})
    assert store.look().live == {LIVE: {"/etc/a": ONE.digest, "/srv": SITE.digest}}
    file, directory = paths["/etc/a"], paths["/srv"]
    inodes = file.stat().st_ino, directory.stat().st_ino

    shorter = GivenFile("/etc/a", (("", b"2"),))
    changed = GivenFile("/srv", (("a/inner", b"now a directory"), ("d", b"3")))
    store.replace_live(LIVE, {"/etc/a": (shorter, 0o400), "/srv": (changed, 0o400)})
    assert (file.stat().st_ino, directory.stat().st_ino) == inodes
    assert (file.read_bytes(), mode_of(file)) == (b"2", 0o400)
    found = {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}
    assert found == {"a/inner", "d"}
    assert not (directory / "b").exists()
    # Nobody was told yet.
    assert store.look().live[LIVE]["/etc/a"] == ONE.digest
    store.note_applied(LIVE, {"/etc/a": shorter.digest, "/srv": changed.digest})
    assert store.look().live[LIVE] == {"/etc/a": shorter.digest, "/srv": changed.digest}


def test_a_file_cannot_become_a_directory_under_a_container(store: FileStore) -> None:
    store.begin_live(LIVE, {"/etc/a": (ONE, 0o444)})
    with pytest.raises(Permanent, match="cannot replace /etc/a: it was a file"):
        store.replace_live(LIVE, {"/etc/a": (GivenFile("/etc/a", ()), 0o444)})


def test_what_was_removed_by_hand_is_made_again(store: FileStore, tmp_path: Path) -> None:
    store.replace_live(LIVE, {"/etc/a": (ONE, 0o444)})
    (file,) = (p for p in (tmp_path / "files/live" / LIVE).iterdir() if p.suffix != ".json")
    assert file.read_bytes() == b"one"


def test_a_deployment_begins_anew(store: FileStore) -> None:
    store.begin_live(LIVE, {"/etc/a": (ONE, 0o444), "/srv": (SITE, 0o444)})
    paths = store.begin_live(LIVE, {"/etc/a": (GivenFile("/etc/a", (("", b"2"),)), 0o444)})
    assert paths["/etc/a"].read_bytes() == b"2"
    assert set(store.look().live[LIVE]) == {"/etc/a"}


def test_a_record_that_cannot_be_read_counts_for_nothing(store: FileStore, tmp_path: Path) -> None:
    store.begin_live(LIVE, {"/etc/a": (ONE, 0o444)})
    (tmp_path / "files/live" / LIVE / "applied.json").write_text("[")
    assert store.look().live == {LIVE: {}}


def test_removal(store: FileStore) -> None:
    kept(store, "x", ONE, 0o444)
    kept(store, "y", SITE, 0o400)
    store.begin_live(LIVE, {"/etc/a": (ONE, 0o444)})
    store.remove(frozenset({"y", "gone"}), frozenset({LIVE}))
    assert store.look() == StoredFiles(frozenset({"x"}), {})


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "state/secret.key"
    passing = SecretKey(path, make=False)
    assert passing() == passing()
    assert not path.parent.exists()
    key = SecretKey(path)()
    assert len(key) == 32
    assert mode_of(path) == 0o600
    assert SecretKey(path)() == SecretKey(path, make=False)() == key
    path.write_bytes(b"short")
    assert SecretKey(path)() not in (key, b"short")


def test_fates_are_what_was_last_said(tmp_path: Path) -> None:
    fates = FateFile(tmp_path / "state/shared.json")
    assert fates.look() == {}
    fates.keep({"volume:backup": "delete"})
    assert FateFile(tmp_path / "state/shared.json").look() == {"volume:backup": "delete"}
    (tmp_path / "state/shared.json").write_text("[")
    assert fates.look() == {}
