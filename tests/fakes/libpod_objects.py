"""Networks, volumes and secrets in the fake Podman service."""

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.fakes.podman_objects import ObjectState

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ObjectRoutes:
    """The handlers, over a state."""

    def __init__(self, state: ObjectState) -> None:
        self._state = state

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/volumes/create", self._create_volume),
            ("GET", "/volumes/json", self._volumes),
            ("GET", "/volumes/{name}/json", self._volume),
            ("DELETE", "/volumes/{name}", self._remove_volume),
            ("POST", "/networks/create", self._create_network),
            ("GET", "/networks/json", self._networks),
            ("GET", "/networks/{name}/json", self._network),
            ("DELETE", "/networks/{name}", self._remove_network),
            ("POST", "/secrets/create", self._create_secret),
            ("GET", "/secrets/json", self._secrets),
            ("DELETE", "/secrets/{name}", self._remove_secret),
        ]

    async def _create_volume(self, request: web.Request) -> web.Response:
        return web.json_response(self._state.create_volume(await request.json()), status=201)

    async def _volumes(self, request: web.Request) -> web.Response:
        return web.json_response(list(self._state.volumes.values()))

    async def _volume(self, request: web.Request) -> web.Response:
        return web.json_response(self._state.volume(request.match_info["name"]))

    async def _remove_volume(self, request: web.Request) -> web.Response:
        self._state.remove_volume(request.match_info["name"])
        return web.Response(status=204)

    async def _create_network(self, request: web.Request) -> web.Response:
        return web.json_response(self._state.create_network(await request.json()))

    async def _networks(self, request: web.Request) -> web.Response:
        wanted = set(json.loads(request.query.get("filters", "{}")).get("label", ()))
        rows = [
            network
            for network in self._state.networks.values()
            if wanted <= {f"{key}={value}" for key, value in network["labels"].items()}
        ]
        return web.json_response(rows)

    async def _network(self, request: web.Request) -> web.Response:
        return web.json_response(self._state.network(request.match_info["name"]))

    async def _remove_network(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "podman":
            error = "default network podman cannot be removed"
            return web.json_response([{"Name": name, "Err": error}])
        self._state.remove_network(name)
        return web.json_response([{"Name": name, "Err": None}])

    async def _create_secret(self, request: web.Request) -> web.Response:
        labels = json.loads(request.query.get("labels", "{}"))
        # As Podman's own server does: it takes a form for parameters, and the body is gone.
        is_form = request.content_type == "application/x-www-form-urlencoded"
        data = b"" if is_form else await request.read()
        self._state.create_secret(request.query["name"], data, labels)
        return web.json_response({"ID": "0" * 25})

    async def _secrets(self, request: web.Request) -> web.Response:
        rows = [
            {
                "ID": "0" * 25,
                "Spec": {"Name": s.name, "Driver": {"Name": "file"}, "Labels": s.labels},
            }
            for s in self._state.secrets.values()
        ]
        return web.json_response(rows)

    async def _remove_secret(self, request: web.Request) -> web.Response:
        self._state.remove_secret(request.match_info["name"])
        return web.Response(status=204)
