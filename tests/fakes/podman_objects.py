"""Networks, volumes and secrets of the in-memory Podman, in the words of Podman 5.4.2."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_SECRET = 512_000


class PodmanError(Exception):
    """An error answer: `status`, `cause` and `message` as the API gives them."""

    def __init__(self, status: int, cause: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"cause": cause, "message": message, "response": status}


@dataclass
class FakeSecret:
    """A secret and what it was created with."""

    name: str
    data: bytes
    labels: dict[str, str] = field(default_factory=dict)


class ObjectState:
    """What there is besides containers, by name: networks and volumes as they were created.

    `users_of` says which containers use a network or volume.
    """

    def __init__(
        self,
        users_of: Callable[[str, str], Iterable[str]],
        emit: Callable[[str, str, str, str], None],
    ) -> None:
        self._users_of = users_of
        self._emit = emit
        self.networks: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, FakeSecret] = {}

    def create_network(self, document: Mapping[str, Any]) -> dict[str, Any]:
        name = document["name"]
        if name in self.networks:
            cause = "network already exists"
            raise PodmanError(409, cause, f"network name {name} already used: {cause}")
        wanted = {subnet["subnet"] for subnet in document.get("subnets") or ()}
        taken = {s["subnet"] for n in self.networks.values() for s in n.get("subnets") or ()}
        if clash := wanted & taken:
            text = f"subnet {min(clash)} is already used on the host or by another config"
            raise PodmanError(500, text, text)
        self.networks[name] = {"driver": "bridge", "labels": {}, **document}
        self._emit("network", "create", "", name)
        return self.networks[name]

    def network(self, name: str) -> dict[str, Any]:
        if name not in self.networks:
            raise PodmanError(404, "network not found", "network not found")
        return self.networks[name]

    def remove_network(self, name: str) -> None:
        if name not in self.networks:
            text = f"unable to find network with name or ID {name}: network not found"
            raise PodmanError(404, "network not found", text)
        if any(self._users_of("network", name)):
            cause = "network is being used"
            text = f'"{name}" has associated containers with it. Use -f to forcibly delete'
            raise PodmanError(500, cause, f"{text} containers and pods: {cause}")
        del self.networks[name]
        self._emit("network", "remove", "", name)

    def create_volume(self, document: Mapping[str, Any]) -> dict[str, Any]:
        name = document["Name"]
        if name in self.volumes:
            cause = "volume already exists"
            raise PodmanError(500, cause, f"volume with name {name} already exists: {cause}")
        driver = document.get("Driver") or "local"
        if driver not in ("local", "image"):
            cause = "required plugin missing"
            text = f"volume {name} uses volume plugin {driver} but it could not be retrieved"
            raise PodmanError(500, cause, f"{text}: {cause}")
        self.volumes[name] = {"Driver": driver, "Labels": {}, "Scope": "local", **document}
        self._emit("volume", "create", "", name)
        return self.volumes[name]

    def volume(self, name: str) -> dict[str, Any]:
        if name not in self.volumes:
            raise PodmanError(404, "no such volume", "no such volume")
        return self.volumes[name]

    def remove_volume(self, name: str) -> None:
        if name not in self.volumes:
            text = f'no volume with name "{name}" found: no such volume'
            raise PodmanError(404, "no such volume", text)
        if users := list(self._users_of("volume", name)):
            cause = "volume is being used"
            text = f"volume {name} is being used by the following container(s): {', '.join(users)}"
            raise PodmanError(409, cause, f"{text}: {cause}")
        del self.volumes[name]
        self._emit("volume", "remove", "", name)

    def create_secret(self, name: str, data: bytes, labels: Mapping[str, str]) -> FakeSecret:
        if not 0 < len(data) < MAX_SECRET:
            text = "secret data must be larger than 0 and less than 512000 bytes"
            raise PodmanError(500, text, text)
        if name in self.secrets:
            raise PodmanError(500, "secret name in use", f"{name}: secret name in use")
        self.secrets[name] = FakeSecret(name, data, dict(labels))
        return self.secrets[name]

    def remove_secret(self, name: str) -> None:
        if name not in self.secrets:
            text = f'no secret with name or id "{name}": no such secret'
            raise PodmanError(404, "no such secret", text)
        del self.secrets[name]

    def check(self, spec: Mapping[str, Any]) -> None:
        """Refuse a container that refers to what is not there; volumes are made where missing."""
        for network in spec.get("Networks") or {}:
            if network not in self.networks:
                text = f"unable to find network with name or ID {network}: network not found"
                raise PodmanError(500, "network not found", text)
        names = [secret["Source"] for secret in spec.get("secrets") or ()]
        for name in (*names, *(spec.get("secret_env") or {}).values()):
            if name not in self.secrets:
                text = f'no secret with name or id "{name}": no such secret'
                raise PodmanError(500, "no such secret", text)
        for volume in spec.get("volumes") or ():
            self.volumes.setdefault(
                volume["Name"], {"Name": volume["Name"], "Driver": "local", "Labels": {}}
            )
