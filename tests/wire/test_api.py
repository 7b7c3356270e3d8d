"""The HTTP API on real sockets."""

import asyncio
import json
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from tests.fakes.journal import FakeJournal
from tests.fakes.statuses import BAD, GOOD, NOW, SECRET, status
from workloadd.api.access import Access
from workloadd.api.actions import Actions
from workloadd.api.app import application
from workloadd.api.server import Server
from workloadd.board import Board
from workloadd.core.errors import Permanent, Problem, Transient, WorkloaddError
from workloadd.core.status import PassStatus, Status
from workloadd.events import Events
from workloadd.history.rows import EventRow, RolloutRow, Step
from workloadd.history.runs import RunRow
from workloadd.logs import Logs
from workloadd.settings.model import Settings

# How the end of a connection looks from the other side.
CUT = (ConnectionResetError, asyncio.IncompleteReadError)


@pytest.fixture(autouse=True)
def _no_blocking() -> Iterator[None]:
    with blockbuster_ctx(scanned_modules=["workloadd"]):
        yield


@dataclass
class FakeRuns:
    """Runs of jobs in memory."""

    rows: list[RunRow] = field(default_factory=list)

    async def of(self, workload: str, limit: int = 20) -> list[RunRow]:
        return [row for row in self.rows if row.run.workload == workload][:limit]


@dataclass
class FakeHistory:
    """A history in memory, of any size."""

    rows: list[RolloutRow] = field(default_factory=list)
    notes: list[EventRow] = field(default_factory=list)
    broken: bool = False
    runs: FakeRuns = field(default_factory=FakeRuns)

    async def rollouts(self, workload: str, limit: int = 20) -> list[RolloutRow]:
        if self.broken:
            raise Transient("HistoryFailed", "cannot use the history: disk full", "free some space")
        return [row for row in self.rows if row.workload == workload][:limit]

    async def events(self, workload: str, limit: int = 50) -> list[EventRow]:
        return [note for note in self.notes if note.workload == workload][:limit]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def made(*args: Any, **fields: Any) -> Status:
    """A status, made beside the loop: the YAML parser looks for plug-ins on disk."""
    return await asyncio.to_thread(status, *args, **fields)


class Api:
    """A served application, the clocks it sees, and a way to ask it anything."""

    def __init__(self, directory: Path, found: Status) -> None:
        self.now = NOW
        self.monotonic = 0.0
        self.board = Board(found, lambda: self.monotonic)
        self.history = FakeHistory()
        self.socket = directory / "run/workloadd.sock"
        self.started: list[str] = []
        self.obstacle: WorkloaddError | None = None
        self.by_hand: Actions = {}
        self.journal = FakeJournal()
        self.drivers: dict[str, str] = {}
        self.access = Access()
        self.logs = Logs(lambda: self.now, lambda _: self.drivers, self.journal.log)

    def server(self, listen: tuple[str, int] | None = ("127.0.0.1", 0), **limits: Any) -> Server:
        app = application(
            self.board,
            self.history,
            Settings(),
            lambda: self.now,
            self.start_run,
            self.by_hand,
            logs=self.logs,
            access=self.access,
            events=Events(self.board, lambda: self.monotonic),
        )
        return Server(app, socket=self.socket, listen=listen, **limits)

    async def start_run(self, workload: str) -> int | None:
        self.started.append(workload)
        if self.obstacle:
            raise self.obstacle
        return 7

    @asynccontextmanager
    async def serving(
        self, listen: tuple[str, int] | None = ("127.0.0.1", 0), **limits: Any
    ) -> AsyncIterator[Server]:
        self.running = server = self.server(listen, **limits)
        task = asyncio.create_task(server.run())
        listening = asyncio.create_task(server.listening.wait())
        await asyncio.wait([task, listening], return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        try:
            if task.done():
                await task
            yield server
        finally:
            task.cancel()
            await asyncio.wait([task])
            self.logs.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        assert self.running.address
        return await asyncio.open_connection(*self.running.address)

    async def get(
        self, target: str, *lines: str, unix: bool = False, method: str = "GET"
    ) -> Answer:
        """One request; a `Host` among the header `lines` replaces the usual one."""
        if unix:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
        else:
            reader, writer = await self.connect()
        host = [] if any(line.startswith("Host") for line in lines) else ["Host: 127.0.0.1:7780"]
        head = [f"{method} {target} HTTP/1.1", *host, *lines, "", ""]
        writer.write("\r\n".join(head).encode())
        return await answer(reader, writer)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
    """All that comes until the server closes the connection, as it does after each answer."""
    data = (await reader.read()).decode()
    writer.close()
    head, _, body = data.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), headers, body)


@pytest.fixture
def api() -> Iterator[Api]:
    # A short path: a Unix socket's has at most 107 bytes.
    with tempfile.TemporaryDirectory() as directory:
        yield Api(Path(directory), status({"web": GOOD, "broken": BAD}, {"web": GOOD}))


async def test_a_workload_says_when_it_was_looked_at(api: Api) -> None:
    passes = PassStatus(count=2, last=datetime.fromtimestamp(NOW, UTC))
    api.board.publish(api.board.status.model_copy(update={"passes": passes}))
    async with api.serving():
        got = await api.get("/v1/workloads/web")
    assert float(got.headers["workloadd-looked"]) == NOW


async def test_what_a_pass_that_failed_leaves_there_is_not_news(api: Api) -> None:
    passes = PassStatus(count=2, last=datetime.fromtimestamp(NOW, UTC), problem="no Podman")
    api.board.publish(api.board.status.model_copy(update={"passes": passes}))
    async with api.serving():
        got = await api.get("/v1/workloads/web")
    assert float(got.headers["workloadd-looked"]) == 0


async def test_the_root_is_the_table(api: Api) -> None:
    async with api.serving():
        got = await api.get("/")
    assert got.status == 200
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert got.headers["workloadd-settled"] == "no"
    assert "NAME" in got.body
    assert "broken.yaml:2:9" in got.body


async def test_the_table_is_of_this_second(api: Api) -> None:
    async with api.serving():
        first, same = await api.get("/"), await api.get("/")
        api.now += 3600
        later = await api.get("/")
        api.board.publish(await made({"other": GOOD}))
        newer = await api.get("/")
    assert "3h" in first.body
    assert same.body == first.body
    assert "4h" in later.body
    assert "other" in newer.body


async def test_both_listeners_say_the_same(api: Api) -> None:
    async with api.serving():
        over_tcp, over_unix = await api.get("/v1/status"), await api.get("/v1/status", unix=True)
    assert over_tcp.json == over_unix.json
    assert {w["name"] for w in over_tcp.json["workloads"]} == {"web", "broken"}
    assert over_tcp.body.startswith('{\n  "version"')
    assert over_tcp.body.endswith("}\n")


async def test_one_workload_as_text_and_as_json(api: Api) -> None:
    async with api.serving():
        text, document = await api.get("/web"), await api.get("/v1/workloads/web")
        preferred = await api.get("/v1/workloads/web", "Accept: text/plain")
        table = await api.get("/v1/status", "Accept: text/plain")
        many = await api.get("/v1/workloads")
    assert text.body.startswith("web: Ready for 3h\n")
    assert preferred.body == text.body
    assert table.body.startswith("workloadd 1.2.3")
    assert document.headers["workloadd-settled"] == "yes"
    assert document.json["current"]["image"] == "docker.io/library/nginx:1.27"
    assert [w["name"] for w in many.json["workloads"]] == ["broken", "web"]


async def test_a_new_status_is_answered_with(api: Api) -> None:
    async with api.serving():
        before = await api.get("/v1/workloads/web")
        api.board.publish(await made({"web": GOOD}))
        after = await api.get("/v1/workloads/web")
        whole = await api.get("/v1/status")
    assert before.json["state"] == "Ready"
    assert after.json["state"] == "Pulling"
    assert len(whole.json["workloads"]) == 1


async def test_an_unknown_workload_is_a_problem_with_a_proposal(api: Api) -> None:
    async with api.serving():
        document = await api.get("/v1/workloads/wep")
        text = await api.get("/wep")
        as_json = await api.get("/wep", "Accept: application/json")
    assert document.status == text.status == as_json.status == 404
    assert document.headers["content-type"].startswith("application/problem+json")
    assert document.json["hint"] == "did you mean web?"
    assert document.json["status"] == 404
    assert text.headers["content-type"].startswith("text/plain")
    assert "did you mean web?" in text.body
    assert as_json.json["reason"] == "NoSuchWorkload"


async def test_before_the_first_pass_nothing_is_said_to_be_missing(api: Api) -> None:
    """Who waits over a restart is the first to be answered."""
    api.board.publish(await made({}, passes=PassStatus()))
    async with api.serving():
        early = await api.get("/v1/workloads/web")
        api.board.publish(await made({}, passes=PassStatus(problem="cannot reach Podman")))
        without = await api.get("/web")
    assert (early.status, early.json["reason"]) == (503, "NotYetKnown")
    assert early.headers["retry-after"] == "1"
    assert (without.status, "cannot reach Podman" in without.body) == (503, True)


async def test_an_unknown_path_names_those_there_are(api: Api) -> None:
    async with api.serving():
        got = await api.get("/v1/nothing")
        text = await api.get("/a/b/%1b%5b2J")
    assert got.status == text.status == 404
    assert "/v1/workloads/NAME" in got.json["endpoints"]
    assert "/readyz" in text.body
    assert "\x1b" not in text.body


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org:7780", "", "10.0.0.1"])
async def test_tcp_refuses_names_that_are_not_loopback(api: Api, host: str) -> None:
    async with api.serving():
        got = await api.get("/v1/status", f"Host: {host}")
        trusted = await api.get("/v1/status", f"Host: {host or 'x'}", unix=True)
    assert got.status == 421
    assert got.json["reason"] == "HostRefused"
    assert "workloads" not in got.json
    assert trusted.status == 200


async def test_an_absolute_target_does_not_get_round_the_host(api: Api) -> None:
    async with api.serving():
        got = await api.get("http://example.org/v1/status", "Host: 127.0.0.1")
    assert got.status == 421


@pytest.mark.parametrize(
    "line",
    ["Origin: http://example.org", "Origin: null", "Sec-Fetch-Site: cross-site"],
)
async def test_other_sites_pages_are_refused(api: Api, line: str) -> None:
    async with api.serving():
        got = await api.get("/v1/status", line)
    assert got.status == 403
    assert got.json["reason"] == "CrossOrigin"


async def test_its_own_page_may_ask(api: Api) -> None:
    lines = ("Origin: http://127.0.0.1:7780", "Sec-Fetch-Site: same-origin")
    async with api.serving():
        assert (await api.get("/v1/status", *lines)).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_there_are_only_reads(api: Api, method: str) -> None:
    async with api.serving():
        got = await api.get("/v1/status", "Content-Length: 0", method=method)
    assert got.status == 405
    assert got.headers["allow"] == "get, head"


async def test_a_head_has_no_body(api: Api) -> None:
    async with api.serving():
        got = await api.get("/v1/status", method="HEAD")
    assert got.status == 200
    assert int(got.headers["content-length"]) > 100
    assert got.body == ""


async def test_a_body_is_refused(api: Api) -> None:
    async with api.serving():
        got = await api.get("/v1/status", "Content-Length: 1000000")
    assert got.status == 413


async def test_headers_that_go_out(api: Api) -> None:
    async with api.serving():
        got = await api.get("/")
        lost = await api.get("/nothing/at/all")
    for one in (got, lost):
        assert "server" not in one.headers
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["connection"] == "close"
        assert one.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in one.headers["content-security-policy"]


async def test_no_value_of_the_environment_goes_out(api: Api) -> None:
    paths = ("/", "/web", "/broken", "/v1/status", "/v1/workloads", "/v1/workloads/web")
    async with api.serving():
        answers = [await api.get(path) for path in paths]
    assert SECRET not in "".join(got.body for got in answers)


async def test_it_is_alive_until_the_loop_falls_silent(api: Api) -> None:
    async with api.serving():
        alive = await api.get("/healthz")
        api.monotonic = 1000.0
        dead = await api.get("/healthz")
        as_json = await api.get("/healthz", "Accept: application/json")
        api.board.beat()
        again = await api.get("/healthz")
    assert (alive.status, alive.body) == (200, "ok\n")
    assert (dead.status, dead.body) == (503, "the loop has made no progress for 16m40s\n")
    assert as_json.json["alive"] is False
    assert again.status == 200


async def test_it_is_ready_once_nothing_is_overdue(api: Api) -> None:
    api.board.publish(await made({}, passes=PassStatus()))
    async with api.serving():
        early = await api.get("/readyz")
        api.board.publish(await made({"web": GOOD}))
        in_time = await api.get("/readyz")
        api.now += 10_000
        late = await api.get("/readyz", "Accept: application/json")
        api.board.publish(await made({"web": GOOD}, {"web": GOOD}))
        ready = await api.get("/readyz")
    assert (early.status, early.body) == (503, "the first pass is not done yet\n")
    assert in_time.status == 200
    assert late.status == 503
    assert [one["workload"] for one in late.json["unready"]] == ["web"]
    assert (ready.status, ready.body) == (200, "ok\n")


def rollout(number: int, workload: str = "web", line: str = "fatal") -> RolloutRow:
    problem = Problem("UnitFailed", "cannot keep the deployment", "look at its log")
    steps = (Step(NOW, "create", ""),)
    at = NOW - number
    return RolloutRow(
        number, workload, "ab" * 32, "", "changed", at, at, at, "failed", problem, (line,), steps
    )


async def test_the_history_is_the_newest_first(api: Api) -> None:
    api.history.rows = [rollout(1), rollout(2)]
    api.history.notes = [EventRow("web", NOW, "drift", "its container was removed")]
    async with api.serving():
        got = await api.get("/v1/workloads/web/history", unix=True)
        tcp = await api.get("/v1/workloads/web/history")
        one = await api.get("/v1/workloads/web/history?limit=1")
        gone = await api.get("/v1/workloads/nothing/history")
        wrong = await api.get("/v1/workloads/web/history?limit=1000")
    first, second = got.json["rollouts"]
    assert first["problem"]["reason"] == "UnitFailed"
    assert first["ended"] > second["ended"]
    assert first["log"] == ["fatal"]
    assert "fatal" not in tcp.body
    assert "workloadctl history web" in tcp.json["rollouts"][0]["log"][0]
    assert got.json["events"][0]["kind"] == "drift"
    assert got.json["truncated"] is False
    assert len(one.json["rollouts"]) == 1
    assert one.json["truncated"] is True
    assert gone.status == 404
    assert (wrong.status, wrong.json["reason"]) == (400, "BadLimit")


async def test_the_history_of_a_removed_workload_can_be_read(api: Api) -> None:
    api.history.rows = [rollout(1, "gone")]
    async with api.serving():
        assert (await api.get("/v1/workloads/gone/history")).status == 200


async def test_a_large_history_is_bounded(api: Api) -> None:
    api.history.rows = [rollout(n, line="x" * 100_000) for n in range(100)]
    async with api.serving():
        got = await api.get("/v1/workloads/web/history?limit=100", unix=True)
    assert len(got.body) < 2_000_000
    assert got.json["truncated"] is True


async def test_a_history_that_cannot_be_read_is_a_problem(api: Api) -> None:
    api.history.broken = True
    async with api.serving():
        got = await api.get("/v1/workloads/web/history")
    assert got.status == 503
    assert got.json["hint"] == "free some space"


async def test_an_error_of_ours_shows_no_insides(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> list[RolloutRow]:
        raise ValueError("the insides")

    monkeypatch.setattr(api.history, "rollouts", fail)
    async with api.serving():
        got = await api.get("/v1/workloads/web/history")
    assert got.status == 500
    assert "insides" not in got.body
    assert "the insides" in caplog.text


async def test_the_socket_is_private(api: Api) -> None:
    async with api.serving(None):
        assert stat.S_IMODE(api.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(api.socket.parent.stat().st_mode) == 0o700
        assert list(api.socket.parent.iterdir()) == [api.socket]
    assert not api.socket.exists()


async def test_a_stale_socket_is_replaced(api: Api) -> None:
    api.socket.parent.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(api.socket))
    async with api.serving(None):
        assert (await api.get("/healthz", unix=True)).status == 200
        assert stat.S_IMODE(api.socket.parent.stat().st_mode) == 0o700


async def test_a_living_daemon_is_not_pushed_aside(api: Api) -> None:
    async with api.serving(None):
        with pytest.raises(Permanent, match="another workloadd"):
            await api.server(None).run()
        assert (await api.get("/healthz", unix=True)).status == 200


async def test_a_socket_that_cannot_be_is_an_error_with_its_place(api: Api) -> None:
    api.socket = api.socket.parent / ("x" * 200)
    with pytest.raises(Permanent, match="cannot listen on"):
        await api.server(None).run()


async def test_a_taken_port_is_reported_and_tried_again(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = other.getsockname()
        async with api.serving(address, retry=0.01) as server:
            (problem,) = server.problems
            assert problem.reason == "ListenFailed"
            assert problem.message == (
                f"cannot listen on 127.0.0.1 port {address[1]}: Address already in use"
            )
            assert (await api.get("/healthz", unix=True)).status == 200
            other.close()
            await server.reachable.wait()
            assert server.problems == ()
            assert (await api.get("/healthz")).status == 200


async def test_connections_beyond_the_limit_leave_the_other_listener_alone(api: Api) -> None:
    async with api.serving(connections=2):
        held = [await api.connect() for _ in range(2)]
        reader, writer = await api.connect()
        assert (await reader.read()).startswith(b"HTTP/1.1 503")
        assert (await api.get("/healthz", unix=True)).status == 200
        # A place that was given back can be had again.
        writer.close()
        first_reader, first_writer = held[0]
        first_writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await answer(first_reader, first_writer)).status == 200
        assert (await api.get("/healthz")).status == 200
        held[1][1].close()


async def test_nonsense_is_refused_without_noise(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async with api.serving():
        reader, writer = await api.connect()
        writer.write(b"\x16\x03\x01\x02\x00nonsense\r\n\r\n")
        got = await answer(reader, writer)
    assert got.status == 400
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
