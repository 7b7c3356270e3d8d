"""Podman's networks, volumes and secrets over the libpod API."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

from workloadd.core.names import LABEL_MADE_OF, LABEL_USER, LABEL_WORKLOAD
from workloadd.core.objects import Network, Objects, Volume, owner_of
from workloadd.host.podman_errors import explanation, rejected
from workloadd.host.podman_http import Answer, Request, Requests

# How Podman says that a name is taken.
_TAKEN = ("already exists", "already used", "secret name in use")
MAX_SECRET = 512_000
"""Podman takes secrets of less than this many bytes, and of more than none."""


class PodmanObjects:
    """What containers need that is no container; `user` is whose objects count as ours.

    As with containers, `Transient` is raised where asking again later may help, `Permanent` where
    it will not.
    """

    def __init__(self, requests: Requests, user: str) -> None:
        self._requests = requests
        self._user = user

    async def look(self) -> Objects:
        """All networks and volumes, and the secrets of ours."""
        networks = Request("GET", "networks/json", "list networks")
        volumes = Request("GET", "volumes/json", "list volumes")
        secrets = Request("GET", "secrets/json", "list secrets")
        return Objects(
            await self._requests.fetch(networks, partial(_networks, user=self._user)),
            await self._requests.fetch(volumes, partial(_volumes, user=self._user)),
            await self._requests.fetch(secrets, partial(_secrets, user=self._user)),
        )

    async def network(self, name: str) -> Network | None:
        """A network, or None where there is no such."""
        doing = f"look up network {name}"
        request = Request("GET", f"networks/{quote(name)}/json", doing)
        return await self._requests.find(request, lambda b: _network(json.loads(b), self._user))

    async def create_network(self, document: Mapping[str, object]) -> bool:
        """Create a network; say whether it was created (False: there is one of its name)."""
        doing = f"create network {document['name']}"
        return await self._create(Request("POST", "networks/create", doing, body=dict(document)))

    async def remove_network(self, name: str) -> None:
        """Remove a network; one that is not there is fine, one in use is `Transient`."""
        doing = f"remove network {name}"
        request = Request("DELETE", f"networks/{quote(name)}", doing, allowed=(404,))
        answer = await self._requests.send(request)
        if answer.status != 404 and (error := _report_error(answer)):
            raise rejected(request.doing, 500, error)

    async def volume(self, name: str) -> Volume | None:
        """A volume, or None where there is no such."""
        doing = f"look up volume {name}"
        request = Request("GET", f"volumes/{quote(name)}/json", doing)
        return await self._requests.find(request, lambda b: _volume(json.loads(b), self._user))

    async def create_volume(self, document: Mapping[str, object]) -> bool:
        """Create a volume; say whether it was created (False: there is one of its name)."""
        doing = f"create volume {document['Name']}"
        return await self._create(Request("POST", "volumes/create", doing, body=dict(document)))

    async def remove_volume(self, name: str) -> None:
        """Remove a volume; one that is not there is fine, one in use is `Transient`."""
        doing = f"remove volume {name}"
        await self._requests.send(
            Request("DELETE", f"volumes/{quote(name)}", doing, allowed=(404,))
        )

    async def create_secret(self, name: str, workload: str, value: bytes) -> bool:
        """Create a secret; say whether it was created (False: there is one of its name)."""
        labels = json.dumps({LABEL_WORKLOAD: workload, LABEL_USER: self._user})
        params = {"name": name, "labels": labels}
        doing = f"create secret {name}"
        return await self._create(Request("POST", "secrets/create", doing, params, body=value))

    async def remove_secret(self, name: str) -> None:
        """Remove a secret; one that is not there is fine."""
        doing = f"remove secret {name}"
        await self._requests.send(
            Request("DELETE", f"secrets/{quote(name)}", doing, allowed=(404,))
        )

    async def _create(self, request: Request) -> bool:
        """Podman says of a name that is taken what it says of other things: 409 or 500."""
        answer = await self._requests.send(replace(request, allowed=(409, 500)))
        if answer.status < 400:
            return True
        words = explanation(answer.body)
        if any(said in words for said in _TAKEN) and "subnet" not in words:
            return False
        raise rejected(request.doing, answer.status, answer.body)


def _networks(body: bytes, user: str) -> dict[str, Network]:
    return {raw["name"]: _network(raw, user) for raw in json.loads(body) or ()}


def _network(raw: Mapping[str, Any], user: str) -> Network:
    labels = raw.get("labels") or {}
    return Network(raw["name"], owner_of(labels, user), labels.get(LABEL_MADE_OF, ""))


def _volumes(body: bytes, user: str) -> dict[str, Volume]:
    return {raw["Name"]: _volume(raw, user) for raw in json.loads(body) or ()}


def _volume(raw: Mapping[str, Any], user: str) -> Volume:
    labels = raw.get("Labels") or {}
    return Volume(raw["Name"], owner_of(labels, user), labels.get(LABEL_MADE_OF, ""))


def _secrets(body: bytes, user: str) -> frozenset[str]:
    found = [raw["Spec"] for raw in json.loads(body) or ()]
    return frozenset(s["Name"] for s in found if owner_of(s.get("Labels") or {}, user) is not None)


def _report_error(answer: Answer) -> bytes:
    """The error in the report of a removal, which may be inside an answer of status 200."""
    if answer.status >= 400 or not answer.body.strip():
        return answer.body
    errors = [report.get("Err") for report in json.loads(answer.body)]
    return next((str(error).encode() for error in errors if error), b"")
