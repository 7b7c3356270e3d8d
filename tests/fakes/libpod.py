"""A fake Podman service: the libpod API on a Unix socket, with faults to inject."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.clock import Clock, RealClock
from tests.fakes.libpod_objects import ObjectRoutes
from tests.fakes.libpod_pods import PodRoutes
from tests.fakes.podman_runs import inspected
from tests.fakes.podman_state import PodmanError, PodmanState, container_row, image_document
from tests.fakes.registry import FakeAsker, Remote, login_of, pull

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """What happens to the next `times` requests "METHOD path" that fit a pattern.

    Without a status the connection is closed with no answer; with `late` that happens after the
    request was carried out. With `hold` the request waits for `release` and is then carried out;
    `reached` is set when it came.
    """

    pattern: str
    status: int | None = None
    message: str = "injected"
    times: int = 1
    hold: bool = False
    late: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


class FakeLibpod:
    """The service; its `state` is what it holds, `registry` what it can pull.

    `requests` lists what was asked: "GET containers/json"; `in_flight` counts what is being
    answered, `most` what ever was at once.
    """

    def __init__(self, socket: Path, clock: Clock | None = None) -> None:
        self.socket = socket
        self.state = PodmanState(clock or RealClock())
        self.state.on_event.append(self._publish)
        self.registry: dict[str, Remote] = {}
        self.asker = FakeAsker(self.registry)
        # The platforms that pulls asked for: OS, architecture and variant.
        self.platforms: list[tuple[str, ...]] = []
        self.requests: list[str] = []
        self.in_flight: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.info = default_info()
        self._faults: list[Fault] = []
        self._subscribers: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application(middlewares=[self._middleware])
        prefix = "/v{version}/libpod"
        app.add_routes(
            [web.route(method, prefix + path, handler) for method, path, handler in self._routes()]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()

    async def stop(self) -> None:
        """Stop listening: the socket refuses until `start`."""
        for fault in self._faults:
            fault.release.set()
        self.drop_connections()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart(self) -> None:
        """The service exits and is activated again: every connection breaks, events too."""
        await self.stop()
        await self.start()

    def drop_connections(self) -> None:
        """Break all connections, those that are idle as well."""
        for queue in self._subscribers:
            queue.put_nowait(None)
        server = self._runner.server if self._runner is not None else None
        for connection in list(server.connections if server is not None else ()):
            if connection.transport is not None:
                connection.transport.abort()

    def inject(self, pattern: str, **fault: Any) -> Fault:
        """Have the next request that fits "METHOD path" fail, break or wait (see `Fault`)."""
        injected = Fault(pattern, **fault)
        self._faults.append(injected)
        return injected

    @web.middleware
    async def _middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        name = f"{request.method} {request.path.partition('/libpod/')[2]}"
        self.requests.append(name)
        self.in_flight[name] += 1
        self.most[name] = max(self.most[name], self.in_flight[name])
        try:
            return await self._answer(request, handler, name)
        finally:
            self.in_flight[name] -= 1

    async def _answer(
        self, request: web.Request, handler: _Handler, name: str
    ) -> web.StreamResponse:
        if fault := self._fault_for(name):
            fault.reached.set()
            if fault.hold:
                await fault.release.wait()
            elif fault.late:
                await handler(request)
                return _broken(request)
            elif fault.status is None:
                return _broken(request)
            else:
                body = {"cause": "injected", "message": fault.message, "response": fault.status}
                return web.json_response(body, status=fault.status)
        try:
            return await handler(request)
        except PodmanError as error:
            return web.json_response(error.body, status=error.status)

    def _fault_for(self, name: str) -> Fault | None:
        for fault in self._faults:
            if fault.times > 0 and fnmatchcase(name, fault.pattern):
                fault.times -= 1
                return fault
        return None

    def _routes(self) -> list[tuple[str, str, _Handler]]:
        return [
            ("GET", "/info", self._info),
            ("GET", "/containers/json", self._list),
            ("POST", "/containers/create", self._create),
            ("GET", "/containers/{name}/json", self._inspect),
            ("POST", "/containers/{name}/rename", self._rename),
            ("POST", "/containers/{name}/stop", self._stop),
            ("GET", "/containers/{name}/logs", self._logs),
            ("POST", "/containers/{name}/kill", self._kill),
            ("POST", "/containers/{name}/exec", self._exec),
            ("POST", "/exec/{id}/start", self._exec_start),
            ("GET", "/exec/{id}/json", self._exec_inspect),
            ("DELETE", "/containers/{name}", self._remove),
            ("POST", "/images/pull", self._pull),
            ("GET", "/images/json", self._images),
            ("GET", "/images/{name:.+}/json", self._image),
            ("DELETE", "/images/{name:.+}", self._remove_image),
            ("GET", "/events", self._events),
            *ObjectRoutes(self.state).routes(),
            *PodRoutes(self.state).routes(),
        ]

    async def _info(self, request: web.Request) -> web.Response:
        return web.json_response(self.info)

    async def _list(self, request: web.Request) -> web.Response:
        every = request.query.get("all") == "true"
        rows = [container_row(c) for c in self.state.containers.values() if every or c.running]
        for row in rows:
            row["PodName"] = self.state.pods[row["Pod"]].name if row["Pod"] else ""
        return web.json_response(rows)

    async def _inspect(self, request: web.Request) -> web.Response:
        return web.json_response(inspected(self.state.find(request.match_info["name"])))

    async def _create(self, request: web.Request) -> web.Response:
        container = self.state.create(await request.json())
        return web.json_response({"Id": container.id, "Warnings": []}, status=201)

    async def _rename(self, request: web.Request) -> web.Response:
        self.state.rename(request.match_info["name"], request.query["name"])
        return web.Response(status=204)

    async def _stop(self, request: web.Request) -> web.Response:
        stopped = self.state.stop(request.match_info["name"])
        return web.Response(status=204 if stopped else 304)

    async def _remove(self, request: web.Request) -> web.Response:
        force = request.query.get("force") == "true"
        try:
            container = self.state.remove(request.match_info["name"], force=force)
        except PodmanError as error:
            if error.status == 404 and request.query.get("ignore") == "true":
                return web.json_response([])
            raise
        return web.json_response([{"Id": container.id}])

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        container = self.state.find(request.match_info["name"])
        response = web.StreamResponse()
        await response.prepare(request)
        for stream, data in container.log[-int(request.query["tail"]) :]:
            await response.write(bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data)
        return response

    async def _kill(self, request: web.Request) -> web.Response:
        self.state.kill(request.match_info["name"], int(request.query["signal"]))
        return web.Response(status=204)

    async def _exec(self, request: web.Request) -> web.Response:
        command = (await request.json())["Cmd"]
        session = self.state.exec(request.match_info["name"], command)
        return web.json_response({"Id": session}, status=201)

    async def _exec_start(self, request: web.Request) -> web.Response:
        _, said = self.state.sessions[request.match_info["id"]]
        frames = [bytes([2, 0, 0, 0]) + len(said).to_bytes(4, "big") + said] if said else []
        return web.Response(body=b"".join(frames))

    async def _exec_inspect(self, request: web.Request) -> web.Response:
        code, _ = self.state.sessions[request.match_info["id"]]
        return web.json_response({"ExitCode": code, "Running": False})

    async def _image(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        image = self.state.find_image(name)
        if image is None:
            text = f"failed to find image {name}: {name}: image not known"
            raise PodmanError(404, "image not known", text)
        return web.json_response(image_document(image))

    async def _images(self, request: web.Request) -> web.Response:
        rows = [{**image_document(image), "Names": sorted(image.names), "ParentId": image.parent}
                for image in self.state.images.values()]  # fmt: skip
        return web.json_response(rows)

    async def _remove_image(self, request: web.Request) -> web.Response:
        image = self.state.remove_image(request.match_info["name"])
        deleted = [image.id] if image.id not in self.state.images else []
        return web.json_response({"Deleted": deleted, "Untagged": [], "Errors": []})

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        login = login_of(request.headers.get("X-Registry-Auth"))
        response = web.StreamResponse()
        await response.prepare(request)
        reference, policy = request.query["reference"], request.query["policy"]
        wanted = (request.query.get(key, "") for key in ("OS", "Arch", "Variant"))
        self.platforms.append(tuple(filter(None, wanted)))
        async for message in pull(self.state, self.registry, reference, policy, login):
            await response.write(json.dumps(message).encode() + b"\n")
        return response

    def _publish(self, event: dict[str, Any]) -> None:
        for queue in self._subscribers:
            queue.put_nowait(event)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        kinds = json.loads(request.query.get("filters", "{}")).get("type", ())
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._subscribers.add(queue)
        try:
            while (event := await queue.get()) is not None:
                if not kinds or event["Type"] in kinds:
                    await response.write(json.dumps(event).encode() + b"\n")
        except ConnectionError:
            pass
        finally:
            self._subscribers.discard(queue)
        return response


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def default_info() -> dict[str, Any]:
    """What `GET /libpod/info` says on a host where all is well, as far as it is read."""
    ranges = [
        {"container_id": 0, "host_id": 1000, "size": 1},
        {"container_id": 1, "host_id": 100000, "size": 65536},
    ]
    storage = "/home/workloads/.local/share/containers/storage"
    return {
        "host": {
            "arch": "amd64",
            "cgroupManager": "systemd",
            "cgroupVersion": "v2",
            "cgroupControllers": ["cpu", "memory", "pids"],
            "idMappings": {"gidmap": ranges, "uidmap": ranges},
            "networkBackend": "netavark",
            "ociRuntime": {"name": "crun", "path": "/usr/bin/crun", "version": "crun version 1.21"},
            "security": {"rootless": True, "selinuxEnabled": False},
        },
        "store": {
            "graphRoot": storage,
            "volumePath": f"{storage}/volumes",
            "graphRootAllocated": 270553174016,
            "graphRootUsed": 25081286656,
        },
        "version": {"APIVersion": "5.4.2", "Version": "5.4.2"},
    }
