"""`workloadctl doctor`: what it makes of what it sees, and what it says to do."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.fakes.statuses import BAD, GOOD, status
from workloadd.cli import client, doctor, faults
from workloadd.cli.client import Answer, UnreachableError
from workloadd.cli.faults import Finding, Who
from workloadd.cli.main import main
from workloadd.core.errors import Problem
from workloadd.core.host import HostCondition
from workloadd.core.status import HostConditionStatus, Status
from workloadd.host import unit_state as units
from workloadd.host.unit_state import UnitState

ROOT = Who("workloads", 1000, "root", 0)
SELF = Who("workloads", 1000, "workloads", 1000)
OTHER = Who("workloads", 1000, "ann", 1001)
FAILED = UnitState("loaded", "failed", "failed", "exit-code", "78", "enabled", "bad \x1b[2Jkey")


def findings(found: Status, version: str = "0.1.0") -> list[Finding]:
    return list(faults.answered(OTHER, json.loads(found.model_dump_json()), version))


def test_nothing_to_say_of_what_is_well() -> None:
    well = status({"web": GOOD}, {"web": GOOD})
    assert findings(well, well.version) == []


def test_what_the_daemon_says_of_the_host_and_itself() -> None:
    linger = HostConditionStatus(
        type="Linger", status="False", reason="Disabled", message="ends", fix="loginctl …"
    )
    few = replace_(linger, type="Ids", warning=True)
    found = replace_(
        status({"web": GOOD}, {"web": GOOD}),
        host=(linger, few, replace_(linger, type="Bus", status="Unknown")),
        problems=("cannot read a root",),
    )
    told = findings(found, "9.9")
    assert [(one.name, one.level) for one in told] == [
        ("Linger", "fault"),
        ("Ids", "warning"),
        ("Bus", "unknown"),
        ("Version", "warning"),
        ("Files", "warning"),
    ]
    assert told[0].fix == "loginctl …"
    assert told[3].fix == "sudo systemctl --user -M workloads@ restart workloadd.service"


def test_troubled_workloads_have_place_hint_and_where_to_look() -> None:
    found = status({"web": GOOD, "broken": BAD}, {"web": GOOD})
    (one,) = findings(found, found.version)
    assert (one.name, one.level) == ("broken", "fault")
    assert one.message.startswith("Invalid: ")
    assert "broken.yaml:2:9: " in one.message
    hint, where = one.fix.splitlines()
    assert hint.startswith("# write for example ")
    assert where == "workloadctl status broken"


@pytest.mark.parametrize(
    ("who", "level", "fix"),
    [
        (ROOT, "ok", ""),
        (SELF, "ok", ""),
        (OTHER, "warning", "sudo workloadctl doctor"),
        (replace(ROOT, exists=False), "fault", "sudo useradd --create-home"),
    ],
)
def test_whose_daemon_it_is(who: Who, level: str, fix: str) -> None:
    found = faults.account(who)
    assert found.level == level
    assert found.fix.startswith(fix)


@pytest.mark.parametrize(
    ("state", "message", "fix"),
    [
        (FAILED, "does not run: exit-code, exit status 78", "journalctl _UID=1000"),
        (replace(FAILED, exit_status="1"), "exit status 1", "start workloadd.service"),
        (UnitState("loaded", "inactive", "dead", "success", "0", "disabled"),
         "does not run: inactive", "enable --now"),
        (UnitState("masked", "inactive"), "is masked", "unmask"),
        (UnitState("not-found", "inactive"), "is not-found for workloads", "# install"),
        (UnitState("loaded", "active", "running"), "but nothing answers", "restart"),
        (UnitState(problem="no medium"), "no medium", "enable-linger workloads"),
    ],
)  # fmt: skip
def test_why_the_daemon_does_not_answer(state: UnitState, message: str, fix: str) -> None:
    found = list(faults.unit(ROOT, state, "cannot reach workloadd"))
    assert message in found[0].message
    assert fix in found[0].fix
    assert found[-1] == Finding("API", "fault", "cannot reach workloadd")


def test_the_last_line_of_the_log_and_who_asks() -> None:
    first, log, _ = faults.unit(SELF, FAILED, "")
    assert log.message == "the last it said: bad \ufffd[2Jkey"
    assert first.fix.endswith("\nsystemctl --user start workloadd.service")
    first, *_ = faults.unit(OTHER, FAILED, "")
    assert "sudo systemctl --user -M workloads@ start" in first.fix


def test_a_file_one_directory_too_high() -> None:
    (found,) = faults.misplaced({Path("/etc/workloadd"): ["workloadd.toml", "web.yaml"]})
    assert found.message == "/etc/workloadd/web.yaml is not read: it is not in workloads.d"


def replace_(model: Any, **fields: Any) -> Any:
    return model.model_copy(update=fields)


def down(*_: object) -> Answer:
    raise UnreachableError({"/run/x.sock": FileNotFoundError(2, "No such file or directory")})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    monkeypatch.setenv("WORKLOADD_ROOT", str(tmp_path))
    monkeypatch.setattr(units, "unit_state", lambda user, uid: FAILED)

    def go(*arguments: str, color: bool = False) -> Result:
        return CliRunner().invoke(main, ["doctor", *arguments], color=color)

    return go


def test_with_the_daemon_down(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    async def preflight(*_: object) -> tuple[HostCondition, ...]:
        return (HostCondition("Linger", False, "Disabled", "ends", "loginctl …"),)

    me = Who("workloads", os.geteuid(), "workloads", os.geteuid())
    monkeypatch.setattr(doctor, "_who", lambda: me)
    monkeypatch.setattr(doctor, "_preflight", preflight)
    monkeypatch.setattr(client, "get", down)
    done = run()
    assert done.exit_code == 1
    assert "fault   Unit: workloadd.service does not run: exit-code, exit status 78" in done.output
    assert "fault   Linger: ends\n            loginctl …\n" in done.output
    assert "        /run/x.sock: no such file or directory" in done.output.replace("  /", "/")
    assert done.output.endswith("3 faults\n")
    assert "\x1b[" not in done.output
    assert "\x1b[31m" in run(color=True).output
    found = json.loads(run("-o", "json").output)
    assert not found["well"]
    assert found["findings"][0] == {
        "name": "User", "level": "ok", "message": "workloads run as workloads", "fix": "",
    }  # fmt: skip


def test_settings_that_are_wrong(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "_who", lambda: replace(OTHER, asking_uid=1001))
    monkeypatch.setattr(client, "get", down)
    (tmp_path / "etc/workloadd").mkdir(parents=True)
    (tmp_path / "etc/workloadd/workloadd.toml").write_text("[rollout]\nsaok = '1s'\n")
    done = run()
    assert "fault   Settings: " in done.output
    assert "saok" in done.output


def test_with_the_daemon_up(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    def answering(found: Status) -> None:
        answer = Answer(200, {}, found.model_dump_json())
        monkeypatch.setattr(client, "get", lambda *_: answer)

    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.0")
    answering(status({"web": GOOD}, {"web": GOOD}))
    done = run()
    assert done.exit_code == 0
    assert done.output.endswith("nothing is wrong\n")
    answering(status({"broken": BAD}))
    done = run()
    assert done.exit_code == 1
    assert "fault   broken: Invalid: " in done.output


def test_the_host_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem("Missing", "there is no bus")
    condition = HostCondition("Bus", None, problem.reason, problem.message)
    (found,) = faults.conditions([condition])
    assert (found.level, found.message) == ("unknown", "there is no bus")


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_what_systemd_and_the_journal_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    script(tmp_path / "systemctl", "echo $* > $0.called\n"
           "printf 'LoadState=loaded\\nActiveState=failed\\nResult=exit-code\\n'")  # fmt: skip
    script(tmp_path / "journalctl", "echo the last line")
    found = units.unit_state("workloads", 12345)
    assert found == UnitState("loaded", "failed", "", "exit-code", "", "", "the last line")
    assert "--machine workloads@" in (tmp_path / "systemctl.called").read_text()
    script(tmp_path / "journalctl", "exit 1")
    units.unit_state("workloads", os.geteuid())
    assert "--machine" not in (tmp_path / "systemctl.called").read_text()
    script(tmp_path / "systemctl", "echo Failed to connect to bus >&2; exit 1")
    assert units.unit_state("workloads", 12345) == UnitState(problem="Failed to connect to bus")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert units.unit_state("workloads", 1).problem.startswith("cannot run systemctl: ")


@pytest.mark.parametrize(
    ("error", "uid", "made", "advice"),
    [
        (FileNotFoundError(2, "x"), 1000, 1000, "start it:\n    systemctl --user start workloadd"),
        (FileNotFoundError(2, "x"), 1000, None, "start it:\n    systemctl --user start workloadd"),
        (ConnectionRefusedError(1, "x"), 0, 1000, "    systemctl --user -M workloads@ start"),
        (ConnectionRefusedError(1, "x"), 1001, 1000, "    sudo systemctl --user -M workloads@"),
        (TimeoutError("x"), 1000, 1000, "it does not answer; restart it:"),
        (PermissionError(13, "x"), 1001, 1000, "sudo -u workloads XDG_RUNTIME_DIR="),
    ],
)
def test_every_command_says_what_to_run_where_the_daemon_is_away(
    error: OSError, uid: int, made: int | None, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.os, "geteuid", lambda: uid)
    monkeypatch.setattr(client, "_made_for_it", lambda: made)
    assert advice in UnreachableError({"there": error}).message
