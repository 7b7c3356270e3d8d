"""FleetLock over HTTP: who may ask, what is refused and how, and a server elsewhere."""

import json
import os
import pwd
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.fakes.statuses import GOOD, status
from tests.wire.test_api import Answer, Api
from workloadd.api.app import application
from workloadd.api.server import Server
from workloadd.core.errors import Declined, Transient, WorkloaddError
from workloadd.core.fleetlock import Client
from workloadd.host.upstream import Upstream
from workloadd.settings.model import FleetLockSettings, Settings

ASK, STEADY = "/fleetlock/v1/pre-reboot", "/fleetlock/v1/steady-state"
HEADER = "fleet-lock-protocol: true"
BODY = json.dumps({"client_params": {"id": "me", "group": "default"}})
ME = pwd.getpwuid(os.getuid()).pw_name


class Locks:
    """Says yes, unless told otherwise."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Client]] = []
        self.obstacle: WorkloaddError | None = None

    async def ask(self, client: Client) -> None:
        self.calls.append(("ask", client))
        if self.obstacle:
            raise self.obstacle

    async def release(self, client: Client) -> None:
        self.calls.append(("release", client))


class LockApi(Api):
    """The application with a lock."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, status({"web": GOOD}, {"web": GOOD}))
        self.locks = Locks()
        self.settings = FleetLockSettings(enabled=True, users=(ME,))

    def server(self, listen: tuple[str, int] | None = ("127.0.0.1", 0), **limits: Any) -> Server:
        app = application(
            self.board,
            self.history,
            Settings(fleetlock=self.settings),
            lambda: self.now,
            self.start_run,
            locks=self.locks,
        )
        return Server(app, socket=self.socket, listen=listen, **limits)

    async def post(
        self, path: str = ASK, *lines: str, body: str = BODY, unix: bool = False
    ) -> Answer:
        """One question, with the protocol's header unless other `lines` are given."""
        length = f"Content-Length: {len(body.encode())}"
        async with self.serving():
            # The blank line that ends the headers is before the body.
            return await self.get(
                path, *(lines or (HEADER,)), length, "", body, method="POST", unix=unix
            )


@pytest.fixture
def api() -> Iterator[LockApi]:
    with tempfile.TemporaryDirectory() as directory:
        yield LockApi(Path(directory))


async def test_yes(api: LockApi) -> None:
    assert (await api.post()).status == 200
    assert (await api.post(STEADY)).status == 200
    assert api.locks.calls == [
        ("ask", Client("me", "default")),
        ("release", Client("me", "default")),
    ]


async def test_off_it_says_how_to_enable_it(api: LockApi) -> None:
    api.settings = FleetLockSettings()
    got = await api.post()
    assert (got.status, got.json["kind"]) == (404, "failed_lock_disabled")
    assert "enabled = true" in got.json["value"]


async def test_no_is_in_the_protocols_words(api: LockApi) -> None:
    api.locks.obstacle = Declined("FailedLockBusy", "cannot grant a reboot: a run is on", "wait")
    got = await api.post()
    assert got.status == 409
    assert got.json["kind"] == "failed_lock_busy"
    assert got.json["value"] == "cannot grant a reboot: a run is on (wait)"
    api.locks.obstacle = Transient("HistoryFailed", "cannot use the history: full", "make room")
    got = await api.post()
    assert (got.status, got.json["kind"]) == (503, "history_failed")


async def test_only_users_that_are_named(api: LockApi) -> None:
    api.settings = FleetLockSettings(enabled=True, users=("nobody", "no-such-user"))
    got = await api.post()
    assert (got.status, got.json["kind"]) == (403, "failed_lock_not_yours")
    assert f"user {ME}" in got.json["value"] and "nobody, no-such-user" in got.json["value"]
    assert (await api.post(unix=True)).status == 200, "the owner, on the socket"
    api.settings = FleetLockSettings(enabled=True, users=(str(os.getuid()),))
    assert (await api.post()).status == 200
    assert len(api.locks.calls) == 2


async def test_who_cannot_be_told_is_refused(api: LockApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workloadd.host.peers.user_of", lambda *_: None)
    got = await api.post()
    assert (got.status, got.json["kind"]) == (403, "failed_lock_not_yours")


async def test_what_a_web_page_can_send_is_refused(api: LockApi) -> None:
    got = await api.post(ASK, "Accept: */*")
    assert (got.status, got.json["kind"]) == (400, "failed_lock_not_meant")
    got = await api.post(ASK, HEADER, "Origin: http://evil.example")
    assert (got.status, got.json["kind"]) == (403, "cross_origin")
    got = await api.post(ASK, HEADER, "Host: evil.example")
    assert (got.status, got.json["kind"]) == (421, "host_refused")
    assert not api.locks.calls


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 2000,
        '{"client_params": {"id": "me"}}',
        '{"client_params": {"id": 1, "group": "default"}}',
        '{"client_params": {"id": "", "group": "default"}}',
        '{"client_params": {"id": "a\\nb", "group": "default"}}',
        '{"client_params": {"id": "me", "group": "no good"}}',
    ],
)
async def test_a_wrong_body(api: LockApi, body: str) -> None:
    got = await api.post(body=body)
    assert (got.status, got.json["kind"]) == (400, "failed_lock_bad_request")
    assert not api.locks.calls


async def test_a_body_is_bounded(api: LockApi) -> None:
    got = await api.post(body=BODY + " " * 5000)
    assert (got.status, got.json["kind"]) == (413, "failed_lock_bad_request")


async def test_other_paths_and_methods(api: LockApi) -> None:
    assert (await api.post("/fleetlock/v1/other")).status == 404
    assert (await api.post("/v1/status")).status == 405
    async with api.serving():
        assert (await api.get(ASK)).status == 405


class Elsewhere:
    """A FleetLock server elsewhere."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, str | None]] = []
        self.status, self.text = 200, "{}"

    async def handle(self, request: web.Request) -> web.Response:
        asked = (request.path, await request.json(), request.headers.get("fleet-lock-protocol"))
        self.calls.append(asked)
        return web.Response(status=self.status, text=self.text, headers={"Location": "/else"})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/base/"
        finally:
            await runner.cleanup()


ZINCATI = Client("zincati", "edge")


async def test_another_server_is_asked_in_the_clients_name() -> None:
    server = Elsewhere()
    async with server.serving() as base:
        await Upstream(base).lock(ZINCATI)
        await Upstream(base).release(ZINCATI)
    body = {"client_params": {"id": "zincati", "group": "edge"}}
    assert server.calls == [
        ("/base/v1/pre-reboot", body, "true"),
        ("/base/v1/steady-state", body, "true"),
    ]


@pytest.mark.parametrize(
    ("code", "text", "reason", "said"),
    [
        (409, '{"kind": "failed_lock_semaphore_full", "value": "all taken"}',
         "failed_lock_semaphore_full", "all taken"),
        (500, "oops", "failed_lock_upstream", "status 500"),
        (302, "", "failed_lock_upstream", "status 302"),
        (409, '{"kind": "no good\\n", "value": "x"}', "failed_lock_upstream", "x"),
        (409, "x" * 100_000, "failed_lock_upstream", "status 409"),
    ],
)  # fmt: skip
async def test_its_refusal_is_passed_on(code: int, text: str, reason: str, said: str) -> None:
    server = Elsewhere()
    server.status, server.text = code, text
    async with server.serving() as base:
        with pytest.raises(Declined) as refused:
            await Upstream(base).lock(ZINCATI)
    assert refused.value.problem.reason == reason
    assert said in refused.value.problem.message


async def test_one_that_is_away() -> None:
    async with Elsewhere().serving() as base:
        pass
    with pytest.raises(Transient) as away:
        await Upstream(base).lock(ZINCATI)
    assert away.value.problem.reason == "FailedLockUpstreamAway"
