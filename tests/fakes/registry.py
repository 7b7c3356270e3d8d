"""The registries that the fake Podman pulls from, and how their pulls fail."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.podman_state import FakeImage, PodmanState
from workloadd.core.errors import Permanent


@dataclass
class Remote:
    """An image in a registry.

    `failures` are error texts, each for one pull, before it works. `login` is the user and
    password it asks for. `gate` holds the download until it is set.
    """

    digest: str
    exits: int | None = None
    start_error: str = ""
    log: tuple[str, ...] = ()
    failures: list[str] = field(default_factory=list)
    login: tuple[str, str] | None = None
    gate: asyncio.Event | None = None
    pulls: int = 0


class FakeAsker:
    """Answers what a tag stands for, as a registry does where nothing is pulled."""

    def __init__(self, remotes: dict[str, Remote]) -> None:
        self._remotes = remotes
        self.asked: list[str] = []

    async def digest(self, reference: str) -> str:
        """The digest; raises `Permanent` where there is no such image."""
        self.asked.append(reference)
        if remote := self._remotes.get(reference):
            return remote.digest
        raise Permanent("ImageNotFound", f"cannot check {reference}: no such image")

    async def tags(self, reference: str) -> list[str]:
        """The tags of the image's repository."""
        name = reference.rpartition(":")[0]
        named = (one.rpartition(":") for one in self._remotes)
        return [tag for repository, _, tag in named if repository == name]


def login_of(header: str | None) -> tuple[str, str] | None:
    """The user and password in an X-Registry-Auth header."""
    if not header:
        return None
    content = json.loads(base64.urlsafe_b64decode(header))
    return content.get("username", ""), content.get("password", "")


async def pull(
    state: PodmanState,
    registry: dict[str, Remote],
    reference: str,
    policy: str,
    login: tuple[str, str] | None,
) -> AsyncIterator[dict[str, Any]]:
    """The messages of `POST /libpod/images/pull`."""
    local = state.find_image(reference)
    if policy == "never" or (policy == "missing" and local):
        yield _done(local) if local else {"error": f"{reference}: image not known"}
        return
    yield {"stream": f"Trying to pull {reference}...\n"}
    remote = registry.get(reference)
    if error := _refusal(reference, remote, login):
        yield {"error": f"initializing source docker://{reference}: {error}"}
        return
    assert remote is not None
    remote.pulls += 1
    yield {"stream": "Getting image source signatures\n"}
    if remote.gate is not None:
        await remote.gate.wait()
    yield {"stream": f"Copying blob {remote.digest}\n"}
    image = next((i for i in state.images.values() if i.digest == remote.digest), None)
    if image is None:
        image = FakeImage(
            state.new_id(), remote.digest, set(), remote.exits, remote.start_error, remote.log
        )
    state.store(image, reference)
    yield {"stream": "Writing manifest to image destination\n"}
    yield _done(image)


def _refusal(reference: str, remote: Remote | None, login: tuple[str, str] | None) -> str:
    repository, _, tag = reference.rpartition(":")
    if remote is None:
        return f"reading manifest {tag} in {repository}: manifest unknown"
    if remote.failures:
        return remote.failures.pop(0)
    if remote.login and login is None:
        return f"reading manifest {tag} in {repository}: authentication required"
    if remote.login and login != remote.login:
        return "unable to retrieve auth token: invalid username/password: unauthorized"
    return ""


def _done(image: FakeImage) -> dict[str, Any]:
    return {"images": [image.id], "id": image.id}
