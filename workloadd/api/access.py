"""Who is asking, and what they may therefore be told or do: found out once for each request.

On the Unix socket the kernel says which user is at the other end (SO_PEERCRED). Over TCP anybody
on this machine may ask, unless the settings name a token: then only who knows it is answered.
"""

import asyncio
import os
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

from aiohttp import web

from workloadd.api.contract import FLEETLOCK, methods_of
from workloadd.api.negotiate import wants_html
from workloadd.api.problems import Refusal
from workloadd.api.tokens import Token
from workloadd.core.errors import Problem
from workloadd.host.peers import group_named, name_of

# struct ucred: process, user, group.
_CREDENTIALS = struct.Struct("3i")
# Linux 4.13; Python has no name for it, and takes no answer of more than this many bytes.
_SO_PEERGROUPS, _MAX_GROUPS = 59, 1024
_PAGE = "/page/"


class Standing(IntEnum):
    """What somebody is known to be."""

    ANYBODY = 0
    """Some user of this machine: may know how the workloads are."""
    READER = 1
    """Who has the token: may also know what programs and files say."""
    OWNER = 2
    """The user whose workloads they are, root, or a member of the group: may do something, too."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who sent a request; `user` is known on the Unix socket alone."""

    standing: Standing
    user: int | None = None

    async def name(self) -> str:
        """The user's name, for the history."""
        if self.user is None:
            return "somebody"
        return await asyncio.to_thread(name_of, self.user)


_ANYBODY, _READER = Asker(Standing.ANYBODY), Asker(Standing.READER)
_ASKER = web.RequestKey("asker", Asker)


class Access:
    """Decides who a request is from."""

    def __init__(self, token: Token | None = None, group: str = "") -> None:
        self._token = token
        self._group = group

    @property
    def problem(self) -> Problem | None:
        """Why it cannot be told who may ask over TCP."""
        return self._token.problem if self._token else None

    async def look(self) -> None:
        """Find out whether there is such a problem."""
        if self._token:
            await self._token.look()

    async def admit(self, request: web.Request) -> Asker:
        """Who it is, also for the handlers (`asker_of`).

        Raises:
            Refusal: somebody who may not know anything.
        """
        asker = (
            await self._peer(request) if on_unix_socket(request) else await self._bearer(request)
        )
        request[_ASKER] = asker
        return asker

    async def _peer(self, request: web.Request) -> Asker:
        """The user at the other end, whatever the mode of the file that led here."""
        sock = request.transport.get_extra_info("socket") if request.transport else None
        if sock is None:
            raise Refusal(403, "NotYours", "cannot tell who asks")
        data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, user, group = _CREDENTIALS.unpack(data)
        if user not in (0, os.getuid()) and not await self._is_member(group, sock):
            hint = "ask as the user that workloadd runs as, or as root"
            if self._group:
                hint += f", or as a member of the group {self._group}"
            detail = f"cannot answer user {user} here: the workloads are another's"
            raise Refusal(403, "NotYours", detail, hint)
        return Asker(Standing.OWNER, user)

    async def _is_member(self, primary: int, sock: socket.socket) -> bool:
        """By the groups that the process had as it connected, as the kernel knows them."""
        if not self._group:
            return False
        wanted = await asyncio.to_thread(group_named, self._group)
        return wanted is not None and wanted in (primary, *_groups(sock))

    async def _bearer(self, request: web.Request) -> Asker:
        """Over TCP: by the token, where there is one."""
        if self._token is None or _says_nothing(request):
            return _ANYBODY
        given = request.headers.getall("Authorization", [])
        scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
        await self._token.look()
        if self._token.problem:
            hint = "the workloads' user sees why: workloadctl status"
            detail = "cannot tell who may ask: there is no usable token"
            raise Refusal(503, "TokenUnusable", detail, hint)
        if scheme.lower() == "bearer" and self._token.is_it(token.strip()):
            return _READER
        raise _unauthorized(wrong=bool(given))


def asker_of(request: web.Request) -> Asker:
    """Who was admitted."""
    return request[_ASKER]


def may_know(request: web.Request) -> bool:
    """Whether it may be told what programs and files say, which may well be a secret."""
    return asker_of(request).standing >= Standing.READER


def require_reader(request: web.Request, what: str, command: str) -> None:
    """Refuse everybody else; `command` is how its owner asks."""
    if not may_know(request):
        hint = f"ask on the Unix socket, as {command} does, or with the token of [api] token_file"
        raise Refusal(403, "NotYours", f"cannot show {what} over TCP", hint)


def require_owner(request: web.Request) -> Asker:
    """Refuse everybody else. The guard has refused actions over TCP before."""
    asker = asker_of(request)
    if asker.standing < Standing.OWNER:
        raise Refusal(403, "NotYours", "cannot tell which user asks")
    return asker


def on_unix_socket(request: web.Request) -> bool:
    """Whether the kernel knows who is at the other end."""
    transport = request.transport
    return transport is not None and isinstance(transport.get_extra_info("sockname"), str | bytes)


def _groups(sock: socket.socket) -> tuple[int, ...]:
    """The supplementary groups of the process at the other end; none where there are too many."""
    try:
        data = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MAX_GROUPS)
    except OSError:
        return ()
    return struct.unpack(f"{len(data) // 4}I", data)


def _says_nothing(request: web.Request) -> bool:
    """Whether the answer has nothing of workloads in it: that the loop lives, and the page, which
    has to be there to ask for the token; or whether it has askers of its own, as FleetLock.
    """
    if request.path.startswith((FLEETLOCK, _PAGE)):
        return True
    endpoint = methods_of(request.path).get("GET")
    return endpoint is not None and (endpoint.open or (endpoint.page and wants_html(request)))


def _unauthorized(*, wrong: bool) -> Refusal:
    challenge = 'Bearer realm="workloadd"' + (', error="invalid_token"' if wrong else "")
    detail = "cannot answer without the token" if not wrong else "cannot answer: not the token"
    hint = "send it as Authorization: Bearer TOKEN (workloadctl: --token-file)"
    return Refusal(401, "TokenWanted", detail, hint, headers={"WWW-Authenticate": challenge})
