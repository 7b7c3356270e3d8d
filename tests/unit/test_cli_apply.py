"""`workloadctl apply`: checked first, then all or none, and what it tells of it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from workloadd.cli import apply as command
from workloadd.cli import client, facts, settle
from workloadd.cli.client import Answer
from workloadd.cli.main import main

GOOD = 'image: docker.io/library/nginx:1.27\nports: ["8080:80"]\n'
BAD = 'image: docker.io/library/nginx:1.27\nports: ["80a:80"]\n'
SECRET = "environment:\n  PASSWORD: hunter2\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root to apply to; the current directory is beside it."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "root"
    made.mkdir()
    return made


def there(root: Path) -> Path:
    return root / "etc/workloadd/workloads.d"


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def run(root: Path, *arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["apply", "--root", str(root), *arguments], input=stdin)


def test_created_then_unchanged_then_changed(root: Path) -> None:
    write("web.yaml", GOOD)
    file = there(root) / "web.yaml"
    done = run(root, "-f", "web.yaml")
    assert (done.exit_code, done.output) == (0, f"{file}: created\n")
    assert file.read_text() == GOOD
    inode = file.stat().st_ino
    done = run(root, "-f", "web.yaml")
    assert (done.exit_code, done.output) == (0, f"{file}: unchanged\n")
    assert file.stat().st_ino == inode
    write("web.yaml", GOOD.replace("8080", "8081"))
    assert run(root, "-f", "web.yaml").output == f"{file}: changed\n"
    assert "8081" in file.read_text()


def test_check_writes_nothing_and_tells_by_its_exit_status(root: Path) -> None:
    write("web.yaml", GOOD)
    done = run(root, "--check", "-f", "web.yaml")
    assert done.exit_code == 10
    assert done.output.endswith("web.yaml: would be created\n")
    assert list(root.iterdir()) == []
    run(root, "-f", "web.yaml")
    done = run(root, "--check", "-f", "web.yaml")
    assert done.exit_code == 0
    assert done.output.endswith("web.yaml: unchanged\n")


def test_json_for_tools(root: Path) -> None:
    write("web.yaml", GOOD)
    for arguments, changed, dry in (
        (["--check"], True, True),
        ([], True, False),
        ([], False, False),
    ):
        done = run(root, "-o", "json", "-f", "web.yaml", *arguments)
        found = json.loads(done.output)
        assert (found["changed"], found["check"], found["workloads"]) == (changed, dry, ["web"])
        (file,) = found["files"]
        assert file["path"] == str(there(root) / "web.yaml")
        assert file["change"] == ("created" if changed else "unchanged")
        assert found["findings"]["valid"]


def test_one_error_and_nothing_is_applied(root: Path) -> None:
    write("d/web.yaml", GOOD)
    write("d/db.yaml", BAD)
    done = run(root, "-f", "d")
    assert done.exit_code == 1
    assert "d/db.yaml:2:9: error: cannot accept ports[0]" in done.output
    assert 'ports: ["80a:80"]' in done.output
    assert "nothing was changed" in done.output
    assert list(root.iterdir()) == []
    done = run(root, "-o", "json", "-f", "d")
    found = json.loads(done.output)
    assert (done.exit_code, found["changed"], found["findings"]["valid"]) == (1, False, False)


def test_strict(root: Path) -> None:
    write("web.yaml", "image: docker.io/library/nginx\n")
    assert run(root, "--strict", "-f", "web.yaml").exit_code == 1
    assert list(root.iterdir()) == []
    done = run(root, "-f", "web.yaml")
    assert done.exit_code == 0
    assert "warning" in done.output


def test_standard_input_needs_a_name(root: Path) -> None:
    assert run(root, "-f", "-", "--name", "web", stdin=GOOD).exit_code == 0
    assert (there(root) / "web.yaml").read_text() == GOOD
    assert run(root, "-f", "-", stdin=GOOD).exit_code == 2
    assert run(root, "-f", "-", "--name", "../web", stdin=GOOD).exit_code == 2
    done = run(root, "-f", "-", "--name", "db", stdin=BAD)
    assert done.exit_code == 1
    assert "standard input:2:9: error" in done.output


def test_drop_ins_go_with_their_file_or_alone(root: Path) -> None:
    write("d/web.yaml", GOOD)
    write("d/web.yaml.d/10-limit.yaml", "labels: {tier: front}\n")
    write("d/web.yaml.d/README", "not a drop-in")
    assert run(root, "-f", "d").exit_code == 0
    assert (there(root) / "web.yaml.d/10-limit.yaml").exists()
    assert not (there(root) / "web.yaml.d/README").exists()
    write("web.yaml.d/20-more.yaml", "labels: {zone: a}\n")
    done = run(root, "-o", "json", "-f", "web.yaml.d/20-more.yaml")
    assert json.loads(done.output)["workloads"] == ["web"]
    write("web.yaml.d/20-more.yaml", "lables: {zone: a}\n")
    done = run(root, "-f", "web.yaml.d")
    assert done.exit_code == 1
    assert "web.yaml.d/20-more.yaml:1:1: error" in done.output
    assert "zone" in (there(root) / "web.yaml.d/20-more.yaml").read_text()


def test_what_was_wrong_before_is_no_obstacle_but_what_it_brings_is(root: Path) -> None:
    write("web.yaml", GOOD)
    run(root, "-f", "web.yaml")
    (there(root) / "broken.yaml").write_text(BAD)
    write("a.yaml", GOOD)
    done = run(root, "-f", "a.yaml")
    assert done.exit_code == 1
    assert "8080" in done.output
    write("a.yaml", GOOD.replace("8080", "8090"))
    assert run(root, "-f", "a.yaml").exit_code == 0


def test_the_same_workload_under_another_suffix(root: Path) -> None:
    write("web.yaml", GOOD)
    write("web.yml", GOOD)
    run(root, "-f", "web.yaml")
    done = run(root, "-f", "web.yml")
    assert done.exit_code == 1
    assert "web.yaml is there, for the same workload" in done.output


def test_a_stronger_file_of_the_same_name_is_told_of(root: Path) -> None:
    (root / "run/workloadd/workloads.d").mkdir(parents=True)
    (root / "run/workloadd/workloads.d/web.yml").symlink_to("/dev/null")
    write("web.yaml", GOOD)
    done = run(root, "-f", "web.yaml")
    assert done.exit_code == 0
    assert "web.yaml is without effect on this host: " in done.output
    assert "run/workloadd/workloads.d/web.yml is stronger" in done.output


def test_the_difference_without_what_may_be_secret(root: Path) -> None:
    write("web.yaml", GOOD)
    run(root, "-f", "web.yaml")
    write("web.yaml", GOOD.replace("8080", "8081") + SECRET)
    done = run(root, "--check", "--diff", "-f", "web.yaml")
    assert '-ports: ["8080:80"]' in done.output
    assert '+ports: ["8081:80"]' in done.output
    assert "+  PASSWORD" in done.output or "+environment" in done.output
    assert "hunter2" not in done.output
    done = run(root, "--check", "--diff", "-o", "json", "-f", "web.yaml")
    diff = json.loads(done.output)["files"][0]["diff"]
    assert '+ports: ["8081:80"]' in diff
    assert "hunter2" not in done.output


def test_a_mask_is_replaced_by_what_is_applied(root: Path) -> None:
    there(root).mkdir(parents=True)
    (there(root) / "web.yaml").symlink_to("/dev/null")
    write("web.yaml", GOOD)
    assert run(root, "-f", "web.yaml").output.endswith("created\n")
    assert (there(root) / "web.yaml").read_text() == GOOD


def test_links_do_not_lead_out_of_a_directory_that_is_applied(root: Path) -> None:
    write("secret", "key: hunter2\n")
    Path("d").mkdir()
    Path("d/web.yaml").symlink_to("../secret")
    done = run(root, "-f", "d")
    assert done.exit_code == 1
    assert "d/web.yaml: it is a link that leads out of its directory" in done.output
    assert "hunter2" not in done.output


def test_links_do_not_lead_the_writing_anywhere(root: Path) -> None:
    Path("elsewhere").mkdir()
    (root / "etc").symlink_to("../elsewhere")
    write("web.yaml", GOOD)
    done = run(root, "-f", "web.yaml")
    assert done.exit_code == 1
    assert "etc on the way there is a symbolic link" in done.output
    assert list(Path("elsewhere").iterdir()) == []


def test_wrong_calls(root: Path) -> None:
    write("web.txt", GOOD)
    write("a/web.yaml", GOOD)
    write("b/web.yaml", GOOD)
    assert run(root).exit_code == 2
    assert run(root, "--user", "-f", "a").exit_code == 2
    assert run(root, "--wait", "-f", "a").exit_code == 2
    done = run(root, "-f", "web.txt")
    assert (done.exit_code, "NAME.yaml" in done.output) == (1, True)
    done = run(root, "-f", "a", "-f", "b")
    assert done.exit_code == 1
    assert "two files called web.yaml: a/web.yaml and b/web.yaml" in done.output
    done = run(root, "-f", "nothing.yaml")
    assert "cannot read nothing.yaml: no such file or directory" in done.output


def test_the_users_own_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(root / "config"))
    write("web.yaml", GOOD)
    monkeypatch.setattr(command.os, "geteuid", lambda: 0)
    done = CliRunner().invoke(main, ["apply", "--user", "-f", "web.yaml"])
    assert done.exit_code == 2
    assert "sudo -u workloads workloadctl apply --user" in done.output
    monkeypatch.setattr(command.os, "geteuid", lambda: 1000)
    assert CliRunner().invoke(main, ["apply", "--user", "-f", "web.yaml"]).exit_code == 0
    assert (root / "config/workloadd/workloads.d/web.yaml").exists()


def test_who_may_not_write_is_told_what_to_do(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    write("web.yaml", GOOD)
    monkeypatch.setattr("workloadd.cli.apply.os.geteuid", lambda: 1000)
    monkeypatch.setattr("workloadd.host.placing.Placing.put", refused)
    done = run(root, "-f", "web.yaml")
    assert done.exit_code == 1
    assert "permission denied\nrun it with sudo, or with --user" in done.output


class Daemon:
    """Answers one status after the other, and time passes by waiting alone."""

    def __init__(self, *answers: dict[str, Any] | str | int) -> None:
        self.answers = list(answers)
        self.now = 0.0

    def get(self, *_: object) -> Answer:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, str):
            raise click.ClickException(found)
        if isinstance(found, int):
            return Answer(found, {}, json.dumps({"detail": "cannot find it"}))
        looked = found.get("looked", 2e9)
        return Answer(200, {"workloadd-looked": str(looked)}, json.dumps(found))

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def waiting(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Applies web.yaml with --wait while the daemon answers so."""
    write("web.yaml", GOOD)
    monkeypatch.setenv("WORKLOADD_ROOT", str(root))
    monkeypatch.setattr(command.time, "time", lambda: 1e9)

    def go(*answers: dict[str, Any] | str | int, more: tuple[str, ...] = ()) -> Result:
        daemon = Daemon(*answers)
        monkeypatch.setattr(client, "get", daemon.get)
        monkeypatch.setattr(settle.time, "sleep", daemon.sleep)
        monkeypatch.setattr(settle.time, "monotonic", lambda: daemon.now)
        return CliRunner().invoke(main, ["apply", "-f", "web.yaml", "--wait", *more])

    yield go


def status(state: str, message: str = "", reason: str = "Converged", **more: Any) -> dict[str, Any]:
    conditions = [{"type": "Converged", "reason": reason}]
    return {"state": state, "message": message, "conditions": conditions, "rollout": None, **more}


def test_it_is_waited_for_what_the_daemon_makes_of_it(waiting: Any) -> None:
    stale = status("Ready", looked=5e8)
    done = waiting(404, stale, status("Pulling", "pull it", "Working"), status("Ready"))
    assert done.exit_code == 0
    assert done.stderr.splitlines() == ["web: Pulling: pull it", "web: Ready"]
    assert done.stdout.endswith("web.yaml: created\n")


def test_what_does_not_come_out_well(waiting: Any) -> None:
    done = waiting(status("Degraded", "rolled back"), more=("-o", "json"))
    assert done.exit_code == 3
    found = json.loads(done.stdout)["settled"]
    assert found == [{"name": "web", "state": "Degraded", "message": "rolled back", "good": False}]


def test_what_does_not_come_in_time(waiting: Any) -> None:
    done = waiting("cannot reach workloadd", more=("--timeout", "3s"))
    assert done.exit_code == 3
    assert "web has not settled in time: cannot reach workloadd" in done.stderr


def test_the_daemons_user_is_who_its_roots_files_are_for() -> None:
    assert facts.paths(Path("/sysroot")).workload_roots[1] == Path(
        "/sysroot/etc/workloadd/workloads.d"
    )
    assert os.environ.get("WORKLOADD_ROOT") is None
