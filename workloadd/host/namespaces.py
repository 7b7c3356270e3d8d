"""Sockets in the networks of containers, made by a helper process of our own.

The helper is started when it is first needed, and again when it is gone, hangs, or has joined a
user namespace of Podman's that is no longer the one containers are in (`podman system migrate`).
What was asked of it meanwhile has failed, which says nothing of the container.
"""

import asyncio
import logging
import random
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

from workloadd.core.backoff import delay
from workloadd.core.errors import Transient
from workloadd.host import namespaces_helper

log = logging.getLogger(__name__)

# Seconds in which the helper answers, which takes it a fraction of a millisecond.
_ANSWER = 5.0
# Seconds until it is started anew: after the first death, and at the most.
_BASE, _CEILING = 0.2, 30.0
_MOST = 512
_RIGHTS = socket.CMSG_SPACE(4)

_NO_WORD = "cannot ask the namespace helper"


class CannotJoin(Transient):
    """The host does not let us into the networks of containers."""


class NotThere(Transient):
    """There is no such process, or it is not that container's any more."""


def helper_command() -> list[str]:
    """How the helper is started; its socket becomes its standard input.

    Without site (-S) and the user's own settings (-I) it is small; it needs no more than its path.
    """
    return [sys.executable, "-I", "-S", "-B", namespaces_helper.__file__]


class Namespaces:
    """Makes sockets in networks of containers."""

    def __init__(self, command: Callable[[], list[str]] = helper_command) -> None:
        self._command = command
        self._helper: _Helper | None = None
        self._starting = asyncio.Lock()
        self._deaths = 0
        self._not_before = 0.0

    async def open(
        self, container: str, pid: int, family: int = socket.AF_INET
    ) -> socket.socket | None:
        """A TCP socket, not blocking, in the network of a container, by its full ID and a process.

        None where the container has the host's network.

        Raises:
            CannotJoin: the host does not let us.
            NotThere: the process is not that container's.
            Transient: the helper is away.
        """
        return await self._ask(pid, container, family)

    async def check(self, pid: int) -> None:
        """Join Podman's user namespace, by a process in it.

        Raises: as `open`.
        """
        await self._ask(pid, "", 0)

    async def close(self) -> None:
        """End the helper."""
        if self._helper:
            await self._helper.close()

    async def _ask(self, pid: int, container: str, family: int) -> socket.socket | None:
        helper = await self._running()
        proven = helper.proven
        try:
            return await helper.ask(pid, container, family)
        except CannotJoin:
            # Those whom it served before may be gone, and what is here now in another namespace.
            if not proven:
                raise
            await helper.close()
            return await (await self._running()).ask(pid, container, family)

    async def _running(self) -> "_Helper":
        async with self._starting:
            if self._helper and self._helper.alive:
                return self._helper
            now = asyncio.get_running_loop().time()
            if self._helper and not self._helper.closed:
                await self._bury(self._helper, now)
            if now < self._not_before:
                raise Transient("HelperAway", f"{_NO_WORD}: it ended, and is started again soon")
            try:
                self._helper = await _Helper.start(self._command())
            except OSError as error:
                self._put_off(now)
                raise Transient("HelperAway", f"{_NO_WORD}: {error}") from error
            return self._helper

    async def _bury(self, helper: "_Helper", now: float) -> None:
        """Take note of a helper that ended without being told to."""
        if helper.proven:
            self._deaths = 0
        self._put_off(now)
        self._helper = None
        await helper.close()
        log.warning("the namespace helper ended with %s", helper.fate)

    def _put_off(self, now: float) -> None:
        self._deaths += 1
        spread = random.random()  # noqa: S311
        self._not_before = now + delay(self._deaths, _BASE, _CEILING, spread)


class _Helper:
    """One helper process. `proven` says that it has served, `closed` that we ended it."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[socket.socket | None]] = {}
        self.proven = False
        self.closed = False
        self.alive = True
        self._loop.add_reader(channel, self._read)

    @classmethod
    async def start(cls, command: list[str]) -> "_Helper":
        """Start a process.

        Raises:
            OSError: it cannot be started.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=theirs.fileno(), stdout=asyncio.subprocess.DEVNULL
                )
        except BaseException:
            ours.close()
            raise
        return cls(process, ours)

    @property
    def fate(self) -> str:
        """How it ended, in words."""
        code = self._process.returncode
        return f"exit status {code}" if code is None or code >= 0 else f"signal {-code}"

    async def ask(self, pid: int, container: str, family: int) -> socket.socket | None:
        """Send a request and wait for the answer."""
        self._asked += 1
        number = self._asked
        try:
            self._channel.send(f"{number} {pid} {container} {int(family)}".encode())
        except OSError as error:
            self._end()
            raise Transient("HelperAway", f"{_NO_WORD}: {error.strerror}") from error
        self._waiting[number] = answer = self._loop.create_future()
        try:
            async with asyncio.timeout(_ANSWER):
                return await _taken(answer)
        except TimeoutError:
            self._end()
            message = f"{_NO_WORD}: no answer within {_ANSWER:.0f} s"
            raise Transient("HelperAway", message) from None
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """End it, and leave no zombie."""
        self.closed = True
        self._end()
        await self._process.wait()

    def _end(self) -> None:
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._channel)
        self._channel.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Transient("HelperAway", f"{_NO_WORD}: it ended"))
        self._waiting.clear()

    def _read(self) -> None:
        try:
            data, ancillary, _, _ = self._channel.recvmsg(_MOST, _RIGHTS, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        if not data:
            self._end()
            return
        made = [socket.socket(fileno=int.from_bytes(d, sys.byteorder)) for _, _, d in ancillary]
        number, word, *message = data.decode(errors="replace").split(" ", 2)
        answer = self._waiting.get(int(number))
        if answer is None or answer.done():
            for one in made:
                one.close()
            return
        self._settle(answer, word, made[0] if made else None, " ".join(message))

    def _settle(
        self,
        answer: "asyncio.Future[socket.socket | None]",
        word: str,
        made: socket.socket | None,
        message: str,
    ) -> None:
        if word == "denied":
            said = f"cannot join the network of a container: {message}"
            answer.set_exception(CannotJoin("CannotJoin", said))
        elif word == "gone":
            answer.set_exception(NotThere("NotThere", "the container's process is gone"))
        else:
            self.proven = True
            answer.set_result(made)


async def _taken(answer: "asyncio.Future[socket.socket | None]") -> socket.socket | None:
    """The answer. A socket that comes for somebody who has just gone is closed."""
    try:
        return await answer
    except asyncio.CancelledError:
        if answer.done() and not answer.cancelled() and not answer.exception():
            made = answer.result()
            if made:
                made.close()
        raise
