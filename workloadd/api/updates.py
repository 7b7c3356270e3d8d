"""`POST /v1/updates/check`: ask the registries now what is newer than what serves."""

import json
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from workloadd.api.actions import require_owner
from workloadd.core.updates import Outdated

Check = Callable[[], Awaitable[Sequence[Outdated]]]


def check_handler(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of `/v1/updates/check`."""

    async def handle(request: web.Request) -> web.Response:
        require_owner(request)
        found = [
            {
                "workload": one.workload,
                "policy": one.policy,
                "newer": list(one.newer),
                "unknown": list(one.unknown),
            }
            for one in await check()
        ]
        text = json.dumps({"workloads": found}, indent=2, ensure_ascii=False)
        return web.Response(text=text + "\n", content_type="application/json")

    return handle
