"""Files beside a workload file, which its containers are to see: bounded, without links."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

from workloadd.core.errors import Problem
from workloadd.core.given import GivenFile
from workloadd.sources.absolute import BESIDE
from workloadd.sources.files import Signature, shown, why
from workloadd.spec.files import File

MAX_BYTES = 4 * 1024 * 1024
MAX_ENTRIES = 512
MAX_DEPTH = 8
_SETTLED_NS = 100_000_000
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class _Entry:
    """A regular file below the source: its path there, and what stat() says of it."""

    path: str
    status: os.stat_result

    @property
    def signature(self) -> Signature:
        s = self.status
        return s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns


@dataclass(slots=True)
class _Kept:
    signatures: tuple[tuple[str, Signature], ...]
    entries: tuple[tuple[str, bytes], ...]
    used: bool = True


class Beside:
    """Reads sources, each again only when it changed. Blocks."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def read(self, target: str, file: File) -> GivenFile | Problem:
        """What the container is to see at `target`, or why that cannot be read."""
        if file.source is None:
            return GivenFile(target, (("", (file.content or "").encode()),))
        directory, _, relative = file.source.partition(BESIDE)
        path = f"{directory}/{relative}"
        try:
            return GivenFile(target, self._entries(directory, relative))
        except FileNotFoundError as error:
            said = f"cannot read {shown(path)} for {target}: {why(error)}"
            return Problem("FileMissing", said, "put it there, beside the workload file")
        except OSError as error:
            said = f"cannot read {shown(path)} for {target}: {why(error)}"
            hint = "it must be a file or a directory that the user of the workloads may read"
            return Problem("FileUnreadable", said, hint)

    def sweep(self) -> None:
        """Forget what nobody asked for since the last sweep."""
        self._kept = {path: kept for path, kept in self._kept.items() if kept.used}
        for kept in self._kept.values():
            kept.used = False

    def _entries(self, directory: str, relative: str) -> tuple[tuple[str, bytes], ...]:
        path = f"{directory}/{relative}"
        source = _open_below(directory, relative)
        try:
            found = tuple(_walk(source))
            if sum(entry.status.st_size for entry in found) > MAX_BYTES:
                raise _refused(f"it has more than {MAX_BYTES} bytes")
            signatures = tuple((entry.path, entry.signature) for entry in found)
            kept = self._kept.get(path)
            if kept and kept.signatures == signatures:
                kept.used = True
                return kept.entries
            entries = tuple((entry.path, _content(source, entry)) for entry in found)
        finally:
            os.close(source)
        newest = max((max(e.signature[3:]) for e in found), default=0)
        if time.time_ns() - newest > _SETTLED_NS:
            self._kept[path] = _Kept(signatures, entries)
        return entries


def _open_below(directory: str, relative: str) -> int:
    """A descriptor of what `relative` leads to, by no link and not out of `directory`."""
    here = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in relative.split("/"):
        try:
            inner = _open_entry(here, name)
        finally:
            os.close(here)
        here = inner
    return here


def _open_entry(directory: int, name: str) -> int:
    """Open a file or directory; nothing else is opened, which could wait or have effects."""
    _check(os.stat(name, dir_fd=directory, follow_symlinks=False), name)
    return os.open(name, _OPEN, dir_fd=directory)


def _check(status: os.stat_result, name: str) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _refused(f"{shown(name)} is a link; copy what it leads to")
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise _refused(f"{shown(name)} is neither a file nor a directory")


def _walk(source: int) -> Iterator[_Entry]:
    """The regular files, in order; of a single one the path is empty."""
    status = os.fstat(source)
    if stat.S_ISREG(status.st_mode):
        yield _Entry("", status)
        return
    for count, entry in enumerate(_below(source, "", 1)):
        if count >= MAX_ENTRIES:
            raise _refused(f"it has more than {MAX_ENTRIES} files")
        yield entry


def _below(directory: int, prefix: str, depth: int) -> Iterator[_Entry]:
    if depth > MAX_DEPTH:
        raise _refused(f"it is nested deeper than {MAX_DEPTH}")
    for name in sorted(os.listdir(directory)):
        path = f"{prefix}{name}"
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        _check(status, path)
        if stat.S_ISREG(status.st_mode):
            yield _Entry(path, status)
            continue
        inner = _open_entry(directory, name)
        try:
            yield from _below(inner, f"{path}/", depth + 1)
        finally:
            os.close(inner)


def _content(source: int, entry: _Entry) -> bytes:
    descriptor = os.dup(source)
    for name in entry.path.split("/") if entry.path else ():
        try:
            inner = _open_entry(descriptor, name)
        finally:
            os.close(descriptor)
        descriptor = inner
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _refused(f"it has more than {MAX_BYTES} bytes")
    return data


def _refused(words: str) -> OSError:
    return OSError(errno.EINVAL, words)
