"""What a request may say in its query, read."""

from aiohttp import web

from workloadd.api.problems import Refusal
from workloadd.spec.text import quote


def number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """A number within bounds, written in decimal."""
    written = request.query.get(name, str(default))
    digits = len(str(most)) + 1
    if not (written.isascii() and written.isdecimal() and least <= int(written[:digits]) <= most):
        detail = f"cannot accept {name}={quote(written)}"
        hint = f"write a number from {least} to {most}"
        raise Refusal(400, f"Bad{name.capitalize()}", detail, hint)
    return int(written)


def flag(request: web.Request, name: str) -> bool:
    """`true` or `false`; false where it is not said."""
    written = request.query.get(name, "false")
    if written not in ("true", "false"):
        detail = f"cannot accept {name}={quote(written)}"
        raise Refusal(400, "BadFlag", detail, "write true or false")
    return written == "true"
