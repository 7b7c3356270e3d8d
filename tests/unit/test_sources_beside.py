"""Files beside a workload file, and those in it."""

import os
from pathlib import Path

import pytest

from workloadd.core.errors import Problem
from workloadd.core.given import GivenFile
from workloadd.sources import beside
from workloadd.sources.beside import Beside
from workloadd.spec.files import File


def source(directory: Path, relative: str) -> File:
    """As the loader has it: made absolute, and the place still to be seen where it begins."""
    return File(content="").model_copy(
        update={"content": None, "source": f"{directory}/./{relative}"}
    )


def read(directory: Path, relative: str) -> GivenFile | Problem:
    return Beside().read("/etc/app", source(directory, relative))


def refusal(directory: Path, relative: str) -> Problem:
    found = read(directory, relative)
    assert isinstance(found, Problem)
    return found


def test_content_in_the_file_itself() -> None:
    found = Beside().read("/etc/motd", File(content="grüezi\n"))
    assert found == GivenFile("/etc/motd", (("", "grüezi\n".encode()),))


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.conf").write_bytes(b"\xff\0")
    found = read(tmp_path, "sub/a.conf")
    assert found == GivenFile("/etc/app", (("", b"\xff\0"),))


def test_a_directory_in_order(tmp_path: Path) -> None:
    (tmp_path / "site/b").mkdir(parents=True)
    (tmp_path / "site/b/two").write_text("2")
    (tmp_path / "site/a").write_text("1")
    found = read(tmp_path, "site")
    assert isinstance(found, GivenFile)
    assert found.entries == (("a", b"1"), ("b/two", b"2"))
    assert found.is_directory


def test_an_empty_directory_is_one(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    found = read(tmp_path, "site")
    assert isinstance(found, GivenFile)
    assert (found.entries, found.is_directory) == ((), True)


def test_what_is_missing(tmp_path: Path) -> None:
    problem = refusal(tmp_path, "gone")
    assert problem.reason == "FileMissing"
    assert f"cannot read {tmp_path}/gone for /etc/app" in problem.message


@pytest.mark.parametrize("relative", ["link", "inner/file", "inner", "site"])
def test_no_link_is_followed_wherever_it_stands(tmp_path: Path, relative: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret")
    here = tmp_path / "here"
    (here / "site").mkdir(parents=True)
    (here / "link").symlink_to(outside / "file")
    (here / "inner").symlink_to(outside)
    (here / "site/link").symlink_to(outside / "file")
    assert "is a link" in refusal(here, relative).message


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "neither a file nor a directory" in refusal(tmp_path, "fifo").message
    (tmp_path / "site").mkdir()
    os.mkfifo(tmp_path / "site/fifo")
    assert "neither a file nor a directory" in refusal(tmp_path, "site").message


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "MAX_BYTES", 5)
    monkeypatch.setattr(beside, "MAX_ENTRIES", 2)
    monkeypatch.setattr(beside, "MAX_DEPTH", 2)
    (tmp_path / "big").write_text("123456")
    assert "more than 5 bytes" in refusal(tmp_path, "big").message
    (tmp_path / "many").mkdir()
    for name in "abc":
        (tmp_path / "many" / name).write_text("")
    assert "more than 2 files" in refusal(tmp_path, "many").message
    (tmp_path / "deep/1/2").mkdir(parents=True)
    assert "deeper than 2" in refusal(tmp_path, "deep").message


def test_a_change_is_seen_and_nothing_else_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("1")
    long_ago = path.stat().st_mtime_ns - 10**12
    monkeypatch.setattr(beside, "_SETTLED_NS", -(10**15))
    os.utime(path, ns=(long_ago, long_ago))
    sources, file = Beside(), source(tmp_path, "a")
    first = sources.read("/a", file)
    monkeypatch.setattr(beside, "_content", lambda *_: b"read again")
    assert sources.read("/a", file) == first
    path.write_text("2")
    assert sources.read("/a", file) == GivenFile("/a", (("", b"read again"),))
    sources.sweep()
    sources.sweep()
    assert not sources._kept


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "site/b").mkdir(parents=True)
    (tmp_path / "site/b/link").symlink_to("/etc/passwd")
    (tmp_path / "site/a").write_text("1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for relative in ("site", "site/a", "gone", "site/a/b"):
        read(tmp_path, relative)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
