"""Registry credentials out of a containers-auth.json(5) file, for one pull at a time."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workloadd.core.errors import Permanent
from workloadd.host.files import read_bounded

MAX_SIZE = 1 << 20
_DOCKER_HUB = "docker.io"
# What Docker's own login writes for the Hub.
_DOCKER_HUB_KEYS = ("index.docker.io", "https://index.docker.io/v1/")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and password for a registry, or an identity token. Neither is in the repr."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    def header(self) -> str:
        """The value of `X-Registry-Auth`: base64url of JSON."""
        if self.identity_token:
            content = {"identitytoken": self.identity_token}
        else:
            content = {"username": self.username, "password": self.password}
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be in any message."""
        return tuple(text for text in (self.password, self.identity_token, self.header()) if text)


def credentials_for(reference: str, path: Path) -> Credentials | None:
    """The entry of the auth file at `path` that fits an image reference, or None.

    The most specific of `host/namespace/repository`, `host/namespace` and `host` wins, as in
    containers-auth.json(5). A short name (without a registry) has none: which registry it means
    is not known before the pull. Blocks on the file; raises `Permanent` where it cannot be used.
    """
    content = _load(path)
    helpers = content.get("credHelpers") or {}
    auths = content.get("auths") or {}
    for key in _keys(reference):
        if key in helpers:
            raise _unusable(path, f"{key} uses a credential helper", "credHelpers are not run here")
        if key in auths:
            return _entry(auths[key], key, path)
    return None


def registry_of(reference: str) -> str:
    """The registry's host (and port) in an image reference, or "" for a short name."""
    first, slash, _ = reference.partition("/")
    is_host = "." in first or ":" in first or first == "localhost"
    return first if slash and is_host else ""


def _keys(reference: str) -> Iterator[str]:
    """The namespaces of a reference, the most specific one first."""
    registry = registry_of(reference)
    if not registry:
        return
    name = reference.partition("@")[0]
    path, _, last = name.rpartition("/")
    name = f"{path}/{last.partition(':')[0]}"
    while "/" in name:
        yield name
        name = name.rpartition("/")[0]
    yield registry
    if registry == _DOCKER_HUB:
        yield from _DOCKER_HUB_KEYS


def _load(path: Path) -> dict[str, dict[str, object]]:
    try:
        content = json.loads(read_bounded(path, MAX_SIZE))
    except OSError as error:
        raise _unusable(
            path, error.strerror or str(error), "check auth_file in the settings"
        ) from error
    except ValueError as error:
        raise _unusable(path, "it is not valid JSON", "podman login writes such a file") from error
    if not isinstance(content, dict):
        raise _unusable(path, "it is not a JSON object", "podman login writes such a file")
    return content


def _entry(raw: object, key: str, path: Path) -> Credentials | None:
    if not isinstance(raw, dict) or not raw:
        return None
    if token := raw.get("identitytoken"):
        return Credentials(identity_token=str(token))
    if not (encoded := raw.get("auth")):
        return None
    try:
        text = base64.b64decode(str(encoded), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _unusable(path, f"the entry {key} is not base64", "podman login writes it") from error
    username, colon, password = text.partition(":")
    if not colon:
        raise _unusable(path, f"the entry {key} is not USER:PASSWORD", "podman login writes it")
    return Credentials(username, password.rstrip("\0"))


def _unusable(path: Path, why: str, hint: str) -> Permanent:
    return Permanent("AuthFileUnusable", f"cannot take credentials from {path}: {why}", hint)
