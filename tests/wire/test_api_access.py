"""Who is answered what, on real sockets: with a token, without, and with another."""

import asyncio
import base64
import logging
import os
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.fakes.installed import Installed
from tests.fakes.statuses import GOOD, NOW
from tests.wire.test_api import Api, made, rollout
from tests.wire.test_page import BROWSER
from workloadd.api import access
from workloadd.api.access import Access
from workloadd.api.contract import ENDPOINTS
from workloadd.api.server import Server, Shared
from workloadd.api.tokens import FRESH, MAX_LENGTH, MIN_LENGTH, Token, checked
from workloadd.cli.main import main
from workloadd.core.errors import Permanent
from workloadd.settings.model import ApiSettings

TOKEN = base64.b64encode(b"thirty-two bytes, all of them.. ").decode()
RIGHT = f"Authorization: Bearer {TOKEN}"
READS = [one for one in ENDPOINTS if one.method == "GET" and not one.open]


class TokenApi(Api):
    """The application with a token in memory, and a clock for it."""

    def __init__(self, directory: Path, *statuses: Any) -> None:
        super().__init__(directory, *statuses)
        self.content: bytes | Permanent = f"{TOKEN}\n".encode()
        self.reads = 0
        self.token = Token(self.read, lambda: self.monotonic)

    def read(self) -> bytes:
        self.reads += 1
        if isinstance(self.content, Permanent):
            raise self.content
        return self.content

    def server(self, listen: tuple[str, int] | None = ("127.0.0.1", 0), **limits: Any) -> Server:
        self.access = Access(self.token)
        return super().server(listen, **limits)


@pytest.fixture
async def api(tmp_path: Path) -> TokenApi:
    return TokenApi(tmp_path, await made({"web": GOOD}, {"web": GOOD}))


def test_what_is_a_token() -> None:
    assert checked(f" {TOKEN}\r\n".encode()) == TOKEN.encode()
    for good in (b"a" * MIN_LENGTH, b"a" * MAX_LENGTH, b"-._~+/0123456789=="):
        assert checked(good) == good
    for bad in (
        b"",
        b"a" * 15,
        b"a" * 1025,
        b"a b" * 10,
        b"a\n" * 20,
        "ü".encode() * 20,
        b"\0" * 20,
    ):
        with pytest.raises(Permanent, match="cannot use the token") as error:
            checked(bad)
        assert "openssl rand" in error.value.problem.hint


@pytest.mark.parametrize("path", [one.path for one in READS] + ["/v1/nothing", "/a/b/c"])
async def test_without_the_token_there_is_no_answer(api: TokenApi, path: str) -> None:
    async with api.serving():
        for lines in ((), ("Authorization: Basic d29yZDp3b3Jk",), (f"{RIGHT}x",), (RIGHT, RIGHT)):
            got = await api.get(
                path.replace("{name}", "web"), "Accept: application/problem+json", *lines
            )
            assert (got.status, got.json["reason"]) == (401, "TokenWanted")
            assert got.headers["www-authenticate"].startswith('bearer realm="workloadd"')
            assert ("invalid_token" in got.headers["www-authenticate"]) is bool(lines)
            assert "nginx" not in got.body


async def test_with_it_there_is(api: TokenApi) -> None:
    api.history.rows = [rollout(1)]
    api.journal.write("workload-web.service", "listening", at=int(NOW * 1e6))
    async with api.serving():
        for scheme in ("Bearer", "bearer", "BEARER"):
            line = f"Authorization: {scheme}  {TOKEN}"
            assert (await api.get("/v1/workloads/web", line)).json["name"] == "web"
        # What everybody is not told, who has the token is.
        history = await api.get("/v1/workloads/web/history", RIGHT)
        logs = await api.get("/v1/workloads/web/logs", RIGHT)
    assert history.json["rollouts"][0]["log"] == ["fatal"]
    assert "listening\n" in logs.body


async def test_it_does_not_allow_to_do_anything(api: TokenApi) -> None:
    async with api.serving():
        got = await api.get("/v1/workloads/web/run", RIGHT, "Content-Length: 0", method="POST")
    assert (got.status, got.json["reason"]) == (403, "ReadsOnly")


async def test_what_says_nothing_of_workloads_needs_none(api: TokenApi) -> None:
    async with api.serving():
        alive = await api.get("/healthz")
        pages = [await api.get(path, BROWSER) for path in ("/", "/web", "/page/app.js")]
        data = await api.get("/v1/status", BROWSER)
        lock = await api.get("/fleetlock/v1/pre-reboot", "Content-Length: 0", method="POST")
    assert (alive.status, alive.body) == (200, "ok\n")
    assert [got.status for got in pages] == [200, 200, 200]
    assert "nginx" not in "".join(got.body for got in pages)
    assert data.status == 401
    assert lock.json["reason"] == "FailedLockDisabled"


async def test_the_unix_socket_wants_none(api: TokenApi) -> None:
    async with api.serving():
        assert (await api.get("/v1/status", unix=True)).status == 200


async def test_another_sites_page_is_refused_before_it_can_guess(api: TokenApi) -> None:
    async with api.serving():
        named = await api.get("/v1/status", "Host: example.org", f"{RIGHT}x")
        other = await api.get("/v1/status", "Origin: http://example.org", f"{RIGHT}x")
    assert (named.status, other.status) == (421, 403)


async def test_a_token_that_is_changed_counts_soon(api: TokenApi) -> None:
    async with api.serving():
        assert (await api.get("/v1/status", RIGHT)).status == 200
        api.content = b"another-token-altogether"
        assert (await api.get("/v1/status", RIGHT)).status == 200
        assert api.reads == 1
        api.monotonic += FRESH
        assert (await api.get("/v1/status", RIGHT)).status == 401
        line = "Authorization: Bearer another-token-altogether"
        assert (await api.get("/v1/status", line)).status == 200


async def test_a_token_that_cannot_be_read_opens_nothing(
    api: TokenApi, caplog: pytest.LogCaptureFixture
) -> None:
    async with api.serving():
        assert (await api.get("/v1/status", RIGHT)).status == 200
        why = "cannot read the token of the API from /etc/token: everybody may read it"
        api.content = Permanent("TokenUnusable", why, "chmod 0640")
        for _ in range(3):
            api.monotonic += FRESH
            got = await api.get("/v1/status", RIGHT)
            assert (got.status, got.json["reason"]) == (503, "TokenUnusable")
            assert "/etc" not in got.body
        assert api.access.problem and api.access.problem.message == why
        assert caplog.text.count(why) == 1
        assert (await api.get("/healthz")).status == 200
        assert (await api.get("/v1/status", unix=True)).status == 200
        api.content = TOKEN.encode()
        api.monotonic += FRESH
        assert (await api.get("/v1/status", RIGHT)).status == 200
        assert api.access.problem is None


@pytest.fixture
def token_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    yield path


async def test_the_daemon_with_a_token(
    host: Installed, token_file: Path, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is read from its file, shown to be unusable in the status, and never shown itself."""
    caplog.set_level(logging.DEBUG)
    os.chmod(token_file, 0o644)  # noqa: PTH101 - before anything runs
    api = ApiSettings(listen=f"127.0.0.1:{unused_tcp_port}", token_file=str(token_file))
    host.settings = host.settings.model_copy(update={"api": api})
    await host.start()
    host.write("web")
    await host.settled()
    problems = host.daemon.board.status.problems
    assert len(problems) == 1
    assert "everybody may read it (mode 0644)" in problems[0]
    status = host.daemon.board.status.model_dump_json()
    for text in (status, caplog.text, repr(host.daemon.access), repr(vars(host.daemon.access))):
        assert TOKEN not in text


class TestCommandLine:
    """`workloadctl` with the token."""

    async def asked(self, api: TokenApi, *words: str, **variables: str) -> tuple[int, str]:
        async with api.serving():
            assert api.running.address
            url = f"http://127.0.0.1:{api.running.address[1]}"
            done = await asyncio.to_thread(
                CliRunner().invoke, main, [*words, "--url", url], env=variables
            )
        return done.exit_code, done.output

    async def test_it_sends_what_is_in_the_file(self, api: TokenApi, token_file: Path) -> None:
        assert "web" in (await self.asked(api, "status", "--token-file", str(token_file)))[1]
        variable = {"WORKLOADD_TOKEN_FILE": str(token_file)}
        assert "web" in (await self.asked(api, "status", **variable))[1]

    async def test_logs_over_tcp(self, api: TokenApi, token_file: Path) -> None:
        api.journal.write("workload-web.service", "listening", at=int(NOW * 1e6))
        code, said = await self.asked(api, "logs", "web", "--token-file", str(token_file))
        assert (code, said.split()[-1]) == (0, "listening")

    async def test_without_it_says_what_to_do(self, api: TokenApi) -> None:
        code, said = await self.asked(api, "status")
        assert code != 0
        assert "cannot answer without the token" in said
        assert "--token-file" in said

    async def test_a_file_that_cannot_be_used(self, api: TokenApi, tmp_path: Path) -> None:
        _, said = await self.asked(api, "status", "--token-file", str(tmp_path / "none"))
        assert f"cannot read the token from {tmp_path}/none: no such file" in said
        (tmp_path / "two").write_text("one\ntwo\n")
        _, said = await self.asked(api, "status", "--token-file", str(tmp_path / "two"))
        assert "it has several lines" in said
        assert "one" not in said
        (tmp_path / "binary").write_bytes(os.urandom(20) + b"\xff")
        _, said = await self.asked(api, "status", "--token-file", str(tmp_path / "binary"))
        assert "it is no token" in said


class GroupApi(Api):
    """The application with a socket for a group: the one we are in, unless told otherwise."""

    group = str(os.getegid())

    @property
    def shared(self) -> Path:
        return self.socket.parent.parent / "users/workloads/workloadd.sock"

    def server(self, listen: tuple[str, int] | None = ("127.0.0.1", 0), **limits: Any) -> Server:
        self.access = Access(group=self.group)
        return super().server(listen, shared=Shared(self.shared, self.group), **limits)


@pytest.fixture
async def grouped() -> AsyncIterator[GroupApi]:
    # A short path: a Unix socket's has at most 107 bytes.
    with tempfile.TemporaryDirectory() as directory:
        found = GroupApi(Path(directory), await made({"web": GOOD}, {"web": GOOD}))
        found.shared.parent.mkdir(parents=True)
        yield found


class Peer:
    """Credentials of a process of user 4000000 with one primary group."""

    size = 12

    def __init__(self, group: int) -> None:
        self._group = group

    def unpack(self, _data: bytes) -> tuple[int, int, int]:
        return 1, 4_000_000, self._group


async def test_a_member_of_the_group_may_what_the_owner_may(
    grouped: GroupApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with grouped.serving():
        await grouped.running.shared_there.wait()
        found = grouped.shared.stat()
        assert stat.S_IMODE(found.st_mode) == 0o660
        assert found.st_gid == os.getegid()
        grouped.socket, own = grouped.shared, grouped.socket
        monkeypatch.setattr(access, "_CREDENTIALS", Peer(os.getegid()))
        read = await grouped.get("/v1/status", unix=True)
        acted = await grouped.get(
            "/v1/workloads/web/restart", "Content-Length: 0", unix=True, method="POST"
        )
        monkeypatch.setattr(access, "_CREDENTIALS", Peer(4_000_000))
        monkeypatch.setattr(access, "_groups", lambda _: (1, os.getegid()))
        also = await grouped.get("/v1/status", unix=True)
        monkeypatch.setattr(access, "_groups", lambda _: (1, 2))
        other = await grouped.get("/v1/status", unix=True)
        grouped.socket = own
    assert read.status == also.status == 200
    # Who it is was accepted; this application has no actions.
    assert acted.json["reason"] == "NoSuchAction"
    assert (other.status, other.json["reason"]) == (403, "NotYours")
    assert f"a member of the group {grouped.group}" in other.json["hint"]
    assert not grouped.shared.exists()


async def test_supplementary_groups_are_those_of_the_process() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert set(access._groups(one)) == set(os.getgroups())


async def test_without_a_group_nobody_else_is_let_in(
    api: TokenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_CREDENTIALS", Peer(os.getegid()))
    async with api.serving():
        got = await api.get("/v1/status", unix=True)
    assert (got.status, got.json["reason"]) == (403, "NotYours")
    assert got.json["detail"] == "cannot answer user 4000000 here: the workloads are another's"


async def test_a_groups_socket_that_cannot_be_is_a_problem_with_its_fix(
    grouped: GroupApi,
) -> None:
    grouped.shared.parent.chmod(0o777)
    async with grouped.serving(retry=0.01) as server:
        (problem,) = server.problems
        assert "everybody may write to" in problem.message
        assert f"d {grouped.shared.parent} 2750 workloads {grouped.group} -" in problem.hint
        assert (await grouped.get("/healthz", unix=True)).status == 200
        grouped.shared.parent.chmod(0o750)
        await server.shared_there.wait()
        assert server.problems == ()


async def test_a_group_that_there_is_not(grouped: GroupApi) -> None:
    grouped.group = "no-such-group"
    async with grouped.serving(retry=60) as server:
        assert server.problems[0].hint.startswith("make it: groupadd no-such-group")
