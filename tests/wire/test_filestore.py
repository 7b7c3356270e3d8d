"""The store of files that containers get, on a real file system."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from workloadd.core.errors import Permanent, Transient
from workloadd.core.given import GivenFile
from workloadd.core.observed import StoredFiles
from workloadd.host import chown as chown_module
from workloadd.host import filestore
from workloadd.host.chown import chown_in_namespace
from workloadd.host.filestore import FileStore
from workloadd.host.secret_key import SecretKey

ONE = GivenFile("/etc/a", (("", b"one"),))
SITE = GivenFile("/srv", (("a", b"1"), ("b/c", b"2")))
LIVE = "web_main_0123456789ab"


class Chowned:
    """Remembers who got what."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], int, int]] = []

    def __call__(self, paths: Sequence[Path], uid: int, gid: int) -> None:
        self.calls.append((sorted(p.name for p in paths), uid, gid))


@pytest.fixture
def chowned() -> Chowned:
    return Chowned()


@pytest.fixture
def store(tmp_path: Path, chowned: Chowned) -> FileStore:
    return FileStore(tmp_path / "files", chowned)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_content_is_kept_once(store: FileStore, tmp_path: Path, chowned: Chowned) -> None:
    path = store.store("x", ONE, 0o440, (0, 0))
    assert (path.read_bytes(), mode_of(path)) == (b"one", 0o440)
    inode = path.stat().st_ino
    assert store.store("x", ONE, 0o440, (0, 0)).stat().st_ino == inode
    assert store.look() == StoredFiles(frozenset({"x"}), {})
    for directory in (tmp_path / "files/stored",):
        assert mode_of(directory) == 0o700
    assert not chowned.calls


def test_a_directory_can_be_entered_by_who_may_read_it(store: FileStore) -> None:
    path = store.store("x", SITE, 0o444, (0, 0))
    assert (path / "a").read_bytes() == b"1"
    assert mode_of(path / "b/c") == 0o444
    assert mode_of(path / "b") == mode_of(path) == 0o755
    closed = store.store("y", SITE, 0o400, (0, 0))
    assert mode_of(closed / "b") == 0o700
    empty = store.store("z", GivenFile("/srv", ()), 0o444, (0, 0))
    assert empty.is_dir() and not list(empty.iterdir())


def test_only_files_are_given_away(store: FileStore, chowned: Chowned) -> None:
    store.store("x", SITE, 0o400, (999, 998))
    assert chowned.calls == [(["a", "c"], 999, 998)]


def test_what_failed_half_way_is_not_there(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(filestore, "_write", full)
    with pytest.raises(Transient, match="cannot keep /srv: No space left on device"):
        store.store("x", SITE, 0o444, (0, 0))
    assert not list((tmp_path / "files/stored").iterdir())


def test_an_owner_that_there_is_not_leaves_nothing(tmp_path: Path) -> None:
    def nobody(paths: Sequence[Path], uid: int, gid: int) -> None:
        raise Permanent("NoSuchOwner", "cannot")

    store = FileStore(tmp_path / "files", nobody)
    with pytest.raises(Permanent):
        store.store("x", ONE, 0o444, (99999999, 0))
    assert not list((tmp_path / "files/stored").iterdir())


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
    store.store("x", ONE, 0o444, (0, 0))
    store.store("y", SITE, 0o400, (0, 0))
    store.begin_live(LIVE, {"/etc/a": (ONE, 0o444)})
    store.remove(frozenset({"y", "gone"}), frozenset({LIVE}))
    assert store.look() == StoredFiles(frozenset({"x"}), {})


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "state/secret.key"
    key = SecretKey(path)()
    assert len(key) == 32
    assert mode_of(path) == 0o600
    assert SecretKey(path)() == key
    path.write_bytes(b"short")
    assert SecretKey(path)() not in (key, b"short")


def test_chown_says_what_podman_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    podman = tmp_path / "podman"
    podman.write_text('#!/bin/sh\necho "$@" > "$0.args"\nexit 0\n')
    podman.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    chown_in_namespace([Path("/a"), Path("/b c")], 999, 998)
    assert podman.with_name("podman.args").read_text() == "unshare chown -h 999:998 -- /a /b c\n"
    podman.write_text("#!/bin/sh\necho 'chown: invalid argument' >&2\nexit 1\n")
    with pytest.raises(Permanent, match=r"the user 999 and the group 998: chown: invalid"):
        chown_in_namespace([Path("/a")], 999, 998)
    monkeypatch.setattr(chown_module.subprocess, "run", _not_there)
    with pytest.raises(Transient):
        chown_in_namespace([Path("/a")], 999, 998)


def _not_there(*_: object, **__: object) -> None:
    raise FileNotFoundError(2, "No such file or directory", "podman")
