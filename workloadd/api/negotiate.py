"""Text, JSON or the page: what a request would rather have."""

from aiohttp import web

_TEXT = ("text/plain", "text/*", "*/*")
_JSON = ("application/json", "application/problem+json")
_ANY = ("application/*", "*/*")


def wants_text(request: web.Request, default: bool, documents: tuple[str, ...] = _JSON) -> bool:
    """Whether `Accept` prefers plain text to JSON; `default` where it does not say (RFC 9110).

    `documents` are the media types that the JSON goes by.
    """
    ranges = _ranges(",".join(request.headers.getall("Accept", [])))
    text = next((ranges[name] for name in _TEXT if name in ranges), 0.0)
    document = max((ranges[name] for name in documents if name in ranges), default=-1.0)
    if document < 0:
        document = next((ranges[name] for name in _ANY if name in ranges), 0.0)
    return default if text == document else text > document


def wants_html(request: web.Request) -> bool:
    """Whether `Accept` names HTML, and nothing that is rather wanted: as only browsers do."""
    ranges = _ranges(",".join(request.headers.getall("Accept", [])))
    html = ranges.get("text/html", 0.0)
    return html > 0 and html >= max(ranges.values())


def _ranges(accept: str) -> dict[str, float]:
    """Media ranges and their weights; what cannot be parsed weighs nothing."""
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            ranges[name] = float(weight)
        except ValueError:
            ranges[name] = 0.0
    return ranges
