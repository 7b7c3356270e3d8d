"""The page for browsers: a few files as they are, with nothing from elsewhere.

It reads what everybody may read, so it is the same over TCP; it does nothing but read.
"""

import asyncio
from importlib.resources import files
from pathlib import PurePath

from aiohttp import web

from workloadd.api.guard import Handler
from workloadd.api.negotiate import wants_html

# Scripts and styles of ours alone, and nowhere to send anything.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
# What there is, without looking into the file system at every question.
FILES = (
    "index.html", "style.css", "app.js", "asking.js", "detail.js", "dom.js", "events.js",
    "graphs.js", "logs.js", "overview.js",
)  # fmt: skip


class Page:
    """The files, each read when it is first asked for."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        """What the page itself asks for; it is no part of the API."""
        names = [name for name in FILES if name != "index.html"]
        return [web.get(f"/page/{name}", self._answering(name)) for name in names]

    def before(self, handler: Handler) -> Handler:
        """A handler that gives browsers the page, and everybody else what `handler` does."""
        page = self._answering("index.html")

        async def handle(request: web.Request) -> web.StreamResponse:
            return await (page if wants_html(request) else handler)(request)

        return handle

    def _answering(self, name: str) -> Handler:
        async def handle(_: web.Request) -> web.StreamResponse:
            return web.Response(
                body=await self._content(name),
                content_type=_TYPES[PurePath(name).suffix],
                charset="utf-8",
                headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
            )

        return handle

    async def _content(self, name: str) -> bytes:
        if name not in self._files:
            read = files(__name__).joinpath(name).read_bytes
            self._files[name] = await asyncio.to_thread(read)
        return self._files[name]
