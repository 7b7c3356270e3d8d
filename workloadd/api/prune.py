"""`POST /v1/prune`: remove unused images now, or with `dry_run=true` say which these are."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from workloadd.api.access import require_owner
from workloadd.api.documents import Document
from workloadd.api.models import PrunedImages, UnusedImage
from workloadd.api.parameters import flag
from workloadd.api.problems import Refusal
from workloadd.core.status import PrunedStatus, moment
from workloadd.pruner import Pruned


class Prune(Protocol):
    """Removes images that have been unused for `keep` seconds, or only looks for them."""

    async def __call__(self, keep: float = ..., *, dry_run: bool = ...) -> Pruned: ...


def prune_handler(prune: Prune) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of `/v1/prune`; what is unused goes, however short it has been so."""

    async def handle(request: web.Request) -> web.Response:
        require_owner(request)
        dry_run = flag(request, "dry_run")
        pruned = await prune(dry_run=dry_run)
        if pruned.problem and not pruned.images:
            problem = pruned.problem
            raise Refusal(409, problem.reason, problem.message, problem.hint)
        return Document.of(_document(pruned, dry_run=dry_run)).response()

    return handle


def pruned_status(pruned: Pruned | None) -> PrunedStatus | None:
    """What the status says of it."""
    if pruned is None:
        return None
    names = tuple(image.label for image in pruned.images)
    return PrunedStatus(at=moment(pruned.at), images=names, size=pruned.size)


def _document(pruned: Pruned, *, dry_run: bool) -> PrunedImages:
    images = tuple(UnusedImage(id=i.id, names=i.names, size=i.size) for i in pruned.images)
    return PrunedImages(dry_run=dry_run, images=images, size=pruned.size)
