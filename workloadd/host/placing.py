"""Putting several files below a directory, all of them or none, wherever links would lead.

Every directory on the way is opened from the one above it, and none of them may be a symbolic
link: whoever can place one would choose what is written over. All of it blocks.
"""

import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

Parts = tuple[str, ...]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW
# What `_random` makes of a name, and the seconds after which nobody works on it any more.
_LEFT = re.compile(r"\..+\.[0-9a-f]{12}")
_OLD = 3600.0


@dataclass(slots=True)
class _Draft:
    """A file that is complete under a name of its own. `older` is a further name of what it is to
    replace, so that this can be put back."""

    directory: int
    name: str
    draft: str
    older: str = ""
    placed: bool = False


class Placing:
    """Files below `start`; the names of directories are `below`, then what each file's name has."""

    def __init__(self, start: Path, below: Parts) -> None:
        self._start = start
        self._below = below

    @property
    def path(self) -> Path:
        """The directory that the files are named from."""
        return self._start.joinpath(*self._below)

    def read(self, name: Parts, limit: int) -> bytes | None:
        """A regular file that is there, at most `limit` bytes of it; a link counts as none.

        Raises:
            OSError: it cannot be read, or a directory stands there.
        """
        with ExitStack() as stack:
            try:
                directory = stack.enter_context(self._opened(name[:-1], make=False))
                status = os.lstat(name[-1], dir_fd=directory)
            except FileNotFoundError:
                return None
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(0, "a directory stands there", name[-1])
            if not stat.S_ISREG(status.st_mode):
                return None
            with os.fdopen(os.open(name[-1], _READ, dir_fd=directory), "rb") as file:
                return file.read(limit)

    def names(self) -> frozenset[str]:
        """What is in the directory itself."""
        try:
            with self._opened((), make=False) as directory:
                return frozenset(os.listdir(directory))  # noqa: PTH208 - of a descriptor
        except FileNotFoundError:
            return frozenset()

    def put(self, files: Mapping[Parts, bytes]) -> None:
        """Replace or make the files, durably; directories that are missing are made.

        Each appears as a whole, and none does before all are on the disk. Where one cannot be put
        in place, those that were are taken back.

        Raises:
            OSError: nothing was changed.
        """
        drafts: list[_Draft] = []
        with ExitStack() as stack:
            try:
                for name, content in files.items():
                    directory = stack.enter_context(self._opened(name[:-1], make=True))
                    draft = _Draft(directory, name[-1], _random(name[-1]))
                    drafts.append(draft)
                    _write(draft, content)
                for draft in drafts:
                    _place(draft)
                for directory in {draft.directory for draft in drafts}:
                    os.fsync(directory)
            except BaseException:
                for draft in reversed(drafts):
                    _take_back(draft)
                raise
            for draft in drafts:
                _forget(draft.older, draft.directory)

    def tidy(self, directories: Iterable[Parts]) -> None:
        """Remove what an earlier `put` left there that was killed: old drafts of our own."""
        for names in {(), *directories}:
            with suppress(OSError), self._opened(names, make=False) as directory:
                for name in os.listdir(directory):  # noqa: PTH208 - of a descriptor
                    if _LEFT.fullmatch(name) and _is_left(directory, name):
                        _forget(name, directory)

    @contextmanager
    def _opened(self, names: Parts, *, make: bool) -> Iterator[int]:
        if make:
            self._start.mkdir(parents=True, exist_ok=True)
        held = os.open(self._start, _DIRECTORY)
        try:
            for name in (*self._below, *names):
                below = _enter(held, name, make)
                os.close(held)
                held = below
            yield held
        finally:
            os.close(held)


def _enter(directory: int, name: str, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=directory)
            made = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            # Whatever the umask: the user of the workloads has to read what is in it.
            os.fchmod(made, 0o755)
            os.fsync(directory)
            return made
    status = os.lstat(name, dir_fd=directory)
    if stat.S_ISLNK(status.st_mode):
        raise OSError(0, f"{name} on the way there is a symbolic link", name)
    return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)


def _write(draft: _Draft, content: bytes) -> None:
    with os.fdopen(os.open(draft.draft, _NEW, 0o600, dir_fd=draft.directory), "wb") as file:
        file.write(content)
        file.flush()
        _permit(file.fileno(), draft)
        os.fsync(file.fileno())


def _permit(descriptor: int, draft: _Draft) -> None:
    """As the file that is replaced, where it is one, less what lets others write; else for all to
    read."""
    mode = 0o644
    with suppress(FileNotFoundError):
        status = os.lstat(draft.name, dir_fd=draft.directory)
        if stat.S_ISREG(status.st_mode):
            mode = status.st_mode & 0o644 | 0o600
            if status.st_gid != os.fstat(descriptor).st_gid:
                os.fchown(descriptor, -1, status.st_gid)
    os.fchmod(descriptor, mode)


def _place(draft: _Draft) -> None:
    older = _random(draft.name)
    with suppress(FileNotFoundError):
        os.link(
            draft.name, older,
            src_dir_fd=draft.directory, dst_dir_fd=draft.directory, follow_symlinks=False,
        )  # fmt: skip
        draft.older = older
    os.rename(draft.draft, draft.name, src_dir_fd=draft.directory, dst_dir_fd=draft.directory)
    draft.placed = True


def _take_back(draft: _Draft) -> None:
    if not draft.placed:
        _forget(draft.draft, draft.directory)
        _forget(draft.older, draft.directory)
    elif draft.older:
        with suppress(OSError):
            os.rename(
                draft.older, draft.name, src_dir_fd=draft.directory, dst_dir_fd=draft.directory
            )
    else:
        _forget(draft.name, draft.directory)


def _forget(name: str, directory: int) -> None:
    if name:
        with suppress(OSError):
            os.unlink(name, dir_fd=directory)


def _is_left(directory: int, name: str) -> bool:
    """Whether a draft is ours and old. Its own time may be that of what it was to put back."""
    status = os.lstat(name, dir_fd=directory)
    ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    return ours and status.st_ctime < time.time() - _OLD


def _random(name: str) -> str:
    # A dotfile: the workload loader does not read it.
    return f".{name}.{secrets.token_hex(6)}"
