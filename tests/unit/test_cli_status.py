"""`workloadctl status` and `history` against a served API."""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.fakes.jobs import FAILED, JOB, with_job
from tests.fakes.statuses import BAD, GOOD, NOW, status
from workloadd.api.app import application
from workloadd.api.server import Server
from workloadd.board import Board
from workloadd.cli.main import main
from workloadd.cli.status import COLOURS
from workloadd.core.errors import Problem
from workloadd.core.runs import Outcome, run_status
from workloadd.core.status import JobStatus, State, Status
from workloadd.history.rows import EventRow, RolloutRow
from workloadd.history.runs import RunRow
from workloadd.settings.model import Settings


class _Runs:
    async def of(self, workload: str, limit: int = 20) -> list[RunRow]:
        return [RunRow(FAILED, ("\x1b[2Jfull",))][: workload == "web"]


class _History:
    runs = _Runs()

    async def rollouts(self, workload: str, limit: int = 20) -> list[RolloutRow]:
        problem = Problem("UnitFailed", "cannot keep the deployment", "look at its log")
        ended = RolloutRow(
            1, workload, "ab" * 32, "", "changed", NOW, NOW, NOW, "failed", problem, ("\x1b[2Jno",)
        )
        return [ended] if workload == "web" else []

    async def events(self, workload: str, limit: int = 50) -> list[EventRow]:
        return [EventRow(workload, NOW + 5, "drift", "removed by hand")][: workload == "web"]


class Daemon:
    """The API in a thread of its own, as the commands block."""

    def __init__(self, runtime: Path, found: Status) -> None:
        self.socket = runtime / "workloadd/workloadd.sock"
        self._found = found
        self.outcome: Outcome = "succeeded"
        self.exit_code: int | None = 0
        self._last = 6
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "Daemon":
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _start_run(self, workload: str) -> int | None:
        """Begin a run, which has ended by the time anybody looks."""
        self._last += 1
        ended = replace(FAILED, id=self._last, exit_code=self.exit_code, outcome=self.outcome)
        job = JobStatus(runs=(run_status(ended), *JOB.runs))
        self._board.publish(with_job(self._board.status, job))
        return self._last

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._board = board = Board(self._found, lambda: 0.0)
        app = application(board, _History(), Settings(), lambda: NOW, self._start_run)
        server = Server(app, socket=self.socket, listen=("127.0.0.1", 0))
        task = asyncio.create_task(server.run())
        await server.listening.wait()
        assert server.address
        self.url = "http://{}:{}".format(*server.address)
        self._ready.set()
        await self._stop.wait()
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An XDG_RUNTIME_DIR with a path that is short enough for a socket."""
    monkeypatch.delenv("WORKLOADD_URL", raising=False)
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def daemon(runtime: Path) -> Iterator[Daemon]:
    with Daemon(runtime, status({"web": GOOD, "broken": BAD}, {"web": GOOD})) as running:
        yield running


def run(*arguments: str, color: bool = False) -> Result:
    return CliRunner().invoke(main, arguments, color=color)


def test_the_table_and_3_where_something_is_not_as_declared(daemon: Daemon) -> None:
    done = run("status")
    assert done.exit_code == 3
    assert "NAME" in done.output
    assert "broken.yaml:2:9" in done.output


def test_0_where_all_is_well(daemon: Daemon) -> None:
    done = run("status", "web")
    assert done.exit_code == 0
    assert done.output.startswith("web: Ready for 3h\n")


def test_0_for_a_whole_host_that_is_well(runtime: Path) -> None:
    with Daemon(runtime, status({"web": GOOD}, {"web": GOOD})):
        assert run("status").exit_code == 0


def test_json(daemon: Daemon) -> None:
    done = run("status", "--json")
    assert done.exit_code == 3
    assert {w["name"] for w in json.loads(done.output)["workloads"]} == {"web", "broken"}
    assert json.loads(run("status", "web", "--json").output)["state"] == "Ready"


def test_yaml(daemon: Daemon) -> None:
    for arguments in (["status"], ["status", "web"], ["history", "web"]):
        as_json = json.loads(run(*arguments, "-o", "json").output)
        assert yaml.safe_load(run(*arguments, "-o", "yaml").output) == as_json
    assert run("status", "-o", "table").output.startswith("workloadd ")
    assert run("status", "-o", "xml").exit_code == 2


def test_no_colours_where_they_are_not_wanted(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("status", color=True).output


def test_states_are_coloured_on_a_terminal(daemon: Daemon) -> None:
    green = "\x1b[32m\x1b[1mReady\x1b[0m"
    assert f"web     {green}" in run("status", color=True).output
    assert run("status", "web", color=True).output.startswith(f"web: {green} for")
    assert "\x1b[" not in run("status").output


def test_every_state_has_a_colour() -> None:
    assert set(COLOURS) == set(get_args(State))


def test_an_unknown_workload(daemon: Daemon) -> None:
    done = run("status", "wep")
    assert done.exit_code == 1
    assert done.output == 'Error: cannot find a workload "wep"\ndid you mean web?\n'


def test_places_to_ask(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    assert run("status", "web", "--socket", str(daemon.socket)).exit_code == 0
    assert run("status", "web", "--url", daemon.url).exit_code == 0
    monkeypatch.setenv("WORKLOADD_URL", daemon.url)
    assert run("status", "web").exit_code == 0


def test_tcp_is_asked_where_there_is_no_socket(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    monkeypatch.setattr("workloadd.cli.client.TCP", daemon.url)
    assert run("status", "web").exit_code == 0


def test_a_groups_socket_is_found(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where there is no daemon of one's own; to act, as well."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    (tmp_path / "workloads").symlink_to(daemon.socket.parent)
    monkeypatch.setattr("workloadd.cli.client._SHARED", tmp_path)
    assert run("status", "web").exit_code == 0
    assert "cannot find an action" in run("pause", "web").output


def test_no_daemon(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workloadd.cli.client.TCP", "http://127.0.0.1:1")
    done = run("status")
    assert done.exit_code == 1
    assert f"{runtime}/workloadd/workloadd.sock: no such file" in done.output
    assert "http://127.0.0.1:1: connection refused" in done.output
    assert "start workloadd" in done.output
    assert done.output.endswith("workloadctl doctor\n")


def test_a_url_that_is_none() -> None:
    assert run("status", "--url", "ftp://x").exit_code == 2
    assert run("status", "--url", "http://[x").exit_code == 2


def test_the_history(daemon: Daemon) -> None:
    done = run("history", "web")
    assert done.exit_code == 0
    event, first, problem, hint, log, run_, said = done.output.splitlines()
    assert event.endswith("Z  drift: removed by hand")
    assert first.endswith("Z  rollout abababababab failed: changed")
    assert problem.strip() == "UnitFailed: cannot keep the deployment"
    assert hint.strip() == "hint: look at its log"
    assert log.strip() == "| \ufffd[2Jno"
    assert run_.endswith("Z  run 5 failed after 2.5 s, exit code 3 (schedule, try 2)")
    assert said.strip() == "| \ufffd[2Jfull"
    assert json.loads(run("history", "web", "--json").output)["workload"] == "web"
    assert run("history", "nothing").exit_code == 1


@pytest.fixture
def job(runtime: Path) -> Iterator[Daemon]:
    with Daemon(runtime, with_job(status({"web": GOOD, "db": GOOD}, {"web": GOOD}))) as running:
        yield running


def test_a_job_is_started(job: Daemon) -> None:
    done = run("run", "web")
    assert (done.exit_code, done.output) == (0, "web: started (run 7)\n")


def test_the_end_of_a_run_is_waited_for(job: Daemon) -> None:
    done = run("run", "web", "--wait")
    assert done.exit_code == 0
    assert done.output.splitlines()[1] == "web: succeeded after 2.5 s, exit code 0 (run 7)"
    job.outcome, job.exit_code = "interrupted", None
    done = run("run", "web", "--wait")
    assert done.exit_code == 3
    assert done.output.splitlines()[1] == "web: interrupted (run 8)"


def test_a_job_that_runs_is_not_started_again(runtime: Path) -> None:
    with Daemon(runtime, with_job(status({"web": GOOD}, {"web": GOOD}), state="Running")):
        done = run("run", "web")
    assert done.exit_code == 4
    assert done.output.startswith('Error: cannot start "web": a run is on\n')


def test_a_service_is_not_run(job: Daemon) -> None:
    done = run("run", "db")
    assert done.exit_code == 1
    assert 'cannot run "db": it is a service' in done.output
    assert run("run", "nothing").exit_code == 1


def test_version_and_help() -> None:
    assert run("--version").output.startswith("workloadctl ")
    shown = run("--help").output
    assert "workloadctl plan web.yaml" in shown
    assert all(verb in shown for verb in ("history", "plan", "run", "status", "validate"))


def test_an_unknown_verb_is_a_wrong_call() -> None:
    done = run("statsu")
    assert done.exit_code == 2
    assert "statsu" in done.output


@pytest.mark.parametrize("arguments", [["--version"], ["status", "web"]])
def test_what_people_wait_for_imports_little(daemon: Daemon, arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from workloadd.cli.main import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'aiohttp', 'asyncio', 'pydantic', 'ruamel', 'dbus_fast', 'podman', 'yaml'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)\n"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
