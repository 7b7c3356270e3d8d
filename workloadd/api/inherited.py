"""Which of the sockets that were passed on is the one to listen on."""

import ipaddress
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

from workloadd.core.errors import Problem
from workloadd.host import passed
from workloadd.host.passed import Passed

_TCP = passed.kept_name("tcp")


class Inherited:
    """Sockets that were passed on, each of which is taken once or closed."""

    def __init__(self, found: Sequence[Passed] = ()) -> None:
        self._left = list(found)

    def unix(self, path: Path) -> socket.socket | None:
        """The one that `path` leads to; blocks for a moment."""
        try:
            file = path.lstat()
        except OSError:
            return None
        if not stat.S_ISSOCK(file.st_mode):
            return None
        for one in tuple(self._left):
            # A kept one was bound under another name: the file is known by its number.
            named = one.name == passed.kept_name(file.st_ino)
            if one.sock.family == socket.AF_UNIX and (
                named if one.kept else one.sock.getsockname() == str(path)
            ):
                return self._take(one)
        return None

    def tcp(self, host: str, port: int) -> socket.socket | None:
        """The one at this address, which is one of loopback."""
        wanted = (ipaddress.ip_address(host), port)
        for one in tuple(self._left):
            if one.sock.family in (socket.AF_INET, socket.AF_INET6):
                found, number = one.sock.getsockname()[:2]
                if (ipaddress.ip_address(found), number) == wanted:
                    return self._take(one)
        return None

    def close_rest(self) -> Problem | None:
        """Close what nobody took; a socket unit that listens for nobody is a problem."""
        problem = None
        for one in self._left:
            if one.kept:
                passed.forget(one.name)
            else:
                problem = _unused(one)
            one.sock.close()
        self._left.clear()
        return problem

    def _take(self, one: Passed) -> socket.socket:
        self._left.remove(one)
        return one.sock


def keep_tcp(sock: socket.socket) -> None:
    """Have a TCP listener kept over restarts."""
    passed.keep(_TCP, sock)


def keep_unix(sock: socket.socket, inode: int) -> bool:
    """Have a Unix listener kept over restarts; says whether its file has to stay for that."""
    passed.keep(passed.kept_name(inode), sock)
    return passed.is_kept_for_us()


def _unused(one: Passed) -> Problem:
    name = one.sock.getsockname()
    where = f"{name[0]} port {name[1]}" if isinstance(name, tuple) else str(name)
    return Problem(
        "ListenerUnused",
        f"cannot use the socket unit that listens on {where}: the settings name another address",
        "whoever asks there waits in vain: systemctl --user disable --now workloadd-tcp.socket, or"
        " set [api] listen to that address",
    )
