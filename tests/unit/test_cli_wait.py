"""`workloadctl wait`: how long, for what, and what it says when that does not come."""

import click
import pytest
from click.testing import CliRunner, Result

from workloadd.cli import client, wait
from workloadd.cli.client import Answer
from workloadd.cli.main import main


class Daemon:
    """Answers, one after the other; the last one for ever. Time passes by waiting alone."""

    def __init__(self, *answers: Answer | str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.now = 0.0

    def get(self, path: str, accept: str, url: str | None, unix: str | None) -> Answer:
        self.asked.append(path)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, str):
            raise click.ClickException(found)
        return found

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def run(monkeypatch: pytest.MonkeyPatch, daemon: Daemon, *arguments: str) -> Result:
    monkeypatch.setattr(client, "get", daemon.get)
    monkeypatch.setattr(wait.time, "sleep", daemon.sleep)
    monkeypatch.setattr(wait.time, "monotonic", lambda: daemon.now)
    return CliRunner().invoke(main, ["wait", *arguments])


OK = Answer(200, {}, "ok\n")
UNREADY = Answer(503, {}, "web: its unit failed\n")


def test_as_soon_as_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon("cannot reach workloadd", "cannot reach workloadd", OK)
    result = run(monkeypatch, daemon)
    assert (result.exit_code, result.output) == (0, "")
    assert (daemon.asked, daemon.now) == (["/healthz"] * 3, 1.0)


def test_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(UNREADY, OK)
    assert run(monkeypatch, daemon, "--ready").exit_code == 0
    assert daemon.asked == ["/readyz"] * 2


def test_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(UNREADY)
    result = run(monkeypatch, daemon, "--ready", "--timeout", "1m10s")
    assert (result.exit_code, result.output) == (3, "Error: web: its unit failed\n")
    assert daemon.now == 70.0
    result = run(monkeypatch, Daemon("cannot reach workloadd"), "--timeout", "0")
    assert (result.exit_code, result.output) == (3, "Error: cannot reach workloadd\n")


def test_a_wrong_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, Daemon(OK), "--timeout", "soon")
    assert result.exit_code == 2
    assert "--timeout" in result.output
