"""The generated units on disk: read, written and removed, nothing else's file ever touched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workloadd.core.errors import Permanent, Transient
from workloadd.core.names import TARGET, unit_name, workload_of_unit
from workloadd.host.files import make_link, read_bounded, remove_if_exists, write_atomic

_LIMIT = 64 * 1024
_MODE = 0o644


@dataclass(frozen=True, slots=True)
class UnitOnDisk:
    """What stands where a workload's unit goes.

    `text` is None where there is no file to read: `masked` (a link to /dev/null or an empty file,
    systemd.unit(5)) or `foreign` (a directory, a link elsewhere, unreadable text), which then
    says what it is. `overriding` is the path of a file that systemd prefers to the generated one;
    then `text` is its text.
    """

    text: str | None = None
    enabled: bool = False
    masked: bool = False
    foreign: str = ""
    overriding: Path | None = None


class UnitDirectory:
    """The user's generated units, as far as `workload-*.service` goes.

    `directory` holds the files, `links` the `workloads.target.wants` that enables them (where
    `systemctl --user disable` looks for it). `overrides` are the directories that systemd prefers
    to `directory`, strongest first, where an operator may mask a unit or put another in its
    place.
    """

    def __init__(self, directory: Path, links: Path, overrides: Sequence[Path] = ()) -> None:
        self._directory = directory
        self._wants = links / f"{TARGET}.wants"
        self._overrides = tuple(overrides)

    def read(self) -> dict[str, UnitOnDisk]:
        """Every workload unit on disk, by the workload's name. Blocks: call it in a thread."""
        enabled = {p.name for p in _workload_units(self._wants)}
        found: dict[str, UnitOnDisk] = {}
        for directory in (*self._overrides, self._directory):
            for path in _workload_units(directory):
                name = workload_of_unit(path.name) or ""
                if name not in found:
                    on_disk = _read_one(path)
                    overriding = path if directory != self._directory else None
                    found[name] = replace(
                        on_disk, enabled=path.name in enabled, overriding=overriding
                    )
        return found

    def write(self, workload: str, text: str, *, enabled: bool) -> None:
        """Put a unit and its link in place; an unchanged file is not touched.

        The file comes first: its rename is the commit point, the link only matters at boot.
        An edited copy that overrides it (`systemctl --user edit --full`) goes last.

        Raises:
            Permanent: a directory or file cannot be written.
        """
        name = unit_name(workload)
        path = self._directory / name
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or path.is_symlink() or path.read_text() != text:
                write_atomic(path, text, _MODE)
            self._enable(name, enabled)
            for directory in self._overrides:
                remove_if_exists(directory / name)
        except OSError as error:
            raise Permanent(
                "UnitNotWritten",
                f"cannot write {error.filename or path}: {error.strerror}",
                f"see that {self._directory} is writable and its disk not full",
            ) from error

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

    def remove(self, workload: str) -> None:
        """Remove a unit and its link; what is gone already is fine.

        Raises:
            Permanent: a file cannot be removed.
        """
        name = unit_name(workload)
        try:
            remove_if_exists(self._wants / name)
            for directory in (*self._overrides, self._directory):
                remove_if_exists(directory / name)
        except OSError as error:
            raise Permanent(
                "UnitNotRemoved",
                f"cannot remove {error.filename or name}: {error.strerror}",
                "remove it by hand",
            ) from error


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


def _read_one(path: Path) -> UnitOnDisk:
    if _is_mask(path):
        return UnitOnDisk(masked=True)
    if path.is_symlink() or not path.is_file():
        return UnitOnDisk(foreign=f"{path} is not a regular file")
    try:
        return UnitOnDisk(read_bounded(path, _LIMIT).decode())
    except UnicodeDecodeError:
        return UnitOnDisk(foreign=f"{path} is not text")
    except OSError as error:
        return UnitOnDisk(foreign=f"cannot read {path}: {error.strerror}")


def _is_mask(path: Path) -> bool:
    """A link to /dev/null masks a unit, and so does an empty file."""
    if path.is_symlink():
        return str(path.readlink()) == "/dev/null"
    return path.is_file() and path.stat().st_size == 0
