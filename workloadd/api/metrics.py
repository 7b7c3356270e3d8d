"""`/metrics`: what Prometheus scrapes."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from workloadd.api.contract import METRICS
from workloadd.api.guard import Handler


def metrics_handler(text: Callable[[], bytes]) -> Handler:
    """The handler; `text` makes the answer, in a thread, as there may be thousands of lines.

    One at a time: the loop would have to share its core with all of them.
    """
    turn = asyncio.Lock()

    async def handle(request: web.Request) -> web.Response:
        async with turn:
            body = await asyncio.to_thread(text)
        return web.Response(body=body, headers={"Content-Type": METRICS})

    return handle
