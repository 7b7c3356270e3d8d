"""Asking a registry what a tag stands for, with no layer pulled (OCI distribution spec 1.1)."""

import asyncio
import base64
import json
import re
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from workloadd.core.errors import Permanent, Transient, WorkloaddError
from workloadd.host.auth import Credentials, credentials_for
from workloadd.host.registries_conf import Place, configuration_files, places_of
from workloadd.spec.images import ImageRef, image_reference

# An index first: a registry that has several gives what was asked for first.
_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_TIMEOUT = ClientTimeout(total=30.0, connect=10.0)
_MAX_TOKEN = 64 << 10
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
# Seconds to leave a registry alone that says "too many requests" and not for how long.
_TOO_MANY = 900.0


class TooMany(Transient):
    """The registry wants to be left alone for `seconds`."""

    def __init__(self, name: str, seconds: float) -> None:
        message = f"cannot check {name}: the registry wants no more requests for {seconds:.0f} s"
        super().__init__("RateLimited", message, "credentials may allow more; it is tried again")
        self.seconds = seconds


class Registry:
    """Registries as this user's Podman would ask them. One question at a time for each of them.

    `auth_file` is the one of the settings; without it the places where Podman looks count.
    """

    def __init__(self, home: Path, runtime_dir: Path, auth_file: Path | None) -> None:
        self._home = home
        self._auth_files = (
            (auth_file,)
            if auth_file
            else (
                runtime_dir / "containers/auth.json",
                home / ".config/containers/auth.json",
                home / ".docker/config.json",
            )
        )
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def digest(self, reference: str) -> str:
        """The digest that a tag stands for now.

        Raises:
            Transient: no answer just now; `TooMany` where the registry says for how long.
            Permanent: there is no such tag, or it is not for us.
        """
        image = image_reference(reference)
        places, credentials = await asyncio.to_thread(self._prepare, image, reference)
        refusal: WorkloaddError | None = None
        for place in places:
            try:
                async with self._turns[place.host]:
                    return await _ask(place, image, credentials)
            except TooMany:
                raise
            except WorkloaddError as error:
                refusal = error
        raise refusal or Transient("RegistryUnavailable", f"cannot check {reference}: no registry")

    def _prepare(
        self, image: ImageRef, reference: str
    ) -> tuple[tuple[Place, ...], Credentials | None]:
        places = places_of(image.name, configuration_files(self._home))
        for file in self._auth_files:
            if file.exists() and (found := credentials_for(reference, file)):
                return places, found
        return places, None


async def _ask(place: Place, image: ImageRef, credentials: Credentials | None) -> str:
    schemes = ("https", "http") if place.insecure else ("https",)
    for scheme in schemes:
        try:
            async with ClientSession(timeout=_TIMEOUT) as session:
                url = f"{scheme}://{place.host}/v2/{place.repository}/manifests/{image.tag}"
                return await _Question(session, url, image, credentials, place.insecure).answer()
        except (ClientError, TimeoutError, OSError) as error:
            if scheme == schemes[-1]:
                said = str(error) or type(error).__name__
                message = f"cannot check {image}: {place.host} does not answer: {said}"
                raise Transient("RegistryUnavailable", message, "it is tried again") from None
    raise AssertionError("there is a scheme")


class _Question:
    """One question, with the login that the registry asks for on the way."""

    def __init__(
        self,
        session: ClientSession,
        url: str,
        image: ImageRef,
        credentials: Credentials | None,
        insecure: bool,
    ) -> None:
        self._session = session
        self._url = url
        self._image = image
        self._credentials = credentials
        self._ssl = not insecure

    async def answer(self) -> str:
        headers = {"Accept": _MANIFESTS}
        async with self._head(headers) as answer:
            if answer.status != 401:
                return self._digest(answer)
            challenge = answer.headers.get("WWW-Authenticate", "")
        headers["Authorization"] = await self._authorization(challenge)
        async with self._head(headers) as answer:
            return self._digest(answer)

    def _head(self, headers: dict[str, str]) -> AbstractAsyncContextManager[ClientResponse]:
        return self._session.head(
            self._url, headers=headers, ssl=self._ssl, allow_redirects=True, max_redirects=3
        )

    def _digest(self, answer: ClientResponse) -> str:
        name = str(self._image)
        match answer.status:
            case 200:
                pass
            case 401 | 403:
                hint = "podman login, or the file of pull.auth_file in workloadd.toml, gives access"
                raise Permanent("AccessDenied", f"cannot check {name}: access denied", hint)
            case 404:
                message = f"cannot check {name}: the registry has no such image"
                raise Permanent("ImageNotFound", message, "check the name and the tag")
            case 429:
                raise TooMany(name, _retry_after(answer))
            case status:
                message = f"cannot check {name}: the registry answers {status}"
                raise Transient("RegistryUnavailable", message, "it is tried again")
        digest = answer.headers.get("Docker-Content-Digest", "")
        if not _DIGEST.fullmatch(digest):
            message = f"cannot check {name}: the registry does not tell its digest"
            raise Permanent("NoDigest", message, "write update: {policy: manual}")
        return digest

    async def _authorization(self, challenge: str) -> str:
        """The header that a challenge asks for (RFC 7235; the distribution project's tokens)."""
        kind = challenge.partition(" ")[0].lower()
        if kind == "basic":
            if self._credentials is None:
                return ""
            return _basic(self._credentials)
        if kind != "bearer":
            hint = "write update: {policy: manual}"
            why = "the registry asks for a login that is not known here"
            raise Permanent("AccessDenied", f"cannot check {self._image}: {why}", hint)
        return f"Bearer {await self._token(dict(_CHALLENGE.findall(challenge)))}"

    async def _token(self, asked: dict[str, str]) -> str:
        realm = asked.get("realm", "")
        if not realm.startswith(("https://", *(() if self._ssl else ("http://",)))):
            message = f"cannot check {self._image}: its registry sends to another place to log in"
            raise Permanent("AccessDenied", message, "tokens are only asked for over HTTPS")
        query = {"scope": asked.get("scope", f"repository:{self._image.repository}:pull")}
        if service := asked.get("service"):
            query["service"] = service
        login = self._credentials
        headers = {"Authorization": _basic(login)} if login and login.username else {}
        if login and login.identity_token:
            form = {**query, "grant_type": "refresh_token", "refresh_token": login.identity_token}
            request = self._session.post(realm, data=form, ssl=self._ssl)
        else:
            request = self._session.get(realm, params=query, headers=headers, ssl=self._ssl)
        async with request as answer:
            if answer.status == 429:
                raise TooMany(str(self._image), _retry_after(answer))
            body = await answer.content.read(_MAX_TOKEN) if answer.status == 200 else b"{}"
        found = _token_of(body)
        if not found:
            hint = "podman login, or the file of pull.auth_file in workloadd.toml, gives access"
            raise Permanent("AccessDenied", f"cannot check {self._image}: no access", hint)
        return found


def _basic(login: Credentials) -> str:
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def _token_of(body: bytes) -> str:
    with suppress(ValueError):
        content = json.loads(body)
        if isinstance(content, dict):
            return str(content.get("token") or content.get("access_token") or "")
    return ""


def _retry_after(answer: ClientResponse) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 86400.0) if text.isdecimal() and text != "0" else _TOO_MANY
