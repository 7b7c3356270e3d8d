"""Which user of this machine is at the other end of a loopback connection.

TCP has no SO_PEERCRED; but the client's socket is on this machine too, and the kernel's tables
(proc(5)) say whose it is.
"""

import grp
import pwd
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from workloadd.host.connections import address_of

_PROC = Path("/proc/self/net")
# Of include/net/tcp_states.h. In most other states the table says 0 for the user, whoever it was.
_ESTABLISHED = "01"
# Bytes of a table that are read: some 25,000 connections.
_MAX_TABLE = 4 << 20

End = tuple[str, int]


def user_of(client: End, server: End, proc: Path = _PROC) -> int | None:
    """The number of the user whose connection it is; None where that cannot be told. Blocks."""
    for name in ("tcp", "tcp6"):
        with suppress(OSError), (proc / name).open() as table:
            if (user := _find(table.read(_MAX_TABLE), client, server)) is not None:
                return user
    return None


def _find(table: str, client: End, server: End) -> int | None:
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or fields[3] != _ESTABLISHED:
            continue
        if _end(fields[1]) == client and _end(fields[2]) == server:
            return int(fields[7])
    return None


def _end(text: str) -> End:
    address, _, port = text.partition(":")
    return address_of(address), int(port, 16)


def users_named(names: Iterable[str]) -> frozenset[int]:
    """The numbers of users; one that is not of this host is nobody's. Blocks."""
    found = set()
    for name in names:
        if name.isascii() and name.isdecimal():
            found.add(int(name))
            continue
        with suppress(KeyError):
            found.add(pwd.getpwnam(name).pw_uid)
    return frozenset(found)


def group_named(name: str) -> int | None:
    """The number of a group, None where there is none of that name. Blocks."""
    if name.isascii() and name.isdecimal():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def name_of(user: int) -> str:
    """A user's name, or number where it has none. Blocks."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"number {user}"
