"""`workloadctl exec`: which container, and what is passed on to Podman."""

import os
import shutil
from typing import Any

import pytest
from click.testing import CliRunner, Result

from workloadd.cli import owner
from workloadd.cli.main import main

WEB = {
    "name": "web", "state": "Ready", "message": "", "containers": [],
    "current": {"container": "a" * 64, "state": "running"},
}  # fmt: skip
POD = WEB | {
    "name": "duo",
    "containers": [
        {"name": "app", "container": "b" * 64, "state": "running"},
        {"name": "side", "container": "c" * 64, "state": "running"},
        {"name": "first", "container": "d" * 64, "state": "exited"},
    ],
}


class ExecutedError(Exception):
    """This process has become another."""


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    found: list[list[str]] = []

    def execv(path: str, arguments: list[str]) -> None:
        assert path == "/usr/bin/podman"
        found.append(arguments[1:])
        raise ExecutedError

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/podman")
    return found


@pytest.fixture(autouse=True)
def statuses(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    known: dict[str, Any] = {"web": WEB, "duo": POD}
    monkeypatch.setattr(owner, "as_owner", lambda name, *_: known[name])
    return known


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["exec", *arguments])


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["web", "ls", "-l", "--help"], ["a" * 64, "ls", "-l", "--help"]),
        (["-it", "web"], ["--interactive", "--tty", "a" * 64, "sh"]),
        (["web"], ["a" * 64, "sh"]),
        (["-i", "duo/side", "--", "cat", "--"], ["--interactive", "c" * 64, "cat", "--"]),
        (
            ["-u", "1:2", "-w", "/tmp", "duo/app", "id"],
            ["--user=1:2", "--workdir=/tmp", "b" * 64, "id"],
        ),
    ],
)
def test_what_podman_is_told(given: list[str], passed: list[str], called: list[list[str]]) -> None:
    assert isinstance(run(*given).exception, ExecutedError)
    assert called == [["exec", *passed]]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("duo", "duo has several containers; name one of them:\n    workloadctl exec duo/app …\n"),
        ("duo/first", "cannot run a command in duo/first: it does not run\n"),
        ("duo/none", "cannot find a container none in duo\nthere are: app, side, first\n"),
        ("web/app", "cannot find a container app in web\nits only one is meant by web\n"),
    ],
)
def test_no_such_container(target: str, said: str, called: list[list[str]]) -> None:
    done = run(target, "true")
    assert (done.exit_code, called) == (1, [])
    assert said in done.output


def test_none_that_runs(statuses: dict[str, Any], called: list[list[str]]) -> None:
    for current in (None, {"container": "a" * 64, "state": "exited"}):
        statuses["web"] = WEB | {"state": "Failed", "message": "it crashes", "current": current}
        done = run("web")
        assert (done.exit_code, called) == (1, [])
        assert "cannot run a command in web: it does not run (Failed: it crashes)" in done.output


def test_no_podman(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "cannot find podman" in run("web").output
