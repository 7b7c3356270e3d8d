"""How far workloads have come: lines for a pipe, a drawing for a terminal."""

import io
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from workloadd.cli import client, waiting
from workloadd.cli.progress import Progress

NOW = 1_800_000_000.0


def status(state: str, message: str = "", left: float | None = None) -> dict[str, Any]:
    until = None if left is None else datetime.fromtimestamp(NOW + left, UTC).isoformat()
    return {"state": state, "message": message, "rollout": {"until": until}}


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 99


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((60, 24)))
    monkeypatch.setattr(time, "time", lambda: NOW)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_a_line_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.tell("web", status("Pulling", "pulling x\x1b[2J"))
    progress.tell("web", status("RollingOut", "verifying", 3.0))
    progress.tell("web", status("RollingOut", "verifying", 1.0))
    progress.away("web")
    progress.away("web")
    progress.tell("web", status("Ready"))
    assert capsys.readouterr().err.splitlines() == [
        "web: Pulling: pulling x\ufffd[2J",
        "web: RollingOut: verifying",
        "web: workloadd does not answer; asking again",
        "web: Ready",
    ]


def test_nothing_where_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(quiet=True).tell("web", status("Ready"))
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress(many=2)
    progress.tell("web", status("RollingOut", "verifying", 4.0))
    progress.tell("db", status("Ready"))
    progress.tell("web", status("RollingOut", "verifying", 1.0))
    progress.tell("web", status("Ready", "x" * 99))
    assert terminal.getvalue().replace("\x1b[K", "").replace("\r", "").splitlines() == [
        "web: RollingOut: verifying [--------------------] 4 s left",
        "\x1b[1Aweb: RollingOut: verifying [--------------------] 4 s left",
        "db: Ready",
        "\x1b[2Aweb: RollingOut: verifying [###############-----] 1 s left",
        "db: Ready",
        "\x1b[2Aweb: Ready: " + "x" * 47 + "…",
        "db: Ready",
    ]


def test_lines_where_there_are_more_than_the_terminal_has(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    Progress(many=24).tell("web", status("Ready"))
    assert "\x1b" not in terminal.getvalue()


def test_waiting_over_a_restart_and_until_it_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    now, gone = [0.0], iter((False, True, False, True, True, True))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))

    def ask(*_: object) -> tuple[dict[str, Any], float]:
        if next(gone):
            raise client.UnreachableError({"/x.sock": ConnectionRefusedError()})
        return status("RollingOut", "verifying"), now[0]

    monkeypatch.setattr(client, "workload", ask)
    away: list[str] = []
    found = []
    with pytest.raises(
        waiting.LateError, match="web has not settled in time: cannot reach"
    ) as late:
        for one, _ in waiting.looks("web", None, 1.5, away.append):
            found.append(one["state"])
    assert (found, away) == (["RollingOut"] * 2, ["web"] * 4)
    assert late.value.exit_code == 3
