"""Podman's images as a whole, over the libpod API: what there is, and removing one."""

import json
from urllib.parse import quote

from workloadd.core.prune import LocalImage
from workloadd.host.podman_http import Request, Requests


class PodmanImages:
    """The images in local storage, whosever they are."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def local(self, *, timeout: float = 60.0) -> tuple[LocalImage, ...]:
        """All images. This costs Podman a look at each of them."""
        request = Request("GET", "images/json", "list images", timeout=timeout)
        return await self._requests.fetch(request, parse_images)

    async def mounted(self, container: str, *, timeout: float = 30.0) -> frozenset[str]:
        """The images, by name or ID as they were given, that a container has mounted.

        Podman itself would remove one that is mounted in a container that does not run.
        """
        request = Request(
            "GET",
            f"containers/{container}/json",
            f"look up container {container[:12]}",
            timeout=timeout,
        )
        return await self._requests.find(request, parse_mounts) or frozenset()

    async def remove(self, name: str, *, timeout: float = 120.0) -> bool:
        """Take a name from an image, and with the last one the image; say whether it was there.

        An image that has no name is given by its ID. Podman refuses what a container uses.
        """
        request = Request(
            "DELETE",
            f"images/{quote(name, safe='/:@')}",
            f"remove the image {name[:12] if len(name) == _ID else name}",
            allowed=(404,),
            timeout=timeout,
        )
        answer = await self._requests.send(request)
        return answer.status != 404


_ID = 64


def parse_mounts(body: bytes) -> frozenset[str]:
    """The images in the answer of `GET /libpod/containers/ID/json`."""
    mounts = json.loads(body).get("Mounts") or ()
    return frozenset(str(m.get("Source")) for m in mounts if m.get("Type") == "image")


def parse_images(body: bytes) -> tuple[LocalImage, ...]:
    """The answer of `GET /libpod/images/json`."""
    return tuple(
        LocalImage(
            row["Id"],
            frozenset(row.get("Names") or ()),
            int(row.get("Size") or 0),
            row.get("ParentId") or "",
        )
        for row in json.loads(body) or ()
    )
