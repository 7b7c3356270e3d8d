"""The generated units on disk: read, written and removed, nothing else's file ever touched."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from workloadd.core.errors import Permanent, Transient
from workloadd.core.names import TARGET, UNIT_PREFIX, unit_name, workload_of_unit
from workloadd.host.files import (
    make_link,
    read_bounded,
    remove_drafts,
    remove_if_exists,
    write_atomic,
)
from workloadd.host.unit_sets import UnitSets

_LIMIT = 64 * 1024
_MODE = 0o644
# A unit that says where it is wanted has a link there, any other has not.
_INSTALL = "\n[Install]\n"


@dataclass(frozen=True, slots=True)
class UnitOnDisk:
    """What stands where a unit goes.

    `text` is None where there is no file to read: `masked` (a link to /dev/null or an empty file,
    systemd.unit(5)) or `foreign` (a directory, a link elsewhere, unreadable text), which then
    says what it is. `overriding` is the path of a file that systemd prefers to the generated one;
    then `text` is its text.
    """

    text: str | None = None
    masked: bool = False
    foreign: str = ""
    overriding: Path | None = None


@dataclass(frozen=True, slots=True)
class UnitsOnDisk:
    """What stands where a workload's units go, by unit name.

    `enabled` says whether those have a link that are to have one; None where none is.
    """

    units: Mapping[str, UnitOnDisk] = field(default_factory=dict)
    enabled: bool | None = None


class UnitDirectory:
    """The user's generated units, as far as `workload-*` goes.

    `directory` holds the files, `links` the `workloads.target.wants` that enables them (where
    `systemctl --user disable` looks for it), `sets` what several units of a workload are linked
    to. `overrides` are the directories that systemd prefers to `directory`, strongest first,
    where an operator may mask a unit or put another in its place.
    """

    def __init__(
        self, directory: Path, links: Path, sets: Path, overrides: Sequence[Path] = ()
    ) -> None:
        self._directory = directory
        self._wants = links / f"{TARGET}.wants"
        self._sets = UnitSets(sets)
        self._overrides = tuple(overrides)

    def read(self) -> dict[str, UnitsOnDisk]:
        """Every workload's units on disk, by the workload's name. Blocks: call it in a thread."""
        enabled = {p.name for p in _workload_units(self._wants)}
        found: dict[str, dict[str, UnitOnDisk]] = {}
        for directory in (*self._overrides, self._directory):
            overriding = directory != self._directory
            for path in _workload_units(directory):
                workload = workload_of_unit(path.name) or ""
                units = found.setdefault(workload, {})
                if path.name not in units:
                    units[path.name] = self._read_one(workload, path, overriding)
        return {
            workload: UnitsOnDisk(units, _enabled(units, enabled))
            for workload, units in found.items()
        }

    def _read_one(self, workload: str, path: Path, overriding: bool) -> UnitOnDisk:
        where = path if overriding else None
        if _is_mask(path):
            return UnitOnDisk(masked=True, overriding=where)
        linked = path.is_symlink()
        ours = linked and _leads_to(path) == self._sets.target(workload, path.name)
        if (linked and not ours) or not path.is_file():
            return UnitOnDisk(foreign=f"{path} is not a regular file", overriding=where)
        try:
            return UnitOnDisk(read_bounded(path, _LIMIT).decode(), overriding=where)
        except UnicodeDecodeError:
            return UnitOnDisk(foreign=f"{path} is not text", overriding=where)
        except OSError as error:
            return UnitOnDisk(foreign=f"cannot read {path}: {error.strerror}", overriding=where)

    def write(self, workload: str, texts: Mapping[str, str], *, enabled: bool) -> None:
        """Put a workload's units (its own first) and its link in place; what is so is not touched.

        The files come first: there is the commit point, the link only matters at boot. Edited
        copies that override them (`systemctl --user edit --full`) go last.

        Raises:
            Permanent: a directory or file cannot be written.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            places = {unit: self._directory / unit for unit in texts}
            if len(texts) == 1:
                for unit, text in texts.items():
                    _write_one(places[unit], text)
                self._remove_others(workload, texts)
                self._sets.remove(workload)
            else:
                self._sets.write(workload, texts, places)
                self._remove_others(workload, texts)
            for unit, text in texts.items():
                self._enable(unit, enabled and _INSTALL in text)
            for directory in self._overrides:
                for unit in texts:
                    remove_if_exists(directory / unit)
        except OSError as error:
            raise Permanent(
                "UnitNotWritten",
                f"cannot write {error.filename or self._directory}: {error.strerror}",
                f"see that {self._directory} is writable and its disk not full",
            ) from error

    def clean(self) -> None:
        """Remove what a daemon that was killed left and nobody finds any more."""
        with suppress(OSError):  # the next start tries again
            for directory in (self._directory, self._wants):
                remove_drafts(directory, f"{UNIT_PREFIX}*")
            self._sets.clean(self._directory)

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where a person may change what systemd makes of workloads' units."""
        return (self._wants, *self._overrides, self._directory)

    def _enable(self, name: str, enabled: bool) -> None:
        link = self._wants / name
        if not enabled:
            remove_if_exists(link)
        elif not link.is_symlink():
            self._wants.mkdir(parents=True, exist_ok=True)
            make_link(link, str(self._directory / name))

    def _remove_others(self, workload: str, kept: Mapping[str, str]) -> None:
        """Remove the units that a workload has no more."""
        for path in _workload_units(self._directory):
            if workload_of_unit(path.name) == workload and path.name not in kept:
                remove_if_exists(self._wants / path.name)
                remove_if_exists(path)

    def remove(self, workload: str) -> None:
        """Remove a workload's units and its link; what is gone already is fine.

        Raises:
            Permanent: a file cannot be removed.
        """
        try:
            for directory in (self._wants, *self._overrides, self._directory):
                for path in _workload_units(directory):
                    if workload_of_unit(path.name) == workload:
                        remove_if_exists(path)
            self._sets.remove(workload)
        except OSError as error:
            raise Permanent(
                "UnitNotRemoved",
                f"cannot remove {error.filename or unit_name(workload)}: {error.strerror}",
                "remove it by hand",
            ) from error


def _enabled(units: Mapping[str, UnitOnDisk], links: Collection[str]) -> bool | None:
    wanted = [name for name, unit in units.items() if unit.text and _INSTALL in unit.text]
    return all(name in links for name in wanted) if wanted else None


def _write_one(path: Path, text: str) -> None:
    if not path.is_file() or path.is_symlink() or path.read_text() != text:
        write_atomic(path, text, _MODE)


def _workload_units(directory: Path) -> list[Path]:
    try:
        return [p for p in directory.iterdir() if workload_of_unit(p.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Transient(
            "UnitsUnreadable",
            f"cannot read {directory}: {error.strerror}",
            "the user that runs workloadd needs access to it",
        ) from error


def _leads_to(link: Path) -> Path | None:
    """Where a link leads; None where it was removed since it was seen, as by a step of a plan."""
    try:
        return link.readlink()
    except OSError:
        return None


def _is_mask(path: Path) -> bool:
    """A link to /dev/null masks a unit, and so does an empty file."""
    if path.is_symlink():
        return _leads_to(path) == Path("/dev/null")
    with suppress(FileNotFoundError):
        return path.is_file() and path.stat().st_size == 0
    return False
