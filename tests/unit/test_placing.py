"""Several files are put in place, or none; links lead nowhere."""

import os
import stat
import time
from pathlib import Path

import pytest

from workloadd.host import placing
from workloadd.host.placing import Placing

WEB, DB, DROPIN = ("web.yaml",), ("db.yaml",), ("web.yaml.d", "10.yaml")


@pytest.fixture
def place(tmp_path: Path) -> Placing:
    return Placing(tmp_path, ("etc", "workloads.d"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_the_directories_for_them_can_be_read_whatever_the_umask(place: Placing) -> None:
    before = os.umask(0o077)
    try:
        place.put({WEB: b"web", DROPIN: b"drop-in"})
    finally:
        os.umask(before)
    assert sorted(p.name for p in place.path.rglob("*")) == ["10.yaml", "web.yaml", "web.yaml.d"]
    assert place.read(WEB, 10) == b"web"
    assert place.read(DROPIN, 10) == b"drop-in"
    assert mode(place.path.joinpath(*DROPIN)) == 0o644
    assert {mode(place.path), mode(place.path / "web.yaml.d")} == {0o755}


def test_what_is_not_there(place: Placing) -> None:
    assert place.read(WEB, 10) is None
    assert place.names() == frozenset()
    assert not place.path.exists()


def test_nobody_gets_to_read_or_write_what_they_could_not(place: Placing) -> None:
    place.put({WEB: b"", DB: b""})
    (place.path / "web.yaml").chmod(0o640)
    (place.path / "db.yaml").chmod(0o777)
    place.put({WEB: b"new", DB: b"new"})
    assert mode(place.path / "web.yaml") == 0o640
    assert mode(place.path / "db.yaml") == 0o644


def test_a_link_is_replaced_and_what_it_leads_to_is_not_touched(
    place: Placing, tmp_path: Path
) -> None:
    place.put({DB: b""})
    other = tmp_path / "other"
    other.write_text("other")
    (place.path / "web.yaml").symlink_to(other)
    assert place.read(WEB, 10) is None
    place.put({WEB: b"new"})
    assert other.read_text() == "other"
    assert not (place.path / "web.yaml").is_symlink()


def test_a_directory_on_the_way_that_is_a_link_is_refused(place: Placing, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "etc").symlink_to(elsewhere)
    with pytest.raises(OSError, match="etc on the way there is a symbolic link"):
        place.put({WEB: b"new"})
    with pytest.raises(OSError, match="etc on the way there is a symbolic link"):
        place.read(WEB, 10)
    assert list(elsewhere.iterdir()) == []


def test_a_fifo_is_not_waited_for(place: Placing) -> None:
    place.put({DB: b""})
    os.mkfifo(place.path / "web.yaml")
    assert place.read(WEB, 10) is None
    place.put({WEB: b"new"})
    assert place.read(WEB, 10) == b"new"


@pytest.mark.parametrize("call", ["link", "rename", "write"])
def test_all_or_none(place: Placing, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    place.put({DB: b"old"})
    before = sorted(place.path.iterdir())
    (place.path / "web.yaml").mkdir()
    if call == "rename":
        (place.path / "web.yaml").rmdir()
        monkeypatch.setattr(placing.os, "rename", _failing_once(os.rename))
    if call == "write":
        monkeypatch.setattr(placing, "_write", _failing_once(placing._write))
    with pytest.raises(OSError):
        place.put({("a.yaml",): b"new", DB: b"new", WEB: b"new"})
    monkeypatch.undo()
    if call != "rename":
        (place.path / "web.yaml").rmdir()
    assert sorted(place.path.iterdir()) == before
    assert place.read(DB, 10) == b"old"


def test_a_directory_in_place_of_a_file(place: Placing) -> None:
    place.path.joinpath("web.yaml").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        place.read(WEB, 10)


def _failing_once(call):  # type: ignore[no-untyped-def]
    """The third call fails."""
    left = [3]

    def wrapped(*arguments, **options):  # type: ignore[no-untyped-def]
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        return call(*arguments, **options)

    return wrapped


def test_what_was_left_by_one_that_was_killed_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placing = Placing(tmp_path, ("workloads.d",))
    placing.put({("web.yaml",): b"", ("web.yaml.d", "a.yaml"): b""})
    left = [".web.yaml.0123456789ab", "web.yaml.d/.a.yaml.0123456789ab"]
    kept = [".hidden", "web.yaml.0123456789ab", ".web.yaml.0123"]
    for name in (*left, *kept):
        (tmp_path / "workloads.d" / name).touch()
    (tmp_path / "workloads.d/.dir.0123456789ab").mkdir()
    placing.tidy([("web.yaml.d",)])
    assert all((tmp_path / "workloads.d" / name).exists() for name in left)  # somebody's, just now
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 4000)
    placing.tidy([("web.yaml.d",), ("none.d",)])
    found = {str(p.relative_to(tmp_path / "workloads.d")) for p in tmp_path.rglob("*")}
    assert not found & set(left)
    assert {*kept, "web.yaml", "web.yaml.d/a.yaml", ".dir.0123456789ab"} <= found
