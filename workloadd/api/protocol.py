"""What is said on a connection before there is a request, or instead of one."""

import logging
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from workloadd.api.problems import Refusal

log = logging.getLogger(__name__)

MAX_LINE, MAX_HEADERS = 4096, 64

_TOO_MANY = "Too many headers"
_TLS = "HTTPS"


class HttpProtocol(web.RequestHandler):
    """aiohttp's, but that what it cannot read is refused in our words, and without its version."""

    @property
    def heard(self) -> bool:
        """Whether a whole request has come, which is being answered."""
        return self._current_request is not None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request, or to what no handler of ours has answered."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("cannot answer %s", request.method, exc_info=exc)
            refusal = Refusal(500, "InternalError", "cannot answer: an internal error")
        else:
            refusal = _malformed(exc, message or "")
        response = refusal.response(as_text=False)
        # Else it would say which versions of what we are made of.
        response.headers["Server"] = "workloadd"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.force_close()
        return response


def _malformed(error: BaseException | None, message: str) -> Refusal:
    """The refusal of what could not be parsed; none of it is repeated."""
    if isinstance(error, LineTooLong) or message.startswith(_TOO_MANY):
        detail = f"cannot accept lines of more than {MAX_LINE} bytes, or over {MAX_HEADERS} headers"
        return Refusal(431, "RequestTooLarge", detail)
    if _TLS in message:
        return Refusal(400, "NotHttp", "cannot speak TLS here", "ask with http://, not https://")
    detail = "cannot read this as a request of HTTP/1.1"
    return Refusal(400, "NotHttp", detail, "ask with curl, a browser or workloadctl")


def on_the_wire(refusal: Refusal) -> bytes:
    """A refusal for a connection that has no request."""
    body = refusal.document().encode()
    head = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        "Content-Type: application/problem+json; charset=utf-8",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in refusal.headers.items()),
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


TOO_MANY = on_the_wire(
    Refusal(
        503,
        "TooManyConnections",
        "cannot accept more connections at a time",
        "ask again in a moment",
        headers={"Retry-After": "1"},
    )
)
TOO_SLOW = on_the_wire(
    Refusal(408, "TooSlow", "cannot wait any longer for the request", "send it at once")
)
