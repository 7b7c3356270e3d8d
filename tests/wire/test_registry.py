"""Asking a registry for a tag's digest and for its tags, over HTTP on loopback."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from workloadd.core.errors import Permanent, Transient
from workloadd.host.registries_conf import Place, places_of
from workloadd.host.registry import Registry, TooMany

DIGEST = "sha256:" + "a" * 64
TOKEN = "let-me-in"


@dataclass
class Fake:
    """A registry: `login` is what it asks for, `status` what it answers instead, if anything.

    `pages` are its tags, page by page, `link` is where it says that the next page is.
    """

    login: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""
    pages: list[list[str]] = field(default_factory=lambda: [["1"]])
    link: str = '<{path}?n=1000&last={last}>; rel="next"'

    async def manifest(self, request: web.Request) -> web.Response:
        """HEAD /v2/NAME/manifests/TAG."""
        if refusal := self._refusal(request):
            return refusal
        if request.match_info["tag"] != "1":
            return web.Response(status=404)
        return web.Response(headers={"Docker-Content-Digest": DIGEST})

    async def tags(self, request: web.Request) -> web.Response:
        """GET /v2/NAME/tags/list."""
        if refusal := self._refusal(request):
            return refusal
        at = int(request.query.get("last", "0"))
        headers = {}
        if at + 1 < len(self.pages):
            headers["Link"] = self.link.format(path=request.path, last=at + 1)
        found = {"name": "app", "tags": self.pages[at] or None}
        return web.json_response(found, headers=headers)

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.asked.append((request.method, request.path))
        given = request.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode(b"me:secret").decode()
        wanted = {"basic": basic, "bearer": f"Bearer {TOKEN}"}.get(self.login, given)
        if given != wanted:
            realm = f"http://{self.address}/token"
            challenge = {
                "basic": 'Basic realm="here"',
                "bearer": f'Bearer realm="{realm}",service="here",scope="repository:app:pull"',
            }[self.login]
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        if self.status:
            return web.Response(status=self.status, headers=self.headers)
        return None

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs))
        if (
            request.headers.get("Authorization")
            != "Basic " + base64.b64encode(b"me:secret").decode()
        ):
            return web.Response(status=401)
        return web.json_response({"token": TOKEN})


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    found = Fake()
    app = web.Application()
    app.router.add_get("/v2/{name:.+}/manifests/{tag}", found.manifest)
    app.router.add_get("/v2/{name:.+}/tags/list", found.tags)
    app.router.add_get("/token", found.token)
    async with TestServer(app, host="127.0.0.1") as server:
        found.address = f"127.0.0.1:{server.port}"
        yield found


@pytest.fixture
def registry(fake: Fake, tmp_path: Path) -> Registry:
    own = tmp_path / ".config/containers"
    own.mkdir(parents=True)
    (own / "registries.conf").write_text(
        f'[[registry]]\nlocation = "{fake.address}"\ninsecure = true\n'
        f'[[registry]]\nprefix = "mirrored.example"\nlocation = "127.0.0.1:1"\n'
        f'[[registry.mirror]]\nlocation = "{fake.address}"\ninsecure = true\n'
        '[[registry]]\nlocation = "blocked.example"\nblocked = true\n'
    )
    encoded = base64.b64encode(b"me:secret").decode()
    (own / "auth.json").write_text(f'{{"auths": {{"{fake.address}": {{"auth": "{encoded}"}}}}}}')
    return Registry(tmp_path, tmp_path / "run", None)


@pytest.mark.parametrize("login", ["", "basic", "bearer"])
async def test_a_digest_by_head_alone(fake: Fake, registry: Registry, login: str) -> None:
    fake.login = login
    assert await registry.digest(f"{fake.address}/app:1") == DIGEST
    methods = {method for method, path in fake.asked if path.startswith("/v2/")}
    assert methods == {"HEAD"}
    assert all("/blobs/" not in path for _, path in fake.asked)


@pytest.mark.parametrize("login", ["", "basic", "bearer"])
async def test_all_tags_page_by_page(fake: Fake, registry: Registry, login: str) -> None:
    fake.login = login
    fake.pages = [["1.0", "1.1"], ["latest"], [], ["2.0"]]
    assert await registry.tags(f"{fake.address}/app:1") == ["1.0", "1.1", "latest", "2.0"]
    assert sum(path == "/v2/app/tags/list" for _, path in fake.asked) == 4 + bool(login)
    fake.pages = [[]]
    assert await registry.tags(f"{fake.address}/app:1") == []


async def test_a_next_page_is_asked_of_the_same_registry(fake: Fake, registry: Registry) -> None:
    """A registry behind a proxy may tell its inner name; and no other host gets our login."""
    fake.pages = [["1.0"], ["1.1"]]
    fake.link = '<http://inner.example:5000{path}?n=1000&last={last}>; rel="next"'
    assert await registry.tags(f"{fake.address}/app:1") == ["1.0", "1.1"]


async def test_tags_without_an_end(fake: Fake, registry: Registry) -> None:
    fake.pages = [["1"]] * 200
    with pytest.raises(Permanent) as caught:
        await registry.tags(f"{fake.address}/app:1")
    assert caught.value.problem.reason == "TooLarge"
    assert len(fake.asked) == 100


async def test_tags_that_cannot_be_had(fake: Fake, registry: Registry) -> None:
    fake.status, fake.headers = 429, {"Retry-After": "7"}
    with pytest.raises(TooMany):
        await registry.tags(f"{fake.address}/app:1")
    fake.status = 404
    with pytest.raises(Permanent, match="no such image"):
        await registry.tags(f"{fake.address}/app:1")


async def test_credentials_that_are_wrong(fake: Fake, tmp_path: Path, registry: Registry) -> None:
    fake.login = "basic"
    auth = tmp_path / ".config/containers/auth.json"
    auth.write_text(auth.read_text().replace('auth": "', 'auth": "YTpi'))
    with pytest.raises(Permanent) as caught:
        await registry.digest(f"{fake.address}/app:1")
    assert caught.value.problem.reason == "AccessDenied"
    assert "secret" not in str(caught.value.problem)


async def test_no_such_tag(fake: Fake, registry: Registry) -> None:
    with pytest.raises(Permanent) as caught:
        await registry.digest(f"{fake.address}/app:2")
    assert caught.value.problem.reason == "ImageNotFound"


@pytest.mark.parametrize(("header", "seconds"), [("120", 120.0), ("", 900.0), ("soon", 900.0)])
async def test_too_many(fake: Fake, registry: Registry, header: str, seconds: float) -> None:
    fake.status, fake.headers = 429, {"Retry-After": header}
    with pytest.raises(TooMany) as caught:
        await registry.digest(f"{fake.address}/app:1")
    assert caught.value.seconds == seconds


async def test_trouble_there_passes(fake: Fake, registry: Registry) -> None:
    fake.status = 503
    with pytest.raises(Transient):
        await registry.digest(f"{fake.address}/app:1")
    with pytest.raises(Transient, match="does not answer"):
        await registry.digest("127.0.0.1:1/app:1")


async def test_a_mirror_is_asked_first(fake: Fake, registry: Registry) -> None:
    assert await registry.digest("mirrored.example/app:1") == DIGEST
    fake.status = 503
    with pytest.raises(Transient):
        await registry.digest("mirrored.example/app:1")


async def test_what_is_blocked(registry: Registry) -> None:
    with pytest.raises(Permanent) as caught:
        await registry.digest("blocked.example/app:1")
    assert caught.value.problem.reason == "RegistryBlocked"


async def test_a_token_is_not_asked_for_over_http(fake: Fake, tmp_path: Path) -> None:
    """Only where registries.conf says that the registry is insecure does a password go there."""
    place = places_of("registry.example/app", ())
    assert place == (Place("registry.example", "app"),)
    assert places_of("docker.io/library/nginx", ())[0].host == "registry-1.docker.io"


def test_the_longest_prefix_counts(tmp_path: Path) -> None:
    conf = tmp_path / "registries.conf"
    conf.write_text(
        '[[registry]]\nprefix = "example.com"\nlocation = "one.example"\n'
        '[[registry]]\nprefix = "example.com/team"\nlocation = "two.example/x"\n'
        '[[registry]]\nprefix = "*.example.org"\ninsecure = true\n'
    )
    assert places_of("example.com/app", [conf]) == (Place("one.example", "app"),)
    assert places_of("example.com/team/app", [conf]) == (Place("two.example", "x/app"),)
    assert places_of("example.com/teams", [conf]) == (Place("one.example", "teams"),)
    assert places_of("a.example.org/app", [conf]) == (Place("a.example.org", "app", True),)
    conf.write_text("[[registry")
    with pytest.raises(Permanent):
        places_of("example.com/app", [conf])
