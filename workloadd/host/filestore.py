"""Files that containers get, kept in the daemon's state: by content, or for one deployment alone.

What only a new container gets is stored once by its content and never changes. What changes under
a container that stays (`live`) is kept for each deployment: a bind mount of a file holds on to its
inode, so its content is replaced in place; in a directory files are renamed over.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from workloadd.core.errors import Permanent, Transient, WorkloaddError
from workloadd.core.given import GivenFile
from workloadd.core.observed import StoredFiles
from workloadd.host.files import read_bounded, remove_drafts, write_atomic

_APPLIED = "applied.json"
_MAX_APPLIED = 1024 * 1024


class FileStore:
    """The store in a directory of its own. Blocks: call it in a thread."""

    def __init__(self, directory: Path) -> None:
        self._stored = directory / "stored"
        self._live = directory / "live"

    def look(self) -> StoredFiles:
        """What there is, and what the files of each deployment were last."""
        live = {name: self._applied(name) for name in _names(self._live)}
        return StoredFiles(frozenset(_names(self._stored)), live)

    def find(self, name: str) -> Path | None:
        """Where a content of this name is kept, or None."""
        path = self._stored / name
        return path if path.exists() else None

    def draft(self, given: GivenFile, mode: int) -> Path:
        """Write a content that is to be kept; it has no name yet."""
        draft = self._stored / f".{secrets.token_hex(8)}"
        with _explained(f"keep {given.target}"):
            _make_private(self._stored)
            try:
                _write_tree(draft, given, mode)
            except BaseException:
                _remove_tree(draft)
                raise
        return draft

    def keep(self, draft: Path, name: str) -> Path:
        """Give a draft its name; another one of that name holds the same."""
        path = self._stored / name
        with _explained("keep files"):
            if path.exists():
                _remove_tree(draft)
            else:
                draft.rename(path)
                _sync(self._stored)
        return path

    def clean(self) -> None:
        """Remove drafts that were never kept; none may be in work."""
        with _explained("remove drafts"):
            for name in _hidden(self._stored):
                _remove_tree(self._stored / name)
            for name in _names(self._live):
                remove_drafts(self._live / name, _APPLIED)

    def begin_live(self, name: str, files: Mapping[str, tuple[GivenFile, int]]) -> dict[str, Path]:
        """Make what a new deployment needs, by target; `files` are contents and modes."""
        directory = self._live / name
        with _explained(f"keep the files of {name}"):
            _remove_tree(directory)
            _make_private(directory)
            paths = {target: directory / _file_name(target) for target in files}
            for target, (given, mode) in files.items():
                _write_tree(paths[target], given, mode)
            self._write_applied(name, {t: given.digest for t, (given, _) in files.items()})
            _sync(self._live)
        return paths

    def replace_live(self, name: str, files: Mapping[str, tuple[GivenFile, int]]) -> None:
        """Replace contents under the deployment; that it was told is noted by `note_applied`."""
        with _explained(f"replace the files of {name}"):
            for target, (given, mode) in files.items():
                path = self._live / name / _file_name(target)
                if not path.exists():
                    _make_private(path.parent)
                    _write_tree(path, given, mode)
                    continue
                if given.is_directory != path.is_dir():
                    was = "directory" if path.is_dir() else "file"
                    raise Permanent(
                        "FileKindChanged",
                        f"cannot replace {target}: it was a {was}",
                        "set on_change: restart, so that a new container gets it",
                    )
                if given.is_directory:
                    _replace_directory(path, given, mode)
                else:
                    _rewrite(path, given.entries[0][1], mode)

    def note_applied(self, name: str, digests: Mapping[str, str]) -> None:
        """Note which contents the deployment has and was told of."""
        with _explained(f"note the files of {name}"):
            self._write_applied(name, dict(digests))

    def remove(self, stored: frozenset[str], live: frozenset[str]) -> None:
        """Remove what no deployment needs."""
        with _explained("remove files that nothing uses"):
            for name in stored:
                _remove_tree(self._stored / name)
            for name in live:
                _remove_tree(self._live / name)

    def _applied(self, name: str) -> dict[str, str]:
        try:
            found = json.loads(read_bounded(self._live / name / _APPLIED, _MAX_APPLIED))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def _write_applied(self, name: str, digests: Mapping[str, str]) -> None:
        write_atomic(self._live / name / _APPLIED, json.dumps(dict(sorted(digests.items()))), 0o600)


class _explained:  # noqa: N801 - reads as a statement
    """Says what could not be done; a full disk passes."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, WorkloaddError):
            said = f"cannot {self._doing}: {error.strerror or error}"
            raise Transient(
                "FileStoreFailed", said, "see df -h, and who may write there"
            ) from error


def _names(directory: Path) -> list[str]:
    return [name for name in _entries(directory) if not name.startswith(".")]


def _hidden(directory: Path) -> list[str]:
    return [name for name in _entries(directory) if name.startswith(".")]


def _entries(directory: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return os.listdir(directory)  # noqa: PTH208
    return []


def files_of(path: Path) -> list[Path]:
    """The files in a directory, or the file itself: directories stay ours, so that we can remove
    what is in them."""
    return [inner for inner in path.rglob("*") if inner.is_file()] if path.is_dir() else [path]


def _file_name(target: str) -> str:
    return hashlib.sha256(target.encode()).hexdigest()[:16]


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)


def _directory_mode(mode: int) -> int:
    """Who may read may enter; we have to be able to remove what is in it."""
    return mode | 0o700 | (mode & 0o444) >> 2


def _write_tree(path: Path, given: GivenFile, mode: int) -> None:
    """Write a file or a directory that is not there yet, to the disk."""
    if not given.is_directory:
        _write(path, given.entries[0][1], mode)
        return
    path.mkdir(mode=0o700)
    for name, data in given.entries:
        _make_parents(path, name, mode)
        _write(path / name, data, mode)
    path.chmod(_directory_mode(mode))
    _sync(path)


def _make_parents(top: Path, name: str, mode: int) -> None:
    for parent in reversed(Path(name).parents[:-1]):
        (top / parent).mkdir(exist_ok=True)
        (top / parent).chmod(_directory_mode(mode))


def _write(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _rewrite(path: Path, data: bytes, mode: int) -> None:
    """Replace a file's content and keep its inode, which containers have mounted."""
    path.chmod(mode | 0o600)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _replace_directory(top: Path, given: GivenFile, mode: int) -> None:
    """Each file is the old or the new one at any time; what is not wanted any more goes last."""
    for name, data in given.entries:
        if (top / name).is_dir():
            _remove_tree(top / name)
        for parent in reversed(Path(name).parents[:-1]):
            if (top / parent).is_file():
                (top / parent).unlink()
        _make_parents(top, name, mode)
        write_atomic(top / name, data, mode)
    wanted = {top / name for name, _ in given.entries}
    wanted |= {parent for path in wanted for parent in path.parents}
    for path in sorted(top.rglob("*"), reverse=True):
        if path not in wanted:
            path.rmdir() if path.is_dir() else path.unlink()


def _remove_tree(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
