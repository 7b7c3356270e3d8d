"""Routes of the fake Podman service for pods."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.fakes import podman_pods
from tests.fakes.podman_state import PodmanState

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PodRoutes:
    """Pods of a state, over HTTP."""

    def __init__(self, state: PodmanState) -> None:
        self._state = state

    def routes(self) -> list[tuple[str, str, _Handler]]:
        return [
            ("POST", "/pods/create", self._create),
            ("GET", "/pods/{name}/json", self._inspect),
            ("DELETE", "/pods/{name}", self._remove),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        pod = podman_pods.create(self._state, await request.json())
        return web.json_response({"Id": pod.id}, status=201)

    async def _inspect(self, request: web.Request) -> web.Response:
        pod = podman_pods.find(self._state, request.match_info["name"])
        inside = podman_pods.members(self._state, pod)
        return web.json_response(
            {
                "Id": pod.id,
                "Name": pod.name,
                "InfraContainerID": pod.infra,
                "Containers": [{"Id": one} for one in inside],
            }
        )

    async def _remove(self, request: web.Request) -> web.Response:
        force = request.query.get("force") == "true"
        pod = podman_pods.remove(self._state, request.match_info["name"], force=force)
        return web.json_response({"Id": pod.id, "RemovedCtrs": {}, "Err": None})
