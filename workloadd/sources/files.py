"""Reading small files that other people put somewhere: bounded, never blocking, not twice."""

import errno
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

MAX_BYTES = 1 << 20
# Two writes within one tick of the kernel's clock (up to 10 ms) leave the same times behind, so
# what was read sooner than this after a change is read again next time.
_SETTLED_NS = 100_000_000

# Where regular files are none that somebody wrote.
_KERNELS = ("/proc/", "/sys/", "/dev/")

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Signature = tuple[int, ...]
Parsed = TypeVar("Parsed")


class NotRegularError(OSError):
    """There is something, but not a file (or a link to one)."""


@dataclass(slots=True)
class _Entry(Generic[Parsed]):
    signature: Signature | None
    parsed: Parsed
    used: bool = True


class FileCache(Generic[Parsed]):
    """What `parse` made of files, until they change. For one thread at a time."""

    def __init__(self, parse: Callable[[str, bytes], Parsed]) -> None:
        self._parse = parse
        self._entries: dict[str, _Entry[Parsed]] = {}

    def get(self, path: str) -> Parsed:
        """The file as parsed; an OSError where it cannot be read. Blocks."""
        found = self._entries.get(path)
        # Hundreds of these a pass: a Path for each costs as much as the system call.
        status = os.stat(path)  # noqa: PTH116
        if found and found.signature is not None and found.signature == _signature(status):
            found.used = True
            return found.parsed
        data, signature = read_regular(path, status)
        parsed = self._parse(path, data)
        self._entries[path] = _Entry(signature, parsed)
        return parsed

    def sweep(self) -> None:
        """Forget the files that nobody asked for since the last sweep."""
        self._entries = {path: entry for path, entry in self._entries.items() if entry.used}
        for entry in self._entries.values():
            entry.used = False


def read_regular(path: str, status: os.stat_result) -> tuple[bytes, Signature | None]:
    """At most one byte more than `MAX_BYTES` of a regular file, and its signature once settled.

    `status` is what stat() says of `path`. Links are followed, but nothing is opened that is not
    a regular file: opening a FIFO waits for a writer, and opening a device may do anything.
    """
    _require_regular(status, path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        _require_regular(before, path)
        _require_stored(descriptor, path)
        data = file.read(MAX_BYTES + 1)
        after = os.fstat(descriptor)
    settled = time.time_ns() - max(after.st_ctime_ns, after.st_mtime_ns) > _SETTLED_NS
    same = _signature(before) == _signature(after)
    return data, _signature(after) if settled and same else None


def _signature(status: os.stat_result) -> Signature:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _require_regular(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise NotRegularError(errno.EINVAL, f"it is {what}, not a file", path)


def _require_stored(descriptor: int, path: str) -> None:
    """Refuse what a link may lead to among the kernel's own files: they are about this process,
    and reading some of them changes something."""
    try:
        opened = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    except OSError:
        return  # no /proc, so nothing leads there
    for place in _KERNELS:
        if opened.startswith(place):
            what = f"it is in {place}, where nobody stores files"
            raise NotRegularError(errno.EINVAL, what, path)


def why(error: OSError) -> str:
    """The reason in an OSError, for the end of a sentence."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def shown(path: str | Path) -> str:
    """A path as text that any terminal, log and JSON document can hold."""
    text = str(path)
    if text.isprintable():
        return text
    text = os.fsencode(text).decode(errors="replace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
