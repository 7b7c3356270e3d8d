"""Listening sockets that the service manager has: those of socket units, and those it keeps for us.

Of both it passes a descriptor on to each daemon that it starts (sd_listen_fds(3)). What is kept is
what an earlier daemon gave it (FDSTORE=1, sd_notify(3)): who connects while there is none waits for
the next one, instead of being refused.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

from systemd import daemon

log = logging.getLogger(__name__)

_KEPT = "kept-"


@dataclass(frozen=True, slots=True)
class Passed:
    """A listening socket by its FileDescriptorName=, or by the name that we gave it."""

    name: str
    sock: socket.socket

    @property
    def kept(self) -> bool:
        """Whether it is our own, and no socket unit's."""
        return self.name.startswith(_KEPT)


def passed_sockets() -> tuple[Passed, ...]:
    """All there are, taken over; what is no listening stream socket is closed."""
    found = daemon.listen_fds_with_names(unset_environment=True)
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(variable, None)  # the call above changed it behind Python's back
    return tuple(_listening(found))


def _listening(found: dict[int, str]) -> Iterator[Passed]:
    for descriptor, name in found.items():
        try:
            sock = socket.socket(fileno=descriptor)
        except OSError:
            os.close(descriptor)
            log.warning("closed %s, which was passed on and is no socket", name)
            continue
        accepts = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if sock.type != socket.SOCK_STREAM or not accepts:
            sock.close()
            log.warning("closed %s, which was passed on and is no listening stream socket", name)
            continue
        sock.setblocking(False)
        yield Passed(name, sock)


def refuse_waiting() -> None:
    """Cut off who waits for a daemon that cannot start, or they would have it started again."""
    for one in passed_sockets():
        with suppress(OSError), closing(one.sock):
            while True:
                one.sock.accept()[0].close()


def is_kept_for_us() -> bool:
    """Whether there is a manager that may keep something."""
    return "NOTIFY_SOCKET" in os.environ


def kept_name(what: str | int) -> str:
    """The name of something that is to be kept."""
    return f"{_KEPT}{what}"


def keep(name: str, sock: socket.socket) -> None:
    """Have it kept over restarts, where the manager does that."""
    with suppress(OSError):
        daemon.notify(f"FDSTORE=1\nFDNAME={name}", fds=[sock.fileno()])


def forget(name: str) -> None:
    """Have it kept no longer."""
    with suppress(OSError):
        daemon.notify(f"FDSTOREREMOVE=1\nFDNAME={name}")
