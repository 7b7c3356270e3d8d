"""What stands before every handler: who may ask, how errors are answered, which headers go out.

Who may ask is `access.py`'s to say. By its address alone the TCP listener is open to more than
those: a web page in a browser on this machine reaches it too, by a name of its own that it makes
resolve to 127.0.0.1 (DNS rebinding), or across origins. Both announce themselves in headers that a
page cannot forge.
"""

import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from aiohttp.typedefs import Middleware

from workloadd.api.access import Access, on_unix_socket
from workloadd.api.contract import FLEETLOCK, SHOWN, methods_of
from workloadd.api.negotiate import wants_text
from workloadd.api.problems import Refusal, in_fleetlock_words
from workloadd.core.errors import WorkloaddError
from workloadd.spec.text import one_of, quote

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::[0-9]{0,5})?")


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into an answer that says what to do, and none that shows our insides."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - the outermost handler
        refusal = _refusal(request, error)
        if _is_fleetlock(request):
            return in_fleetlock_words(refusal).response(as_text=False)
        return refusal.response(_as_text(request))


def refuse_strangers(access: Access) -> Middleware:
    """Reads, actions on the Unix socket, FleetLock; from this machine, by nobody's web page."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not on_unix_socket(request):
            _require_loopback_name(request)
        _require_same_origin(request)
        await access.admit(request)
        _require_method(request)
        if request.can_read_body and not _is_fleetlock(request):
            raise Refusal(413, "BodyRefused", "cannot accept a body: nothing here takes one")
        return await handler(request)

    return guard


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on, take aiohttp's version off, end the connection."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)
    # A connection serves one request, so its age bounds how slow a client can be.
    response.force_close()
    response.headers["Connection"] = "close"


def _is_fleetlock(request: web.Request) -> bool:
    """The only questions with a body, and the only actions on TCP: these see to who asks."""
    return request.path.startswith(FLEETLOCK)


def _require_loopback_name(request: web.Request) -> None:
    # A target in absolute form overrides the header (RFC 9112, 3.2.2); aiohttp tells it as `host`.
    named = request.headers.getall("Host", [])
    hosts = {*named, request.host}
    if len(named) != 1 or not all(map(is_loopback_name, hosts)):
        shown = ", ".join(quote(host) for host in sorted(hosts))
        hint = "ask by the name 127.0.0.1 or localhost"
        raise Refusal(421, "HostRefused", f"cannot answer for {shown}: not a loopback name", hint)


def is_loopback_name(host: str) -> bool:
    """Whether a Host header (a name or an address, with any port) can only mean this machine."""
    found = _HOST.fullmatch(host)
    if not found:
        return False
    name = found["name"].lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _require_same_origin(request: web.Request) -> None:
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    own = f"http://{request.headers.get('Host', '')}"
    if site not in ("none", "same-origin") or origin not in (None, own):
        hint = "ask with curl, or open the address itself"
        raise Refusal(403, "CrossOrigin", "cannot answer another site's web page", hint)


def _require_method(request: web.Request) -> None:
    """Of what is there; and of that which does something, on the Unix socket."""
    methods = methods_of(request.path)
    method = "GET" if request.method == "HEAD" else request.method
    if methods and method not in methods:
        raise _not_allowed(request.method, methods)
    endpoint = methods.get(method)
    if endpoint and endpoint.method == "POST" and endpoint.owner and not on_unix_socket(request):
        hint = "ask on the Unix socket, as workloadctl does"
        detail = "cannot accept an action over TCP: anybody on this machine may ask there"
        raise Refusal(403, "ReadsOnly", detail, hint)


def _as_text(request: web.Request) -> bool:
    """Errors are sentences where answers are text, and documents below /v1."""
    return wants_text(request, default=not request.path.startswith("/v1"))


def _not_allowed(method: str, methods: Collection[str]) -> Refusal:
    there = sorted({*methods, *(("HEAD",) if "GET" in methods else ())})
    detail = f"cannot accept {quote(method)} here"
    hint = f"there is {one_of(there)}"
    return Refusal(405, "MethodNotAllowed", detail, hint, headers={"Allow": ", ".join(there)})


def _refusal(request: web.Request, error: Exception) -> Refusal:
    match error:
        case Refusal():
            return error
        case WorkloaddError(problem=problem):
            return Refusal(503, problem.reason, problem.message, problem.hint)
        case web.HTTPNotFound():
            hint = f"there are: {' '.join(SHOWN)}"
            detail = f"cannot find {quote(request.path)}"
            return Refusal(404, "NotFound", detail, hint, endpoints=list(SHOWN))
        case web.HTTPException():
            return Refusal(error.status, "HttpError", f"cannot answer: {error.reason}")
    log.error("cannot answer %s %s", request.method, quote(request.path), exc_info=error)
    hint = "the journal says more: journalctl --user -u workloadd"
    return Refusal(500, "InternalError", "cannot answer: an internal error", hint)
