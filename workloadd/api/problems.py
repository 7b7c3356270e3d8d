"""Refusals, as RFC 9457 problem documents or as sentences."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

PROBLEM_JSON = "application/problem+json"


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """Ends a request with a status of 400 or more. `reason` is CamelCase and stable."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        **extensions: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.hint = hint
        self.headers = headers or {}
        self.extensions = extensions

    def response(self, as_text: bool) -> web.Response:
        """The answer, as one or two sentences or as a problem document."""
        return self._text() if as_text else self._json()

    def _text(self) -> web.Response:
        text = f"{self.detail}\n{self.hint}\n" if self.hint else f"{self.detail}\n"
        return web.Response(status=self.status, text=text, headers=self.headers)

    def document(self) -> str:
        """The problem document."""
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            **({"hint": self.hint} if self.hint else {}),
            **self.extensions,
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def _json(self) -> web.Response:
        return web.Response(
            status=self.status,
            text=self.document(),
            content_type=PROBLEM_JSON,
            headers=self.headers,
        )


def in_fleetlock_words(refusal: Refusal) -> Refusal:
    """A refusal with `kind` and `value`, which is what a client of FleetLock logs."""
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", refusal.reason).lower()
    value = f"{refusal.detail} ({refusal.hint})" if refusal.hint else refusal.detail
    refusal.extensions = {**refusal.extensions, "kind": kind, "value": value}
    return refusal
