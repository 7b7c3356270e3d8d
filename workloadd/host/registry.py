"""Asking a registry what a tag stands for, or which tags there are, with no layer pulled (OCI
distribution spec 1.1)."""

import asyncio
import base64
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from workloadd.core.errors import Permanent, Transient, WorkloaddError
from workloadd.host.auth import Credentials, credentials_for
from workloadd.host.registries_conf import Place, configuration_files, places_of
from workloadd.spec.images import ImageRef, image_reference

Answer = TypeVar("Answer")

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
# Tags on a page, bytes of a page, pages: some repositories have ten thousands of tags.
_PAGE, _MAX_BODY, _MAX_PAGES = 1000, 1 << 20, 100
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
        return await self._ask(reference, _Question.digest)

    async def tags(self, reference: str) -> list[str]:
        """All tags of the image's repository; raises what `digest` does."""
        return await self._ask(reference, _Question.tags)

    async def _ask(self, reference: str, ask: Callable[["_Question"], Awaitable[Answer]]) -> Answer:
        """The answer of the first place that gives one: a mirror, or the registry itself."""
        image = image_reference(reference)
        places, credentials = await asyncio.to_thread(self._prepare, image, reference)
        refusal: WorkloaddError | None = None
        for place in places:
            try:
                async with self._turns[place.host]:
                    return await _ask(place, image, credentials, ask)
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


async def _ask(
    place: Place,
    image: ImageRef,
    credentials: Credentials | None,
    ask: Callable[["_Question"], Awaitable[Answer]],
) -> Answer:
    schemes = ("https", "http") if place.insecure else ("https",)
    for scheme in schemes:
        try:
            async with ClientSession(timeout=_TIMEOUT) as session:
                base = f"{scheme}://{place.host}/v2/{place.repository}/"
                return await ask(_Question(session, base, image, credentials, place.insecure))
        except (ClientError, TimeoutError, OSError) as error:
            if scheme == schemes[-1]:
                said = str(error) or type(error).__name__
                message = f"cannot check {image}: {place.host} does not answer: {said}"
                raise Transient("RegistryUnavailable", message, "it is tried again") from None
    raise AssertionError("there is a scheme")


class _Question:
    """Questions about one repository, with the login that the registry asks for on the way."""

    def __init__(
        self,
        session: ClientSession,
        base: str,
        image: ImageRef,
        credentials: Credentials | None,
        insecure: bool,
    ) -> None:
        self._session = session
        self._base = base
        self._image = image
        self._credentials = credentials
        self._ssl = not insecure
        self._headers = {"Accept": _MANIFESTS}

    async def digest(self) -> str:
        """The digest of the manifest."""
        url = f"{self._base}manifests/{self._image.tag}"
        async with self._answered("HEAD", url) as answer:
            digest = answer.headers.get("Docker-Content-Digest", "")
        if not _DIGEST.fullmatch(digest):
            message = f"cannot check {self._image}: the registry does not tell its digest"
            raise Permanent("NoDigest", message, "write update: {policy: manual}")
        return digest

    async def tags(self) -> list[str]:
        """The tags, page by page."""
        found: list[str] = []
        url = f"{self._base}tags/list?n={_PAGE}"
        for _ in range(_MAX_PAGES):
            async with self._answered("GET", url) as answer:
                found += _tags_of(await _body(answer, _MAX_BODY), self._image)
                url = self._next(answer)
            if not url:
                return found
        message = f"cannot check {self._image}: its repository has more than {len(found)} tags"
        raise Permanent("TooLarge", message, "leave update.version out")

    def _next(self, answer: ClientResponse) -> str:
        """Where the next page is (RFC 8288), in the same registry; empty after the last one."""
        link = answer.links.get("next")
        target = urlsplit(str(link["url"])) if link else None
        return urljoin(self._base, f"{target.path}?{target.query}") if target else ""

    @asynccontextmanager
    async def _answered(self, method: str, url: str) -> AsyncIterator[ClientResponse]:
        """The answer to a request, with a login where the registry wants one."""
        for _ in range(2):
            async with self._session.request(
                method,
                url,
                headers=self._headers,
                ssl=self._ssl,
                allow_redirects=True,
                max_redirects=3,
            ) as answer:
                if answer.status != 401 or "Authorization" in self._headers:
                    self._check(answer)
                    yield answer
                    return
                challenge = answer.headers.get("WWW-Authenticate", "")
            self._headers["Authorization"] = await self._authorization(challenge)

    def _check(self, answer: ClientResponse) -> None:
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
            body = await _body(answer, _MAX_TOKEN) if answer.status == 200 else b"{}"
        found = _token_of(body)
        if not found:
            hint = "podman login, or the file of pull.auth_file in workloadd.toml, gives access"
            raise Permanent("AccessDenied", f"cannot check {self._image}: no access", hint)
        return found


async def _body(answer: ClientResponse, limit: int) -> bytes:
    """The body of an answer, of which no more than `limit` bytes are read."""
    found = b""
    async for chunk in answer.content.iter_chunked(1 << 16):
        found += chunk
        if len(found) >= limit:
            break
    return found[:limit]


def _tags_of(body: bytes, image: ImageRef) -> list[str]:
    """The tags in one page of the answer of `GET /v2/NAME/tags/list`; null stands for none."""
    with suppress(ValueError, AttributeError, TypeError):
        return [tag for tag in json.loads(body).get("tags") or () if isinstance(tag, str)]
    message = f"cannot check {image}: the registry's list of tags cannot be read"
    raise Transient("RegistryUnavailable", message, "it is tried again")


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
