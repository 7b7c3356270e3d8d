"""`POST /fleetlock/v1/pre-reboot` and `/steady-state`: may the host be rebooted, and is all well?

The protocol is FleetLock (https://coreos.github.io/zincati/development/fleetlock/protocol/). Its
client, Zincati, runs as a user of its own, which cannot open the Unix socket, so these are the only
actions on the TCP listener: for those users alone that the settings name.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web

from workloadd.api.access import require_owner
from workloadd.api.models import GROUP, MAX_CLIENT_ID
from workloadd.api.problems import Refusal
from workloadd.core.errors import Declined
from workloadd.core.fleetlock import Client
from workloadd.settings.model import FleetLockSettings
from workloadd.spec.text import quote

MAX_BODY = 4096
_HEADER = "fleet-lock-protocol"
_GROUP = re.compile(GROUP)

PeerUser = Callable[[tuple[str, int], tuple[str, int]], int | None]
"""The user at the client's end of a connection, by both of its ends; blocks."""


class Locks(Protocol):
    """What answering needs of the lock."""

    async def ask(self, client: Client) -> None: ...

    async def release(self, client: Client) -> None: ...


class Users(Protocol):
    """What answering needs to know of the users of this host; all of it blocks."""

    def user_of(self, client: tuple[str, int], server: tuple[str, int]) -> int | None: ...

    def users_named(self, names: tuple[str, ...]) -> frozenset[int]: ...

    def name_of(self, user: int) -> str: ...


class FleetLockApi:
    """The two handlers."""

    def __init__(self, locks: Locks | None, settings: FleetLockSettings, users: Users) -> None:
        self._locks = locks
        self._settings = settings
        self._users = users

    async def pre_reboot(self, request: web.Request) -> web.Response:
        """The client wants to reboot the host."""
        locks = self._enabled()
        return await self._answer(request, locks.ask)

    async def steady_state(self, request: web.Request) -> web.Response:
        """The client has booted, or does not want to reboot any more."""
        locks = self._enabled()
        return await self._answer(request, locks.release)

    def _enabled(self) -> Locks:
        if self._locks is None or not self._settings.enabled:
            raise Refusal(
                404,
                "FailedLockDisabled",
                "cannot answer: the FleetLock endpoint is not enabled",
                "write [fleetlock] enabled = true into workloadd.toml, and restart workloadd",
            )
        return self._locks

    async def _answer(
        self, request: web.Request, act: Callable[[Client], Awaitable[None]]
    ) -> web.Response:
        await self._require_user(request)
        if request.headers.getall(_HEADER, []) != ["true"]:
            hint = f"send the header {_HEADER}: true"
            raise Refusal(400, "FailedLockNotMeant", "cannot take this for FleetLock", hint)
        client = _client(await _body(request))
        try:
            await act(client)
        except Declined as error:
            problem = error.problem
            raise Refusal(409, problem.reason, problem.message, problem.hint) from None
        return web.json_response({})

    async def _require_user(self, request: web.Request) -> None:
        transport = request.transport
        peer = transport.get_extra_info("peername") if transport else None
        own = transport.get_extra_info("sockname") if transport else None
        if not (isinstance(peer, tuple) and isinstance(own, tuple)):
            require_owner(request)
            return
        user, allowed = await asyncio.to_thread(
            lambda: (
                self._users.user_of(peer[:2], own[:2]),
                self._users.users_named(self._settings.users),
            )
        )
        if user is None:
            raise Refusal(403, "FailedLockNotYours", "cannot tell which user asks", "ask again")
        if user not in allowed:
            name = await asyncio.to_thread(self._users.name_of, user)
            hint = f"[fleetlock] users in the settings allows: {', '.join(self._settings.users)}"
            detail = f"cannot grant anything to user {name}"
            raise Refusal(403, "FailedLockNotYours", detail, hint)


async def _body(request: web.Request) -> bytes:
    data = b""
    while chunk := await request.content.read(MAX_BODY + 1 - len(data)):
        data += chunk
        if len(data) > MAX_BODY:
            detail = f"cannot accept a body of more than {MAX_BODY} bytes"
            raise Refusal(413, "FailedLockBadRequest", detail)
    return data


def _client(body: bytes) -> Client:
    try:
        parameters: Any = json.loads(body)["client_params"]
        client = Client(parameters["id"], parameters["group"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _bad("it is not what the protocol says") from None
    if not isinstance(client.id, str) or not isinstance(client.group, str):
        raise _bad("id and group are texts")
    if not (0 < len(client.id) <= MAX_CLIENT_ID and client.id.isprintable()):
        raise _bad(f"the id is a text of 1 to {MAX_CLIENT_ID} characters")
    if not _GROUP.fullmatch(client.group):
        raise _bad(f"the group is not {quote(_GROUP.pattern)}")
    return client


def _bad(why: str) -> Refusal:
    hint = 'send {"client_params": {"id": "…", "group": "default"}}'
    return Refusal(400, "FailedLockBadRequest", f"cannot accept the body: {why}", hint)
