"""`GET /v1/images`: the images that workloads use, or that were pulled for them."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from aiohttp import web

from workloadd.api.access import require_reader
from workloadd.api.documents import Document
from workloadd.api.models import ImageUse, WorkloadImage, WorkloadImages
from workloadd.core import image_uses

Images = Callable[[], Awaitable[tuple[image_uses.WorkloadImage, ...]]]
"""Finds them, or raises `WorkloaddError`."""


def images_handler(images: Images) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of `/v1/images`."""

    async def handle(request: web.Request) -> web.Response:
        # It costs Podman a look at each image: not for whoever comes by.
        require_reader(request, "images", "workloadctl images")
        found = await images()
        return Document.of(WorkloadImages(images=tuple(map(_told, found)))).response()

    return handle


def _told(image: image_uses.WorkloadImage) -> WorkloadImage:
    uses = tuple(ImageUse(**asdict(use)) for use in image.uses)
    return WorkloadImage(
        id=image.id,
        names=image.names,
        digest=image.digest,
        size=image.size,
        uses=uses,
        pulled=image.ours,
        prunable=image.prunable,
    )
