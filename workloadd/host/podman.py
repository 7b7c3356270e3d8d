"""Podman, as far as workloadd needs it, over the libpod API on the user's socket."""

import asyncio
import json
import os
import pwd
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from urllib.parse import quote

from workloadd.core.revision import Image
from workloadd.host.auth import Credentials
from workloadd.host.podman_errors import explanation, first_line, pull_failed, rejected, unavailable
from workloadd.host.podman_exec import PodmanExec
from workloadd.host.podman_http import Answer, Request, Requests
from workloadd.host.podman_images import PodmanImages
from workloadd.host.podman_logs import LogDecoder
from workloadd.host.podman_objects import PodmanObjects
from workloadd.host.podman_parse import (
    ContainerList,
    PodmanInfo,
    parse_containers,
    parse_image,
    parse_info,
)
from workloadd.host.podman_runs import PodmanRuns
from workloadd.host.podman_stream import Streams, json_lines

__all__ = ["ContainerList", "Podman", "PodmanInfo"]

# Events that change nothing that is there; an exec probe makes two or three each time.
_IDLE_EVENTS = frozenset({"attach", "exec", "exec_died", "health_status", "pull-error"})
# A stop or a forced remove waits for the container's own stop timeout and then kills.
_KILL_GRACE = 30.0


class Podman:
    """The Podman service behind a Unix socket; `user` is whose containers count as ours.

    Every method raises `Transient` where asking again later may help, and `Permanent` where it
    will not. Timeouts are in seconds.
    """

    def __init__(self, socket: Path, *, user: str | None = None) -> None:
        self._user = user if user is not None else pwd.getpwuid(os.getuid()).pw_name
        self._requests = Requests(socket)
        self._streams = Streams(socket)
        self.objects = PodmanObjects(self._requests, self._user)
        self.local_images = PodmanImages(self._requests)
        self.runs = PodmanRuns(self._requests)
        self.processes = PodmanExec(self._requests, self._streams)

    async def close(self) -> None:
        """Break what is under way and close all connections."""
        await self._streams.close()
        await self._requests.close()

    async def info(self, *, timeout: float = 30.0) -> PodmanInfo:
        """What Podman says of itself and of the host."""
        request = Request("GET", "info", "ask Podman about this host", timeout=timeout)
        return await self._requests.fetch(request, parse_info)

    async def containers(self, *, timeout: float = 30.0) -> ContainerList:
        """All containers of this user's Podman, in one request."""
        request = Request(
            "GET", "containers/json", "list containers", {"all": "true"}, timeout=timeout
        )
        return await self._requests.fetch(request, partial(parse_containers, user=self._user))

    async def images(
        self, references: Collection[str], *, timeout: float = 30.0
    ) -> dict[str, Image]:
        """Those of `references` that are in local storage.

        Each is asked for by itself: Podman resolves names, tags, digests and IDs as it would to
        run them, and a listing costs it a look at every image there is. Callers keep the answer
        until an image event comes.
        """
        wanted = sorted(set(references))
        found = await asyncio.gather(*(self._image(name, timeout) for name in wanted))
        return {name: image for name, image in zip(wanted, found, strict=True) if image}

    async def _image(self, reference: str, timeout: float) -> Image | None:
        request = Request(
            "GET",
            f"images/{_quoted(reference)}/json",
            f"look up the image {reference}",
            timeout=timeout,
        )
        return await self._requests.find(request, parse_image)

    async def create(self, spec: Mapping[str, object], *, timeout: float = 60.0) -> str:
        """Create a container from a libpod SpecGenerator document; return its full ID."""
        doing = f"create container {spec.get('name', '')}".rstrip()
        request = Request("POST", "containers/create", doing, body=dict(spec), timeout=timeout)
        return await self._requests.fetch(request, _created_id)

    async def create_pod(
        self, spec: Mapping[str, object], *, timeout: float = 60.0
    ) -> tuple[str, str]:
        """Create a pod from a libpod PodSpecGenerator; return its ID and its infra container's."""
        doing = f"create pod {spec.get('name', '')}".rstrip()
        request = Request("POST", "pods/create", doing, body=dict(spec), timeout=timeout)
        pod = await self._requests.fetch(request, _created_id)
        look = Request("GET", f"pods/{pod}/json", f"look up pod {pod[:12]}")
        return pod, await self._requests.fetch(
            look, lambda b: str(json.loads(b)["InfraContainerID"])
        )

    async def remove_pod(self, pod: str, *, timeout: float = 60.0) -> None:
        """Stop a pod and remove it with all its containers; one that is not there is fine."""
        await self._requests.send(
            Request(
                "DELETE",
                f"pods/{_quoted(pod)}",
                f"remove pod {pod[:12]}",
                {"force": "true"},
                allowed=(404,),
                timeout=timeout,
            )
        )

    async def rename(self, container: str, name: str, *, timeout: float = 30.0) -> None:
        """Give a container another name."""
        await self._requests.send(
            Request(
                "POST",
                f"containers/{_quoted(container)}/rename",
                f"rename container {container[:12]} to {name}",
                {"name": name},
                timeout=timeout,
            )
        )

    async def remove(
        self, container: str, *, force: bool = True, timeout: int | None = None
    ) -> None:
        """Remove a container and its anonymous volumes; one that is not there is fine.

        With `force` a running one is stopped first, with `timeout` seconds until it is killed
        (None: the container's own). A container whose conmon was killed is left in a state in
        which the first forced remove fails and cleans up: it is sent twice.
        """
        params: dict[str, str | int] = {"force": _flag(force), "v": "true", "ignore": "true"}
        if force and timeout is not None:
            params["timeout"] = timeout
        request = Request(
            "DELETE",
            f"containers/{_quoted(container)}",
            f"remove container {container[:12]}",
            params,
            allowed=(404, 500) if force else (404,),
            timeout=(timeout or 10) + _KILL_GRACE,
        )
        if _not_removed(await self._requests.send(request)):
            answer = await self._requests.send(request)
            if _not_removed(answer):
                raise rejected(request.doing, 500, _report_error(answer))

    async def stop(self, container: str, timeout: int = 10) -> None:
        """Stop a container within `timeout` seconds, then kill it; a stopped one is fine."""
        await self._requests.send(
            Request(
                "POST",
                f"containers/{_quoted(container)}/stop",
                f"stop container {container[:12]}",
                {"timeout": timeout},
                timeout=timeout + _KILL_GRACE,
            )
        )

    async def logs(
        self, container: str, tail: int, *, since: float = 0.0, timeout: float = 30.0
    ) -> tuple[str, ...]:
        """The last `tail` lines of a container's output, both streams in order.

        With `since` (seconds since the epoch) only those that came later. Lines are cut at 2 KiB,
        control characters are shown as escapes.
        """
        decoder = LogDecoder(tail)
        async with self._streams.open(
            "GET",
            f"containers/{_quoted(container)}/logs",
            f"read the logs of container {container[:12]}",
            params={
                "stdout": "true",
                "stderr": "true",
                "tail": str(tail),
                "follow": "false",
                **({"since": f"{since:.6f}"} if since else {}),
            },
            read_timeout=timeout,
        ) as response:
            async for chunk in response.content.iter_any():
                decoder.feed(chunk)
        return decoder.lines()

    async def pull(
        self,
        reference: str,
        policy: str,
        *,
        platform: str = "",
        credentials: Credentials | None = None,
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> str:
        """Pull an image (`policy`: always, missing, newer, never); return its ID.

        `platform` is OS/ARCHITECTURE[/VARIANT], empty for the host's own.

        It has no deadline of its own: a big layer may come without a word for long. Cancelling
        stops it. Without `credentials` the service looks into its own auth.json. `on_progress`
        gets Podman's lines.
        """
        headers = {"X-Registry-Auth": credentials.header()} if credentials else {}
        failed = partial(pull_failed, reference, secrets=credentials.secrets if credentials else ())
        image = ""
        async with self._streams.open(
            "POST",
            "images/pull",
            f"pull {reference}",
            params={"reference": reference, "policy": policy, **_platform(platform)},
            headers=headers,
            refused=lambda _doing, _status, body: failed(explanation(body)),
        ) as response:
            async for message in json_lines(response):
                if error := message.get("error"):
                    raise failed(str(error))
                if stream := message.get("stream"):
                    on_progress(first_line(str(stream)))
                image = message.get("id") or image
        if not image:
            raise unavailable(f"pull {reference}", "Podman ended without an image")
        return image

    async def events(self) -> AsyncIterator[str]:
        """Changes of all there is, as words to wake up by: "container died".

        One connection, which keeps the socket-activated service running. It never ends by
        itself: `Transient` is raised when it breaks, and the caller connects again for ever. The
        first word is "connected", when changes are no longer missed.
        """
        kinds = _filters(type=["container", "image", "volume", "network", "secret"])
        doing = "follow Podman's events"
        async with self._streams.open(
            "GET", "events", doing, params={"stream": "true", "filters": kinds}
        ) as response:
            yield "connected"
            async with aclosing(json_lines(response)) as events:
                async for event in events:
                    action = event.get("Action") or event.get("status") or ""
                    if action.partition(":")[0] not in _IDLE_EVENTS:
                        yield f"{event.get('Type', '')} {action}"
        raise unavailable(doing, "Podman ended the stream")


def _quoted(name: str) -> str:
    """A name as part of a path; image names keep their slashes, as Podman's routes expect."""
    return quote(name, safe="/:@")


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _filters(**values: Iterable[str]) -> str:
    return json.dumps({key: list(texts) for key, texts in values.items()})


def _created_id(body: bytes) -> str:
    return str(json.loads(body)["Id"])


def _not_removed(answer: Answer) -> bool:
    return answer.status != 404 and (answer.status >= 400 or bool(_report_error(answer)))


def _report_error(answer: Answer) -> bytes:
    """The error in the report of a removal, which may be inside an answer of status 200."""
    if answer.status >= 400 or not answer.body.strip():
        return answer.body
    reports = json.loads(answer.body)
    errors = [report.get("Err") for report in reports if isinstance(report, dict)]
    return next((str(error).encode() for error in errors if error), b"")


def _platform(platform: str) -> dict[str, str]:
    """Query parameters for an image of a platform."""
    parts = platform.split("/") if platform else []
    return dict(zip(("OS", "Arch", "Variant"), parts, strict=False))
