"""`workloadctl plan`: what would be done, in words."""

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.fakes.statuses import BAD, GOOD, NOW, SECRET, world
from workloadd.cli import plan as command
from workloadd.cli.main import main
from workloadd.cli.preview import WorkloadPreview, steps_of
from workloadd.core.desired import Desired
from workloadd.core.memory import Memory
from workloadd.core.rollout import Policy
from workloadd.settings import Paths
from workloadd.spec.model import ServiceSpec

CHANGED = GOOD.replace("8080", "8081")


def steps(
    files: dict[str, str], running_as: dict[str, str] | None = None
) -> dict[str, WorkloadPreview]:
    desired, observed = world(files, running_as)
    return {w.name: w for w in steps_of(desired, observed, Memory(), Policy(), NOW)}


def test_nothing_to_do() -> None:
    found = steps({"web": GOOD}, {"web": GOOD})["web"]
    assert found.steps == ()
    assert found.idle.startswith("nothing to do")


def test_a_changed_file_is_rolled_out() -> None:
    found = steps({"web": CHANGED}, {"web": GOOD})["web"]
    assert "the workload file changed" in found.why
    assert any(step.startswith("create a container") for step in found.steps)
    assert found.steps[-1] == "restart the unit"


def test_a_new_workload_is_pulled_first_and_then_started() -> None:
    found = steps({"web": GOOD})["web"]
    assert found.steps[0] == "pull docker.io/library/nginx:1.27 (missing)"
    assert found.steps[1] == "begin the rollout of the new revision: new workload"
    assert found.steps[-1] == "start the unit"
    assert "000000" not in f"{found.why} {found.steps}"


@pytest.mark.parametrize("policy", ["always", "newer"])
def test_what_is_as_declared_is_not_pulled_again(policy: str) -> None:
    text = f"{GOOD}pull: {policy}\n"
    assert steps({"web": text}, {"web": text})["web"].steps == ()
    changed = steps({"web": f"{CHANGED}pull: {policy}\n"}, {"web": text})["web"]
    assert changed.steps[0] == f"pull docker.io/library/nginx:1.27 ({policy})"


def test_an_image_that_must_not_be_pulled_is_not() -> None:
    found = steps({"web": GOOD + "pull: never\n"})["web"]
    assert found.steps == ()
    assert "not in local storage" in found.idle


def test_a_broken_file_leaves_what_runs() -> None:
    found = steps({"web": BAD}, {"web": GOOD})["web"]
    assert found.steps == ()
    assert "stays as it is" in found.idle
    assert "web.yaml:2:9" in found.errors[0]


def test_a_removed_file_takes_its_workload_with_it() -> None:
    found = steps({}, {"web": GOOD})["web"]
    assert "its workload file is gone" in found.why
    assert "delete the unit" in found.steps


def test_no_value_of_the_environment_is_shown() -> None:
    shown = str([*steps({"web": GOOD}).values(), *steps({"web": CHANGED}, {"web": GOOD}).values()])
    assert SECRET not in shown


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths.under(tmp_path)
    found.workload_roots[1].mkdir(parents=True)
    return found


def load(paths: Paths, *files: Path) -> Desired:
    with ExitStack() as stack:
        return command._source(paths, files, stack).load()


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_given_file_is_as_if_it_had_been_dropped(paths: Paths, tmp_path: Path) -> None:
    etc = paths.workload_roots[1]
    put(etc / "web.yaml", GOOD)
    put(etc / "site.env", "KEY=value\n")
    given = put(tmp_path / "mine/web.yaml", CHANGED + "env_file: site.env\nvolumes: [./a:/a]\n")
    dropped = load(paths, given).workloads["web"]
    put(etc / "web.yaml", given.read_text())
    assert dropped == load(paths).workloads["web"]


def test_a_stronger_root_still_wins(paths: Paths, tmp_path: Path) -> None:
    etc, run = paths.workload_roots[1:3]
    put(run / "web.yaml", GOOD)
    given = put(tmp_path / "web.yaml", CHANGED)
    found = load(paths, given).workloads["web"]
    assert found.path == str(run / "web.yaml")
    assert found.shadows == (str(etc / "web.yaml"),)


def test_drop_ins_and_facts_of_the_host_count(paths: Paths, tmp_path: Path) -> None:
    etc = paths.workload_roots[1]
    dropin = put(etc / "web.yaml.d/10-name.yaml", "hostname: ${SITE}\n")
    put(paths.facts_roots[1] / "site.env", "SITE=berlin\n")
    put(tmp_path / "mine/web.yaml", GOOD)
    mine = put(tmp_path / "mine/web.yaml.d/20-more.yaml", "description: more\n")
    found = load(paths, tmp_path / "mine").workloads["web"]
    assert isinstance(found.spec, ServiceSpec)
    assert (found.spec.hostname, found.spec.description) == ("berlin", "more")
    assert found.files == (str(etc / "web.yaml"), str(dropin), str(etc / "web.yaml.d" / mine.name))


def test_a_directory_of_files(paths: Paths, tmp_path: Path) -> None:
    put(paths.workload_roots[1] / "db.yaml", GOOD)
    put(tmp_path / "mine/web.yaml", CHANGED)
    put(tmp_path / "mine/notes.txt", "")
    assert set(load(paths, tmp_path / "mine").workloads) == {"db", "web"}


def test_an_error_in_a_given_file_has_the_place_where_it_would_be(
    paths: Paths, tmp_path: Path
) -> None:
    given = put(tmp_path / "web.yaml", BAD)
    (error,) = load(paths, given).workloads["web"].errors
    assert error.file == str(paths.workload_roots[1] / "web.yaml")


def test_a_file_with_another_name_is_refused(paths: Paths, tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match=r"NAME\.yaml"):
        load(paths, put(tmp_path / "web.yaml.new", GOOD))


def test_root_is_told_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    given = put(tmp_path / "my web.yaml", GOOD)
    done = CliRunner().invoke(main, ["plan", str(given)])
    assert done.exit_code == 1
    wanted = "sudo -u workloads XDG_RUNTIME_DIR=/run/user/$(id -u workloads) workloadctl plan"
    assert f"{wanted} '{given}'" in done.output


def test_a_host_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("WORKLOADD_ROOT", str(tmp_path))
    for variable in ("HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    done = CliRunner().invoke(main, ["plan"])
    assert done.exit_code == 1
    assert done.output.startswith("Error: cannot ")
    assert "sudo -u workloads" in done.output


def test_the_words_of_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    web = steps({"web": CHANGED}, {"web": GOOD})["web"]
    broken = replace(web, name="broken", steps=(), errors=("a.yaml:1:1: cannot",), why="invalid")
    for workload in (web, broken):
        command._show_workload(workload)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"web: {web.why}"
    assert lines[1].startswith("  1. ")
    assert lines[-2:] == ["broken: nothing to do (invalid)", "  a.yaml:1:1: cannot"]
