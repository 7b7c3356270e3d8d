"""The Unix socket in the file system: private, and put in place in one step."""

import errno
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workloadd.core.errors import Permanent

_BACKLOG = 128
# A connect to a living listener takes no time; one that hangs has a listener too.
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket and the file that leads to it."""

    sock: socket.socket
    path: Path
    inode: int

    def remove(self) -> None:
        """Close it and remove the file, unless that is a successor's by now; blocks."""
        self.sock.close()
        with suppress(OSError):
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()


def bind_unix(path: Path) -> Listener:
    """A listening socket at `path`, mode 0600 in a directory 0700; blocks for a moment.

    It is made under another name and renamed, so that there never is a time without a socket, or
    with one that others may open. A stale one is replaced, a living one is not.

    Raises:
        Permanent: the place cannot be used, or another daemon serves there.
    """
    try:
        _private_directory(path.parent)
        if _is_alive(path):
            raise Permanent(
                "AlreadyRunning",
                f"cannot listen on {path}: another workloadd answers there",
                "see systemctl --user status workloadd; there is one for each user",
            )
        return _bind(path)
    except OSError as error:
        raise Permanent(
            "SocketFailed",
            f"cannot listen on {path}: {error.strerror or error}",
            f"{path.parent} must belong to this user; the path may have 107 bytes",
        ) from error


def _private_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"{directory} is not a directory of this user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)


def _is_alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except (TimeoutError, BlockingIOError):
            return True
    return True


def _bind(path: Path) -> Listener:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        aside.unlink(missing_ok=True)
        sock.bind(str(aside))
        aside.chmod(0o600)
        sock.listen(_BACKLOG)
        inode = aside.stat().st_ino
        aside.replace(path)
    except BaseException:
        sock.close()
        aside.unlink(missing_ok=True)
        raise
    return Listener(sock, path, inode)
