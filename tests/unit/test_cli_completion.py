"""Shells complete commands, options and workloads; the man page says what the help says."""

import json
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from workloadd.cli import client
from workloadd.cli.client import Answer
from workloadd.cli.main import main
from workloadd.docs import man

PARTS = {"worker": [{"name": "app"}, {"name": "side"}]}
NAMES = json.dumps(
    {"workloads": [{"name": n, "containers": PARTS.get(n, [])} for n in ("web", "worker", "db")]}
)


def completed(*words: str) -> list[str]:
    """What the last word, which is not complete, may become."""
    *before, last = words
    found = ShellComplete(main, {}, "workloadctl", "_X").get_completions(before, last)
    return [item.value for item in found]


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    asked = []

    def ask(place: str, _method: str, _path: str, _accept: str, timeout: float) -> Answer:
        asked.append((place, timeout))
        return Answer(200, {}, NAMES)

    monkeypatch.setattr(client, "ask", ask)
    return asked


def test_commands_and_options() -> None:
    assert completed("st") == ["start", "status", "stop"]
    assert completed("--ver") == ["--version"]
    assert "--timeout" in completed("apply", "--ti")
    assert completed("completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.usefixtures("daemon")
def test_names_of_workloads() -> None:
    assert completed("status", "w") == ["web", "worker"]
    assert completed("restart", "web", "w") == ["worker"]
    for verb in ("history", "diff", "rollback", "run", "update", "pause", "stop"):
        assert completed(verb, "d") == ["db"]


@pytest.mark.usefixtures("daemon")
def test_names_of_containers() -> None:
    assert completed("exec", "-it", "w") == ["web", "worker/app", "worker/side"]
    assert completed("exec", "worker/s") == ["worker/side"]
    assert completed("logs", "worker", "-c", "a") == ["app"]
    assert completed("logs", "web", "-c", "") == []


def test_they_are_asked_for_where_the_command_would_ask(daemon: list[tuple[str, float]]) -> None:
    completed("status", "--socket", "/run/x.sock", "w")
    assert daemon == [("/run/x.sock", 0.5)]


@pytest.mark.parametrize(
    "answer",
    [
        OSError("away"),
        TimeoutError("slow"),
        HTTPException("garbage"),
        click.BadParameter("no URL"),
        Answer(503, {}, "{}"),
        Answer(200, {}, "garbage"),
        Answer(200, {}, "[]"),
    ],
)
def test_nothing_is_said_where_they_cannot_be_known(
    answer: Exception | Answer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def ask(*_: object) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(client, "ask", ask)
    assert completed("status", "w") == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_WORKLOADCTL_COMPLETE={shell}_complete" in done.output
    assert CliRunner().invoke(main, ["completion", "csh"]).exit_code == 2


def test_bash_completes(tmp_path: Path) -> None:
    program = "from workloadd.cli.main import main; main(prog_name='workloadctl')"
    command = tmp_path / "workloadctl"
    root = Path(__file__).parents[2]
    command.write_text(f'#!/bin/sh\ncd {root}\nexec {sys.executable} -c "{program}" "$@"\n')
    command.chmod(0o755)
    script = (
        f'eval "$({command} completion bash)"; COMP_WORDS=({command} sta); COMP_CWORD=1;'
        f' _workloadctl_completion {command}; echo "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("start status\n", "")


def test_the_man_page_has_every_command_and_option() -> None:
    page = man.page()
    for verb in main.list_commands(click.Context(main)):
        assert f"\n.SS {verb}" in page
    assert "\n.B \\-\\-strict\n" in page
    assert "\n.SH EXIT STATUS\n.TP\n.B 0\n" in page


def test_text_of_the_man_page_is_no_request_of_roff() -> None:
    assert list(man._text("one\n.two\n'three\n\n\b\na  \\b-c")) == [
        "one", r"\&.two", r"\&'three", ".PP", ".nf", r"a  \eb\-c", ".fi",
    ]  # fmt: skip
    known = (".TH", ".SH", ".SS", ".TP", ".PP", ".B ", ".BR", ".nf", ".fi")
    requests = [line for line in man.page().splitlines() if line.startswith((".", "'"))]
    assert all(line.startswith(known) for line in requests)


@pytest.mark.parametrize("words", [["--version"], ["plan", "--help"], ["status", "--help"]])
def test_only_what_is_needed_is_imported(words: list[str]) -> None:
    heavy = ["aiohttp", "prometheus_client", "podman", "dbus_fast", "ruamel.yaml", "sqlite3"]
    program = (
        "import sys; from workloadd.cli.main import main; main(standalone_mode=False);"
        f" sys.exit(' '.join(m for m in {heavy} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, "\n")
