"""Open connections, as the kernel's tables of the user's network have them (proc(5))."""

import ipaddress
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from workloadd.host.socket_paths import socket_path
from workloadd.spec.sockets import Socket

_PROC = Path("/proc/self/net")
# States of include/net/tcp_states.h in which a program has, or is about to get, a connection:
# ESTABLISHED, SYN_RECV and CLOSE_WAIT, in which the other end has said all it had to say.
_OPEN = {"01", "03", "08"}
# Of /proc/net/unix: a listening socket has this flag, a connected one this state.
_LISTENS = 0x10000
_CONNECTED = "03"


def inet_connections(table: str) -> Iterator[tuple[str, int]]:
    """The local ends (address, port) of the open connections in a /proc/net/tcp or tcp6."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 3 and fields[3] in _OPEN:
            address, _, port = fields[1].partition(":")
            yield address_of(address), int(port, 16)


def address_of(text: str) -> str:
    """Hexadecimal words in the machine's byte order, as a canonical address."""
    words = (text[i : i + 8] for i in range(0, len(text), 8))
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def unix_connections(table: str) -> Iterator[str]:
    """The paths of the sockets at whose other ends connections are, in a /proc/net/unix."""
    for line in table.splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and fields[5] == _CONNECTED and not int(fields[3], 16) & _LISTENS:
            yield fields[7]


def accepted_connections(table: str) -> int:
    """How many TCP connections were ever accepted, of a /proc/net/snmp."""
    names, values = (line.split() for line in table.splitlines() if line.startswith("Tcp:"))
    return int(values[names.index("PassiveOpens")])


class Connections:
    """One look at the tables, which costs a read each, and then answers for every socket."""

    def __init__(self, runtime: Path, home: Path, proc: Path = _PROC) -> None:
        """Read. Blocks. `runtime` and `home` are what `%t` and `~` stand for.

        Raises:
            OSError: a table cannot be read.
        """
        self._places = (runtime, home)
        tables = [proc / "tcp", *([proc / "tcp6"] if (proc / "tcp6").exists() else [])]
        self._inet = [end for table in tables for end in inet_connections(table.read_text())]
        # A path is bytes.
        unix = (proc / "unix").read_text(errors="surrogateescape")
        self._unix = list(unix_connections(unix))
        self.accepted = accepted_connections((proc / "snmp").read_text())

    def count(self, sockets: Iterable[Socket]) -> int:
        """How many connections are open to any of the sockets."""
        return sum(self._count(socket) for socket in sockets)

    def _count(self, socket: Socket) -> int:
        if socket.kind == "unix":
            return self._unix.count(str(socket_path(socket, *self._places)))
        anywhere = socket.address in ("", "0.0.0.0", "::")  # noqa: S104 - nothing is bound
        return sum(
            1
            for address, port in self._inet
            if port == socket.port and (anywhere or address == socket.address)
        )
