"""`POST /v1/workloads/NAME/ACTION`: what people do by hand, on the Unix socket alone."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from workloadd.api.access import require_owner, require_reader
from workloadd.api.contract import MAX_REASON
from workloadd.api.documents import Document
from workloadd.api.models import Acted, Difference, Specification
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
ShowSpec = Callable[[WorkloadStatus], Awaitable[dict[str, Any]]]
"""The document that says what a workload's file comes to; raises `Declined`."""


async def act(
    request: web.Request,
    workload: WorkloadStatus,
    actions: Actions,
    clock: Callable[[], float],
) -> web.Response:
    """Do it, and answer with what became of it: 202, or 200 where it was so already."""
    asker = await require_owner(request).name()
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


async def spec(
    request: web.Request, workload: WorkloadStatus, shown: ShowSpec | None
) -> web.Response:
    """What a workload's file comes to."""
    require_reader(request, "what a file says", f"workloadctl inspect {workload.name}")
    if shown is None:
        raise Refusal(404, "NotFound", "cannot show a specification here")
    try:
        return Document.of(Specification.model_validate(await shown(workload))).response()
    except Declined as error:
        raise _declined(error) from None


async def diff(request: web.Request, workload: WorkloadStatus, made: Diff | None) -> web.Response:
    """How a workload differs from its file, or from another revision of it."""
    require_reader(request, "what a file says", f"workloadctl diff {workload.name}")
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
