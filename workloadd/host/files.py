"""Writing files so that a crash leaves the old or the new one, and reading them without traps.

All of it blocks: callers use a thread. Paths are opened through their directory where an entry of
that directory may be somebody else's doing.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# What a draft's name ends in, as a pattern.
_RANDOM_BYTES = 6
_RANDOM = "[0-9a-f]" * 2 * _RANDOM_BYTES
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class NotARegularFileError(OSError):
    """A FIFO, a device, a socket or a directory stands where a file was expected."""


class TooBigError(OSError):
    """A file is larger than its reader allows."""


def read_bounded(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    A FIFO or a device never makes the reader wait. With `follow` False a symbolic link in the
    last part of the path is refused (ELOOP). Raises `OSError`.
    """
    fd = os.open(path, _READ if follow else _READ | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NotARegularFileError(0, "it is not a regular file", str(path))
        with open(fd, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(fd)
    if len(content) > limit:
        raise TooBigError(0, f"it is larger than {limit} bytes", str(path))
    return content


def write_atomic(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Replace `path`, a symbolic link included, with a file that holds `content`, durably.

    The content is on the disk before the rename and the rename before the return. `mode` is set
    whatever the umask. Raises `OSError` and leaves nothing behind then.
    """
    data = content.encode() if isinstance(content, str) else content
    with _directory(path) as directory:
        temporary = _temporary_name(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(temporary, flags, 0o600, dir_fd=directory)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(fd, mode)
                os.fsync(fd)
            os.rename(temporary, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory)
            raise
        os.fsync(directory)


def make_link(path: Path, target: str) -> bool:
    """Make `path` a symbolic link to `target`, atomically; say whether anything changed.

    Another link there is replaced, anything else is not (`FileExistsError`).
    """
    with _directory(path) as directory:
        with suppress(FileNotFoundError):
            if not stat.S_ISLNK(os.lstat(path.name, dir_fd=directory).st_mode):
                raise FileExistsError(0, "it is not a symbolic link", str(path))
            if os.readlink(path.name, dir_fd=directory) == target:
                return False
        _rename_link(path, target, directory)
    return True


def replace_with_link(path: Path, target: str) -> None:
    """Make `path` a symbolic link to `target`, atomically, in place of a file too."""
    if path.is_symlink() and str(path.readlink()) == target:
        return
    with _directory(path) as directory:
        _rename_link(path, target, directory)


def _rename_link(path: Path, target: str, directory: int) -> None:
    temporary = _temporary_name(path)
    os.symlink(target, temporary, dir_fd=directory)
    try:
        os.rename(temporary, path.name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=directory)
        raise
    os.fsync(directory)


def remove_if_exists(path: Path) -> bool:
    """Remove a file or a link (never what it points to); say whether there was one."""
    try:
        with _directory(path) as directory:
            os.unlink(path.name, dir_fd=directory)
            os.fsync(directory)
    except FileNotFoundError:
        return False
    return True


def remove_drafts(directory: Path, pattern: str = "*") -> None:
    """Remove what a writer that was killed left beside the files and links it had to replace.

    `pattern` is for their names. Nobody may be at work there.
    """
    for draft in directory.glob(f".{pattern}.{_RANDOM}"):
        draft.unlink(missing_ok=True)


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    """The directory of `path`, opened: what happens to its own path meanwhile does not matter."""
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _temporary_name(path: Path) -> str:
    # A dotfile: neither systemd nor the workload loader reads it.
    return f".{path.name}.{secrets.token_hex(_RANDOM_BYTES)}"
