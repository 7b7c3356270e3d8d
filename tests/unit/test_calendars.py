"""Asking systemd about calendar expressions, and what a file gets that systemd refuses."""

from pathlib import Path

import pytest

from workloadd.host import calendar
from workloadd.host.calendar import Calendars
from workloadd.sources.directories import Directories

SCRIPT = """#!/bin/sh
echo "$*" >> {log}
case $4 in
    good*) exit 0 ;;
    slow) exec sleep 60 ;;
esac
echo "Failed to parse calendar specification '$4': Invalid argument" >&2
exit 1
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `systemd-analyze` that keeps a log of how it was called."""
    program, log = tmp_path / "bin/systemd-analyze", tmp_path / "log"
    program.parent.mkdir()
    program.write_text(SCRIPT.format(log=log))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return log


def test_each_expression_is_asked_about_once(log: Path) -> None:
    calendars = Calendars()
    for _ in range(2):
        assert calendars.refusal("good") == ""
        assert calendars.refusal("bad").startswith("Failed to parse calendar specification 'bad'")
    assert log.read_text().splitlines() == [
        "calendar --iterations=1 -- good",
        "calendar --iterations=1 -- bad",
    ]


def test_without_an_answer_nothing_is_refused(
    log: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calendars = Calendars()
    monkeypatch.setattr(calendar, "_TIMEOUT", 0.1)
    assert calendars.refusal("slow") == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert calendars.refusal("bad") == ""
    monkeypatch.setenv("PATH", f"{log.parent}/bin:/usr/bin:/bin")
    monkeypatch.setattr(calendar, "_TIMEOUT", 10)
    assert calendars.refusal("bad"), "it is asked again"


class NoSuchZone(Calendars):
    """Refuses whatever names a zone."""

    def refusal(self, expression: str) -> str:
        return "no such zone" if "/" in expression else ""


def test_what_systemd_refuses_is_an_error_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        "kind: job\nimage: localhost/a:1\nschedule:\n  - daily\n  - Mon 10:00 No/Where\n"
    )
    (tmp_path / "once.yaml").write_text("kind: job\nimage: localhost/a:1\n")
    workloads = Directories([tmp_path], calendars=NoSuchZone()).load().workloads
    assert workloads["job"].spec is None
    (error,) = workloads["job"].errors
    assert (error.line, error.column, error.reason) == (5, 5, "BadSchedule")
    assert 'systemd refuses "Mon 10:00 No/Where": no such zone' in error.message
    assert workloads["once"].spec is not None
