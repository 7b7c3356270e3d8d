"""The generated units on disk."""

import itertools
import os
from pathlib import Path
from typing import Any

import pytest

from workloadd.core.errors import Permanent
from workloadd.host.units import UnitDirectory, UnitOnDisk, UnitsOnDisk

NAME = "workload-web.service"
TEXT = "text\n\n[Install]\nWantedBy=workloads.target\n"


class Place:
    """A user's unit directories below a temporary path."""

    def __init__(self, root: Path) -> None:
        self.data = root / "share/systemd/user"
        self.config = root / "config/systemd/user"
        self.runtime = root / "run/systemd/user"
        for directory in (self.data, self.config, self.runtime):
            directory.mkdir(parents=True)
        self.units = UnitDirectory(
            self.data, self.config, root / "state/units", (self.config, self.runtime)
        )

    @property
    def web(self) -> UnitOnDisk | None:
        """The workload's own unit."""
        return self.all.units.get(NAME)

    @property
    def all(self) -> UnitsOnDisk:
        return self.units.read().get("web", UnitsOnDisk())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_written_enabled_and_removed(place: Place) -> None:
    place.units.write("web", {NAME: TEXT}, enabled=True)
    assert place.web == UnitOnDisk(TEXT) and place.all.enabled
    link = place.config / "workloads.target.wants" / NAME
    assert link.readlink() == place.data / NAME
    place.units.remove("web")
    assert place.web is None
    assert not link.is_symlink()
    place.units.remove("web")


def test_directories_are_made_where_they_are_missing(tmp_path: Path) -> None:
    units = UnitDirectory(tmp_path / "a/b", tmp_path / "c/d", tmp_path / "e")
    units.write("web", {NAME: TEXT}, enabled=True)
    assert units.read()["web"].enabled


def test_an_unchanged_file_is_not_touched(place: Place) -> None:
    place.units.write("web", {NAME: TEXT}, enabled=True)
    before = (place.data / NAME).stat()
    place.units.write("web", {NAME: TEXT}, enabled=False)
    assert (place.data / NAME).stat().st_ino == before.st_ino
    assert not place.all.enabled


def test_only_what_is_wanted_somewhere_has_a_link(place: Place) -> None:
    timer = "workload-web.timer"
    place.units.write("web", {NAME: "text", timer: TEXT}, enabled=True)
    wants = place.config / "workloads.target.wants"
    assert [link.name for link in wants.iterdir()] == [timer]
    assert place.all.enabled
    (wants / timer).unlink()
    assert place.all.enabled is False
    place.units.write("web", {NAME: "text", timer: TEXT}, enabled=True)
    place.units.write("web", {NAME: "text"}, enabled=True)
    assert place.all.enabled is None
    assert not list(wants.iterdir())
    place.units.write("web", {NAME: "text", timer: TEXT}, enabled=True)
    place.units.remove("web")
    assert not list(wants.iterdir())


def test_the_link_of_what_is_no_more_goes_with_it(place: Place) -> None:
    socket = "workload-web.socket"
    place.units.write("web", {NAME: TEXT}, enabled=True)
    place.units.write("web", {NAME: "text", socket: TEXT}, enabled=True)
    wants = place.config / "workloads.target.wants"
    assert [link.name for link in wants.iterdir()] == [socket]
    place.units.write("web", {NAME: TEXT}, enabled=True)
    assert [link.name for link in wants.iterdir()] == [NAME]
    assert list(place.all.units) == [NAME]


def test_a_link_to_dev_null_and_an_empty_file_mask(place: Place) -> None:
    place.units.write("web", {NAME: TEXT}, enabled=True)
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
    place.units.write("web", {NAME: TEXT}, enabled=True)
    (place.config / NAME).write_text("edited")
    assert place.web == UnitOnDisk("edited", overriding=place.config / NAME)
    place.units.write("web", {NAME: TEXT}, enabled=True)
    assert place.web == UnitOnDisk(TEXT) and place.all.enabled


def test_other_units_are_not_ours(place: Place) -> None:
    for name in ("web.service", "workload-.service", "podman.service"):
        (place.data / name).write_text("x")
    assert place.units.read() == {}


def test_an_unwritable_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Permanent) as caught:
        UnitDirectory(tmp_path / "file/units", tmp_path, tmp_path / "e").write(
            "web", {NAME: TEXT}, enabled=True
        )
    assert caught.value.problem.reason == "UnitNotWritten"
    assert caught.value.problem.message.startswith("cannot write")


POD = {NAME: "pod", "workload-web_a.service": "a", "workload-web_b.service": "b"}


def texts(place: Place) -> dict[str, str | None]:
    return {name: unit.text for name, unit in place.all.units.items()}


def test_several_units_are_switched_by_one_rename(place: Place) -> None:
    place.units.write("web", POD, enabled=True)
    assert texts(place) == POD
    links = {name: (place.data / name).readlink() for name in POD}
    newer = {name: f"{text} 2" for name, text in POD.items()}
    place.units.write("web", newer, enabled=True)
    assert texts(place) == newer
    assert {name: (place.data / name).readlink() for name in POD} == links
    assert len(list((place.data.parents[2] / "state/units/web").iterdir())) == 2


def test_from_one_unit_to_several_and_back(place: Place) -> None:
    place.units.write("web", {NAME: "alone"}, enabled=True)
    place.units.write("web", POD, enabled=True)
    assert texts(place) == POD
    place.units.write("web", dict(list(POD.items())[:2]), enabled=True)
    assert texts(place) == {NAME: "pod", "workload-web_a.service": "a"}
    place.units.write("web", {NAME: "alone"}, enabled=True)
    assert texts(place) == {NAME: "alone"}
    assert not (place.data / NAME).is_symlink()
    assert not (place.data.parents[2] / "state/units/web").exists()


def test_a_set_is_removed_whole(place: Place) -> None:
    place.units.write("web", POD, enabled=True)
    place.units.remove("web")
    assert place.units.read() == {}
    assert not (place.data.parents[2] / "state/units/web").exists()


def test_a_link_of_a_set_that_leads_elsewhere_is_foreign(place: Place, tmp_path: Path) -> None:
    place.units.write("web", POD, enabled=True)
    (place.data / "workload-web_a.service").unlink()
    (place.data / "workload-web_a.service").symlink_to(tmp_path / "theirs")
    assert place.all.units["workload-web_a.service"].foreign


def test_sets_that_nothing_leads_to_are_cleared_away(place: Place, tmp_path: Path) -> None:
    """A daemon was killed between removing a workload's units and their set."""
    for name in ("web", "gone"):
        texts = {f"workload-{name}.service": TEXT, f"workload-{name}_a.service": "member"}
        place.units.write(name, texts, enabled=True)
    for link in place.data.glob("workload-gone*"):
        link.unlink()
    before = place.all
    place.units.clean()
    assert [path.name for path in (tmp_path / "state/units").iterdir()] == ["web"]
    assert place.all == before


class Killed(BaseException):
    """kill -9: nothing that was to be cleared away after it is."""


def kill_before_rename(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have the process die at one of its renames, the first being number 1."""
    rename, numbers = os.rename, itertools.count(1)

    def deadly(*args: Any, **kwargs: Any) -> None:
        if next(numbers) == number:
            monkeypatch.setattr(os, "unlink", lambda *_, **__: None)
            raise Killed
        rename(*args, **kwargs)

    monkeypatch.setattr(os, "rename", deadly)


@pytest.mark.parametrize("units", [{NAME: f"newer {TEXT}"}, POD], ids=["one", "several"])
def test_a_write_that_was_killed_leaves_nothing_and_can_be_repeated(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, units: dict[str, str]
) -> None:
    for number in itertools.count(1):
        place.units.remove("web")
        place.units.write("web", {NAME: TEXT}, enabled=False)
        with monkeypatch.context() as patch:
            kill_before_rename(patch, number)
            try:
                place.units.write("web", units, enabled=True)
                break
            except Killed:
                pass
        assert list(tmp_path.rglob(".workload-*")) or list(tmp_path.rglob(".current.*"))
        place.units.clean()
        assert not list(tmp_path.rglob(".*"))
        place.units.write("web", units, enabled=True)
        assert texts(place) == units
    assert number > len(units)


def test_what_is_not_ours_is_not_cleared_away(place: Place) -> None:
    theirs = [".swp", ".other.service.0123456789ab", ".workload-web.service.swp"]
    for name in theirs:
        (place.data / name).touch()
    place.units.clean()
    assert sorted(path.name for path in place.data.iterdir()) == sorted(theirs)


def test_where_there_are_no_sets_there_is_nothing_to_clear(place: Place) -> None:
    place.units.clean()


def test_a_link_that_goes_while_it_is_read_is_no_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "workload-web_more.socket"
    place.units.write("web", {NAME: TEXT, more: TEXT}, enabled=True)
    seen = Path.is_symlink

    def is_symlink(path: Path) -> bool:
        found = seen(path)
        if path == place.data / more:
            path.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(Path, "is_symlink", is_symlink)
    assert place.all.units[NAME].text == TEXT
    monkeypatch.undo()
    assert set(place.all.units) == {NAME}
