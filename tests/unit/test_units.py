"""The generated units on disk."""

from pathlib import Path

import pytest

from workloadd.core.errors import Permanent
from workloadd.host.units import UnitDirectory, UnitOnDisk

NAME = "workload-web.service"


class Place:
    """A user's unit directories below a temporary path."""

    def __init__(self, root: Path) -> None:
        self.data = root / "share/systemd/user"
        self.config = root / "config/systemd/user"
        self.runtime = root / "run/systemd/user"
        for directory in (self.data, self.config, self.runtime):
            directory.mkdir(parents=True)
        self.units = UnitDirectory(self.data, self.config, (self.config, self.runtime))

    @property
    def web(self) -> UnitOnDisk | None:
        return self.units.read().get("web")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_written_enabled_and_removed(place: Place) -> None:
    place.units.write("web", "text", enabled=True)
    assert place.web == UnitOnDisk("text", enabled=True)
    link = place.config / "workloads.target.wants" / NAME
    assert link.readlink() == place.data / NAME
    place.units.remove("web")
    assert place.web is None
    assert not link.is_symlink()
    place.units.remove("web")


def test_directories_are_made_where_they_are_missing(tmp_path: Path) -> None:
    units = UnitDirectory(tmp_path / "a/b", tmp_path / "c/d")
    units.write("web", "text", enabled=True)
    assert units.read()["web"].enabled


def test_an_unchanged_file_is_not_touched(place: Place) -> None:
    place.units.write("web", "text", enabled=True)
    before = (place.data / NAME).stat()
    place.units.write("web", "text", enabled=False)
    assert (place.data / NAME).stat().st_ino == before.st_ino
    assert place.web and not place.web.enabled


def test_a_link_to_dev_null_and_an_empty_file_mask(place: Place) -> None:
    place.units.write("web", "text", enabled=True)
    (place.config / NAME).symlink_to("/dev/null")
    assert place.web and place.web.masked
    (place.config / NAME).unlink()
    (place.runtime / NAME).touch()
    assert place.web and place.web.masked


def test_a_link_elsewhere_is_foreign_and_never_followed(place: Place, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (place.data / NAME).symlink_to(tmp_path / "theirs")
    assert place.web and place.web.foreign and place.web.text is None


def test_an_overriding_file_is_what_counts_and_goes_when_ours_is_written(place: Place) -> None:
    place.units.write("web", "text", enabled=True)
    (place.config / NAME).write_text("edited")
    assert place.web == UnitOnDisk("edited", enabled=True, overriding=place.config / NAME)
    place.units.write("web", "text", enabled=True)
    assert place.web == UnitOnDisk("text", enabled=True)


def test_other_units_are_not_ours(place: Place) -> None:
    for name in ("web.service", "workload-.service", "workload-web.timer", "podman.service"):
        (place.data / name).write_text("x")
    assert place.units.read() == {}


def test_an_unwritable_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Permanent) as caught:
        UnitDirectory(tmp_path / "file/units", tmp_path).write("web", "text", enabled=True)
    assert caught.value.problem.reason == "UnitNotWritten"
    assert caught.value.problem.message.startswith("cannot write")
