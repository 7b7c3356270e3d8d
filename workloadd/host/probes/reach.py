"""Connections to ports of containers: in their own networks, or by published ports."""

import array
import asyncio
import fcntl
import socket
import struct
from pathlib import Path

from workloadd.core.errors import Problem, Transient
from workloadd.core.probe_targets import Target
from workloadd.host.namespaces import CannotJoin, Namespaces
from workloadd.host.probes.outcome import Failed

_LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
# netdevice(7): the interfaces' IPv4 addresses; each takes 40 bytes, the address from 20 on.
_SIOCGIFCONF, _ENTRY, _ADDRESS = 0x8912, 40, 20
_INTERFACES = 16
_PAUSE_FILE = "libpod/tmp/pause.pid"
SWITCHED_OFF = Problem(
    "SwitchedOff",
    "the networks of containers are not joined: [probes] namespaces is false",
    "publish the port, use an exec probe, or set namespaces = true",
)


class Reach:
    """Finds the way to a container's port. `namespaces` None: only published ports are used."""

    def __init__(self, namespaces: Namespaces | None, runtime: Path) -> None:
        self._namespaces = namespaces
        self._pause_file = runtime / _PAUSE_FILE
        # Why networks cannot be joined; None where they can, or that is not known.
        self.problem: Problem | None = None if namespaces else SWITCHED_OFF

    async def check(self) -> Problem | bool:
        """Try it: whether networks can be joined, False where that is not known yet, or why not."""
        if self._namespaces is None:
            return SWITCHED_OFF
        try:
            pid = int(await asyncio.to_thread(self._pause_file.read_text))
        except (OSError, ValueError):
            # Before the first container there is no user namespace of Podman's to join.
            return self.problem or False
        try:
            await self._namespaces.check(pid)
        except CannotJoin as error:
            self.problem = error.problem
            return error.problem
        except Transient:
            return self.problem or False
        self.problem = None
        return True

    async def connect(self, target: Target, port: int) -> tuple[socket.socket, bool]:
        """A connection to a TCP port of a container, and whether nobody forwards it.

        Raises:
            Failed: nobody accepts it.
            Transient: it cannot be tried.
        """
        if self._namespaces and not self.problem:
            try:
                return await self._inside(self._namespaces, target, port), True
            except CannotJoin as error:
                self.problem = error.problem
        return await self._published(target, port), False

    async def close(self) -> None:
        """End what was started for it."""
        if self._namespaces:
            await self._namespaces.close()

    async def _published(self, target: Target, port: int) -> socket.socket:
        if port not in target.published:
            if await asyncio.to_thread(_has_our_network, target):
                return await _connected(_plain(socket.AF_INET), ("127.0.0.1", port), port)
            why = self.problem or SWITCHED_OFF
            raise Transient("NotPublished", f"{why.message}, and port {port} is not published")
        place = target.published[port]
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        return await _connected(_plain(family), place, port)

    async def _inside(self, namespaces: Namespaces, target: Target, port: int) -> socket.socket:
        """Loopback, and where nobody listens there, the container's own addresses."""

        async def made(family: int) -> socket.socket:
            found = await namespaces.open(target.id, target.pid, family)
            return found or _plain(family)

        first = await made(socket.AF_INET)
        others = _addresses(first)
        try:
            return await _connected(first, (_LOOPBACK[socket.AF_INET], port), port)
        except Failed as refused:
            if refused.problem.reason != "ConnectionRefused":
                raise
            for address in (*others, _LOOPBACK[socket.AF_INET6]):
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                try:
                    return await _connected(await made(family), (address, port), port)
                except Failed:
                    continue
            raise


async def _connected(made: socket.socket, place: tuple[str, int], port: int) -> socket.socket:
    try:
        await asyncio.get_running_loop().sock_connect(made, place)
    except ConnectionRefusedError:
        made.close()
        raise Failed("ConnectionRefused", f"nobody listens on port {port}") from None
    except OSError as error:
        made.close()
        raise Failed("Unreachable", f"cannot connect to port {port}: {error.strerror}") from None
    except BaseException:
        made.close()
        raise
    return made


def _has_our_network(target: Target) -> bool:
    """Whether a container shares the host's network. Blocks."""
    try:
        theirs = Path(f"/proc/{target.pid}/ns/net").stat()
    except OSError:
        return False
    return theirs.st_ino == Path("/proc/self/ns/net").stat().st_ino


def _plain(family: int) -> socket.socket:
    """A socket in our own network, which is the host's."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    return made


def _addresses(made: socket.socket) -> list[str]:
    """The IPv4 addresses of the network that a socket is in, without loopback."""
    table = array.array("B", bytes(_ENTRY * _INTERFACES))
    address, size = table.buffer_info()
    # struct ifconf: the table's size, which becomes what was filled in, and where it is.
    said = fcntl.ioctl(made, _SIOCGIFCONF, struct.pack("iP", size, address))
    filled = table.tobytes()[: struct.unpack("iP", said)[0]]
    found = [
        socket.inet_ntoa(filled[at + _ADDRESS : at + _ADDRESS + 4])
        for at in range(0, len(filled), _ENTRY)
    ]
    return [one for one in found if not one.startswith("127.")]
