"""`workloadctl inspect`: one document, without what may be a secret."""

import json
import subprocess
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from workloadd.cli import owner
from workloadd.cli.client import Answer
from workloadd.cli.inspected import essentials
from workloadd.cli.main import main

SECRET = "hunter2"
CURRENT, OLD = "a" * 64, "b" * 64
STATUS = {
    "name": "web", "files": ["/etc/web.yaml"], "containers": [], "next": None,
    "current": {"container": CURRENT}, "previous": {"container": OLD}, "older": [],
}  # fmt: skip
PODMAN = {
    "Id": CURRENT,
    "Name": "web",
    "Path": SECRET,
    "Args": [SECRET],
    "State": {"Status": "running", "Pid": 7, "Healthcheck": SECRET},
    "Config": {
        "Env": [f"PASSWORD={SECRET}"],
        "Cmd": [SECRET],
        "CreateCommand": [SECRET],
        "Annotations": {"x": SECRET},
        "Labels": {"io.workloadd.workload": "web", "theirs": SECRET},
    },
    "HostConfig": {"NetworkMode": "bridge", "Binds": [SECRET]},
    "NetworkSettings": {"Ports": {}, "Networks": {"podman": {"IPAddress": "10.0.0.2"}}},
    "Mounts": [{"Type": "bind", "Source": "/a", "Destination": "/b"}],
}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run; Podman knows one of the containers."""
    found: list[list[str]] = []

    def run(command: tuple[str, ...], **_: object) -> subprocess.CompletedProcess[str]:
        found.append([*command])
        if command[0] == "systemctl":
            return subprocess.CompletedProcess(command, 0, "# /x/workload-web.service\n[Unit]\n")
        if command[-1] == OLD:
            return subprocess.CompletedProcess(command, 125, "", "no such container")
        return subprocess.CompletedProcess(command, 0, json.dumps([PODMAN]))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(owner, "as_owner", lambda *_: STATUS)
    return found


def test_what_podman_says_is_shown_without_what_may_be_a_secret() -> None:
    shown = essentials(PODMAN)
    assert SECRET not in json.dumps(shown)
    assert shown["State"] == {"Status": "running", "Pid": 7}
    assert shown["Config"] == {"Labels": {"io.workloadd.workload": "web"}}
    assert shown["Networks"] == {"podman": {"IPAddress": "10.0.0.2"}}
    assert shown["Mounts"] == [{"Type": "bind", "Source": "/a", "Destination": "/b"}]


def test_one_document(ran: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(200, {}, json.dumps({"spec": {"image": "x"}}))
    monkeypatch.setattr(owner, "owner_get", lambda *_: answer)
    done = CliRunner().invoke(main, ["inspect", "web"])
    assert done.exit_code == 0
    document: dict[str, Any] = yaml.safe_load(done.output)
    assert document["spec"] == {"image": "x"}
    assert document["units"].startswith("# /x/workload-web.service\n")
    current, previous = document["containers"]
    assert (current["deployment"], current["Name"]) == ("current", "web")
    assert previous["deployment"] == "previous"
    assert "no such container" in previous["problem"]
    assert document["status"] == STATUS
    as_json = CliRunner().invoke(main, ["inspect", "web", "-o", "json"])
    assert json.loads(as_json.output) == document
    assert ran[0][-2:] == ["workload-web.*", "workload-web_*"]


def test_what_cannot_be_found_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Answer:
        raise click.ClickException("cannot show it: its file is invalid")

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(owner, "as_owner", lambda *_: STATUS)
    monkeypatch.setattr(owner, "owner_get", refuse)
    monkeypatch.setattr(subprocess, "run", missing)
    done = CliRunner().invoke(main, ["inspect", "web"])
    document = yaml.safe_load(done.output)
    assert document["spec"] == "cannot show it: its file is invalid"
    assert "cannot run systemctl" in document["units"]
    assert "cannot run podman" in document["containers"][0]["problem"]
