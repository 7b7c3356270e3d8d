"""`workloadctl logs` against a served API."""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.fakes.journal import FakeJournal
from tests.fakes.statuses import GOOD, NOW, status
from tests.wire.test_api import FakeHistory
from workloadd.api.app import application
from workloadd.api.server import Server
from workloadd.board import Board
from workloadd.cli.main import main
from workloadd.core.status import Status
from workloadd.logs import Logs
from workloadd.settings.model import Settings

WEB = "workload-web.service"


class Daemon:
    """The API in a thread of its own, over a journal in memory."""

    def __init__(self, runtime: Path) -> None:
        self.socket = runtime / "workloadd/workloadd.sock"
        self.journal = FakeJournal()
        self._found: Status = status({"web": GOOD}, {"web": GOOD})
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        logs = Logs(lambda: NOW, lambda _: {}, self.journal.log)
        board = Board(self._found, lambda: 0.0)
        app = application(board, FakeHistory(), Settings(), lambda: NOW, no_run, logs=logs)
        server = Server(app, socket=self.socket, listen=None)
        task = asyncio.create_task(server.run())
        await server.listening.wait()
        self._ready.set()
        await self._stop.wait()
        task.cancel()
        await asyncio.wait([task])
        logs.close()


async def no_run(_: str) -> int | None:
    return None


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def daemon(runtime: Path) -> Iterator[Daemon]:
    made = Daemon(runtime)
    for number in range(3):
        made.journal.write(WEB, f"line {number}", at=int(NOW * 1e6) + number)
    made.start()
    yield made
    made.stop()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["logs", *arguments])


def test_the_lines(daemon: Daemon) -> None:
    done = run("web")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"2027-01-15T08:00:00.000Z line {n}" for n in range(3)]
    assert run("web", "--tail", "1").stdout == "2027-01-15T08:00:00.000Z line 2\n"
    documents = [json.loads(line) for line in run("web", "-n", "2", "--json").stdout.splitlines()]
    assert [document["text"] for document in documents] == ["line 1", "line 2"]


def test_since_as_people_write_it(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + 100)
    assert len(run("web", "--since", "1m40s").stdout.splitlines()) == 3
    assert run("web", "--since", "99s").stdout == ""
    assert len(run("web", "--since", "2027-01-15T08:00:00Z").stdout.splitlines()) == 3
    assert run("web", "--since", "2027-01-15T08:00:01+00:00").stdout == ""
    wrong = run("web", "--since", "yesterday")
    assert wrong.exit_code == 2
    assert "write for example 10m" in wrong.stderr


def test_what_is_refused(daemon: Daemon) -> None:
    done = run("wep")
    assert done.exit_code == 1
    assert done.stderr == 'Error: cannot find a workload "wep"\ndid you mean web?\n'
    assert "it has only one" in run("web", "-c", "db").stderr


def test_nobody_answers(runtime: Path) -> None:
    done = run("web")
    assert done.exit_code != 0
    assert "cannot reach workloadd" in done.stderr


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_it_follows_also_over_a_restart(daemon: Daemon, runtime: Path, form: list[str]) -> None:
    program = "from workloadd.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "logs", "-f", "web", "--tail", "1", *form],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    another = Daemon(runtime)
    another.journal = daemon.journal
    try:
        assert process.stdout and process.stderr
        assert "line 2" in process.stdout.readline()
        daemon.journal.write(WEB, "line 3")
        daemon.journal.write(WEB, "line 3")
        assert "line 3" in process.stdout.readline()
        assert "line 3" in process.stdout.readline()
        daemon.stop()
        assert "workloadd does not answer any more" in process.stderr.readline()
        daemon.journal.write(WEB, "line 4")
        another.start()
        assert "line 4" in process.stdout.readline()
        daemon.journal.write(WEB, "line 5")
        assert "line 5" in process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
        another.stop()
