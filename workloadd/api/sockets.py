"""Unix sockets in the file system: private or for a group, and put in place in one step."""

import errno
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workloadd.api.inherited import Inherited, keep_unix
from workloadd.core.errors import Permanent
from workloadd.host.peers import group_named

BACKLOG = 128
"""Who may wait to be let in, for each listener."""
# A connect to a living listener takes no time; one that hangs has a listener too.
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket and the file that leads to it, which stays if `lasts`."""

    sock: socket.socket
    path: Path
    inode: int
    lasts: bool = False

    def remove(self) -> None:
        """Close it and remove the file, unless that is a successor's by now; blocks."""
        self.sock.close()
        if self.lasts:
            return
        with suppress(OSError):
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()


def bind_unix(path: Path, inherited: Inherited) -> Listener:
    """A listening socket at `path`, mode 0600 in a directory 0700; blocks for a moment.

    The one that was passed on for this path, if there is.

    It is made under another name and renamed, so that there never is a time without a socket, or
    with one that others may open. A stale one is replaced, a living one is not.

    Raises:
        Permanent: the place cannot be used, or another daemon serves there.
    """
    try:
        _private_directory(path.parent)
        return _taken(path, inherited) or _bind(path)
    except OSError as error:
        raise Permanent(
            "SocketFailed",
            f"cannot listen on {path}: {error.strerror or error}",
            f"{path.parent} must belong to this user; the path may have 107 bytes",
        ) from error


def bind_shared(path: Path, name: str, inherited: Inherited) -> Listener:
    """A listening socket that this group may open too, mode 0660; blocks for a moment.

    Its directory is the administrator's to make: no user may give files to a group that it is not
    in, but what is made in a directory with the set-group-ID bit belongs to the directory's group.

    Raises:
        Permanent: the group or the place cannot be used, or another daemon serves there.
    """
    group = group_named(name)
    if group is None:
        said = f"cannot serve the group {name}: there is none of that name on this host"
        raise Permanent("SocketFailed", said, f"make it: groupadd {name}; or correct [api] group")
    try:
        _require_owned(path.parent)
        return _taken(path, inherited) or _bind(path, group)
    except OSError as error:
        raise Permanent(
            "SocketFailed",
            f"cannot listen on {path}, for the group {name}: {error.strerror or error}",
            "write into /etc/tmpfiles.d/workloadd-group.conf, and run systemd-tmpfiles --create: "
            f"d {path.parent} 2750 {path.parent.name} {name} -",
        ) from error


def _require_owned(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, os.geteuid()):
        raise PermissionError(errno.EPERM, f"{directory} is not a directory of this user")
    if found.st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EPERM, f"everybody may write to {directory}")


def _require_free(path: Path) -> None:
    if _is_alive(path):
        raise Permanent(
            "AlreadyRunning",
            f"cannot listen on {path}: another workloadd answers there",
            "see systemctl --user status workloadd; there is one for each user",
        )


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


def _taken(path: Path, inherited: Inherited) -> Listener | None:
    sock = inherited.unix(path)
    return Listener(sock, path, path.stat().st_ino, lasts=True) if sock else None


def _bind(path: Path, group: int | None = None) -> Listener:
    _require_free(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        aside.unlink(missing_ok=True)
        sock.bind(str(aside))
        found = aside.stat()
        if group is not None and found.st_gid != group:
            os.chown(aside, -1, group)
        aside.chmod(0o600 if group is None else 0o660)
        sock.listen(BACKLOG)
        inode = found.st_ino
        aside.replace(path)
    except BaseException:
        sock.close()
        aside.unlink(missing_ok=True)
        raise
    return Listener(sock, path, inode, lasts=keep_unix(sock, inode))
