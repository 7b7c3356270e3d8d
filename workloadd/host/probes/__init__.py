"""One try of a probe, carried out."""

import asyncio
import socket
from typing import Protocol

from workloadd.core.errors import Permanent
from workloadd.core.probe_targets import Target
from workloadd.core.probes import Probe
from workloadd.host.probes.http import ask
from workloadd.host.probes.outcome import Failed
from workloadd.host.probes.reach import Reach

__all__ = ["Commands", "Failed", "Probes", "Reach"]

# Seconds in which what forwards a published port says that nobody listens behind it.
_FORWARDER = 0.2
# Seconds for Podman itself to start a command, which are not the command's.
_PODMAN = 30.0


class Commands(Protocol):
    """Runs commands in containers."""

    async def probe(
        self, container: str, command: tuple[str, ...], timeout: float
    ) -> int | None: ...


class Probes:
    """Carries probes out."""

    def __init__(self, reach: Reach, commands: Commands) -> None:
        self._reach = reach
        self._commands = commands

    async def try_once(self, target: Target, probe: Probe) -> None:
        """Returns where it went well.

        Raises:
            Failed: it did not.
            Transient: it could not be tried, which says nothing of the container.
        """
        if probe.exec:
            await self._command(target, probe)
            return
        try:
            async with asyncio.timeout(probe.timeout):
                made, direct = await self._reach.connect(target, probe.port)
                if probe.http:
                    await ask(made, probe.http)
                else:
                    await _taken(made, direct)
        except TimeoutError:
            raise Failed("Timeout", f"no answer within {probe.timeout:g} s") from None

    async def _command(self, target: Target, probe: Probe) -> None:
        try:
            async with asyncio.timeout(probe.timeout + _PODMAN):
                code = await self._commands.probe(target.id, probe.exec, probe.timeout)
        except Permanent as error:
            raise Failed("CommandNotRun", error.problem.message) from None
        if code is None:
            message = f"the command ran longer than {probe.timeout:g} s, and was killed"
            raise Failed("Timeout", message)
        if code:
            raise Failed("CommandFailed", f"the command ended with exit code {code}")


async def _taken(made: socket.socket, direct: bool) -> None:
    """Whether a connection is one with the container: a forwarder accepts first and asks later."""
    with made:
        if direct:
            return
        try:
            async with asyncio.timeout(_FORWARDER):
                said = await asyncio.get_running_loop().sock_recv(made, 1)
        except TimeoutError:
            return
        except OSError:
            said = b""
        if not said:
            raise Failed("ConnectionClosed", "the connection was closed at once")
