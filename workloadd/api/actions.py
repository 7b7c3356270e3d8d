"""`POST /v1/workloads/NAME/ACTION`: what people do by hand, on the Unix socket alone."""

import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from workloadd.api.contract import MAX_REASON
from workloadd.api.documents import Document
from workloadd.api.guard import on_unix_socket
from workloadd.api.models import Acted, Difference
from workloadd.api.problems import Refusal
from workloadd.core.errors import Declined
from workloadd.core.hands import Answer, Ask
from workloadd.core.status import WorkloadStatus
from workloadd.spec.text import did_you_mean, quote

Act = Callable[[WorkloadStatus, Ask], Awaitable[Answer]]
"""Does what was asked for, or sees to it that it will be done; raises `Declined`."""
Actions = Mapping[str, Act]
Diff = Callable[[WorkloadStatus, str], Awaitable[dict[str, Any]]]
"""The document that says how a workload differs; raises `Declined`."""

# struct ucred: process, user, group.
_CREDENTIALS = struct.Struct("3i")


async def act(
    request: web.Request,
    workload: WorkloadStatus,
    actions: Actions,
    clock: Callable[[], float],
) -> web.Response:
    """Do it, and answer with what became of it: 202, or 200 where it was so already."""
    asker = require_owner(request)
    name = request.match_info["action"]
    action = actions.get(name)
    if action is None:
        hint = did_you_mean(name, actions) or f"there are: {', '.join(sorted(actions))}"
        raise Refusal(404, "NoSuchAction", f"cannot find an action {quote(name)}", hint)
    parameters = {key: request.query[key] for key in request.query if key != "reason"}
    ask = Ask(asker, reason_of(request.query.get("reason", "")), parameters)
    try:
        answer = await action(workload, ask)
    except Declined as error:
        raise _declined(error) from None
    document = Acted(
        workload=workload.name,
        action=name,
        changed=answer.changed,
        message=answer.message,
        asked=clock(),
        **answer.fields,
    )
    return Document.of(document).response(202 if answer.changed else 200)


async def diff(request: web.Request, workload: WorkloadStatus, made: Diff | None) -> web.Response:
    """How a workload differs from its file, or from another revision of it."""
    if not on_unix_socket(request):
        hint = f"ask on the Unix socket, as workloadctl diff {workload.name} does"
        raise Refusal(403, "NotYours", "cannot show what a file says over TCP", hint)
    require_owner(request)
    if made is None:
        raise Refusal(404, "NotFound", "cannot compare here")
    try:
        found = await made(workload, request.query.get("revision", ""))
        return Document.of(Difference.model_validate(found)).response()
    except Declined as error:
        raise _declined(error) from None


def _declined(error: Declined) -> Refusal:
    problem = error.problem
    return Refusal(409, problem.reason, problem.message, problem.hint)


def reason_of(text: str) -> str:
    """A reason as it was given: one line of what can be printed."""
    reason = " ".join(text.split())
    if len(reason) > MAX_REASON or not reason.isprintable():
        hint = f"write one line of at most {MAX_REASON} characters"
        raise Refusal(400, "BadReason", "cannot accept this reason", hint)
    return reason


def require_owner(request: web.Request) -> str:
    """The name of the user who asks.

    Actions are for the user whose workloads they are, and for root, whatever the file's mode.
    """
    sock = request.transport.get_extra_info("socket") if request.transport else None
    if sock is None:
        raise Refusal(403, "NotYours", "cannot tell who asks")
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(data)
    if user not in (0, os.getuid()):
        raise Refusal(403, "NotYours", f"cannot act for user {user}: the workloads are another's")
    return _name_of(user)


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
