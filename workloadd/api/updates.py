"""`POST /v1/updates/check`: ask the registries now what is newer than what serves."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from aiohttp import web

from workloadd.api.access import require_owner
from workloadd.api.documents import Document
from workloadd.api.models import OutdatedWorkload, OutdatedWorkloads
from workloadd.core.updates import Outdated

Check = Callable[[], Awaitable[Sequence[Outdated]]]


def check_handler(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of `/v1/updates/check`."""

    async def handle(request: web.Request) -> web.Response:
        require_owner(request)
        found = tuple(OutdatedWorkload(**asdict(one)) for one in await check())
        return Document.of(OutdatedWorkloads(workloads=found)).response()

    return handle
