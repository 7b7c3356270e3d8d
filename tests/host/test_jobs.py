"""Jobs on the host: begun by the file, a timer or by hand; retried, bounded, remembered."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX
from workloadd.core.names import unit_name

EVERY_TWO_SECONDS = 'schedule: "*:*:0/2"'
EACH_RUN_IS_NEW = "echo run >> /count; cat /count; hostname"


def job(script: str, *more: str) -> str:
    """A job that runs a shell script."""
    lines = ("kind: job", f"image: {BUSYBOX}", f"command: [sh, -c, {json.dumps(script)}]")
    return "\n".join((*lines, "stop_timeout: 1s", *more)) + "\n"


def runs(host: Host, name: str) -> list[Document]:
    """The runs in the status, the newest first."""
    found: list[Document] = (host.status(name).get("job") or {}).get("runs", [])
    return found


def ended(host: Host, name: str, count: int = 1) -> list[Document]:
    """Wait for so many runs that have ended."""

    def look() -> list[Document] | None:
        found = [run for run in runs(host, name) if run["outcome"]]
        return found if len(found) >= count else None

    return host.wait_until(look, f"{count} runs of {name} to end", 60)


def logs(host: Host, name: str) -> list[list[str]]:
    """The last lines of each run, which are given on the Unix socket alone."""
    done = host.exec("workloadctl", "history", "--json", name)
    return [run["log"] for run in json.loads(done.stdout)["runs"]]


def timer(name: str) -> str:
    return unit_name(name, suffix=".timer")


class TestOnce:
    def test_it_runs_to_its_end_and_again_when_its_file_changes(
        self, host: Host, name: str
    ) -> None:
        host.write_workload(name, job("echo one; sleep 0.3"))
        status = host.wait_for(name, "Completed")
        (run,) = status["job"]["runs"]
        assert (run["trigger"], run["attempt"], run["outcome"]) == ("revision", 1, "succeeded")
        assert run["exit_code"] == 0
        assert 0.2 < run["duration"] < 10
        assert logs(host, name) == [["one"]]
        assert host.history(name)["runs"][0]["log"] != ["one"], "log lines over TCP"
        assert host.history(name)["rollouts"][0]["outcome"] == "stable"
        host.look_again()
        assert len(runs(host, name)) == 1
        host.write_workload(name, job("echo two"))
        assert len(ended(host, name, 2)) == 2
        host.wait_for(name, "Completed")
        assert logs(host, name)[0] == ["two"]
        assert len(host.containers(name)) == 1

    def test_one_that_fails_is_tried_again_as_often_as_it_says(self, host: Host, name: str) -> None:
        host.write_workload(name, job("echo no; exit 3", "retries: 2", "retry_delay: 1s"))
        status = host.wait_for(name, "Failed")
        found = [(r["attempt"], r["outcome"], r["exit_code"]) for r in status["job"]["runs"]]
        assert found == [(3, "failed", 3), (2, "failed", 3), (1, "failed", 3)]
        assert host.history(name)["rollouts"][0]["problem"]["reason"] == "RunFailed"
        assert "exit code 3" in status["message"]
        host.look_again()
        assert len(runs(host, name)) == 3

    def test_one_that_takes_too_long_is_stopped(self, host: Host, name: str) -> None:
        host.write_workload(name, job("echo begun; sleep 60", "timeout: 1s"))
        status = host.wait_for(name, "Failed")
        (run,) = status["job"]["runs"]
        assert run["outcome"] == "timeout"
        assert run["duration"] >= 1
        assert "took longer than its timeout" in status["message"]
        assert host.unit(name, "Result") == {"Result": "timeout"}

    def test_one_that_cannot_be_started_says_why(self, host: Host, name: str) -> None:
        host.write_workload(name, f"kind: job\nimage: {BUSYBOX}\ncommand: /no/such/program\n")
        status = host.wait_for(name, "Failed")
        (run,) = status["job"]["runs"]
        assert (run["outcome"], run["exit_code"]) != ("succeeded", 0)
        assert "/no/such/program" in json.dumps(logs(host, name))

    def test_by_hand(self, host: Host, name: str) -> None:
        host.write_workload(name, job("echo here; sleep 1"))
        host.wait_for(name, "Completed")
        first = host.containers(name)[0]["Id"]
        done = host.exec("workloadctl", "run", name, "--wait")
        assert "succeeded" in done.stdout
        assert [run["trigger"] for run in runs(host, name)] == ["manual", "revision"]
        assert [c["Id"] for c in host.containers(name)] != [first]

    def test_by_hand_while_it_runs(self, host: Host, name: str) -> None:
        host.write_workload(name, job("sleep 60"))
        host.wait_until(lambda: host.status(name).get("state") == "Running", "it to run")
        done = host.exec("workloadctl", "run", name, check=False)
        assert done.returncode == 4
        assert "a run is on" in done.stderr
        done = host.exec("workloadctl", "run", "no-such-job", check=False)
        assert done.returncode == 1

    def test_an_action_over_tcp_is_refused(self, host: Host, name: str) -> None:
        host.write_workload(name, job("true"))
        host.wait_for(name, "Completed")
        url = f"http://127.0.0.1:7780/v1/workloads/{name}/run"
        done = host.exec("curl", "--silent", "--request", "POST", url)
        assert json.loads(done.stdout)["reason"] == "ReadsOnly"
        assert len(runs(host, name)) == 1


class TestScheduled:
    def test_each_run_has_a_container_of_its_own(self, host: Host, name: str) -> None:
        host.write_workload(name, job(EACH_RUN_IS_NEW, EVERY_TWO_SECONDS))
        status = host.wait_for(name, "Scheduled", "Running")
        assert status["job"]["schedule"] == ["*:*:0/2"]
        ended(host, name, 3)
        shown = logs(host, name)
        assert [lines[0] for lines in shown if lines] == ["run"] * len(shown)
        assert all(lines.count("run") == 1 for lines in shown)
        found = runs(host, name)
        assert {run["trigger"] for run in found} == {"schedule"}
        assert {run["attempt"] for run in found} == {1}
        assert len(host.containers(name)) <= 2

    def test_its_schedule_is_shown_and_changed(self, host: Host, name: str) -> None:
        host.write_workload(name, job("true", "schedule: daily", "time_zone: Europe/Berlin"))
        status = host.wait_for(name, "Scheduled")
        shown = host.show(timer(name), "NextElapseUSecRealtime", "ActiveState")
        assert shown["ActiveState"] == "active"
        assert status["job"]["next_run"][11:16] in ("22:00", "23:00")
        assert status["job"]["schedule"] == ["daily Europe/Berlin"]
        text = host.exec("workloadctl", "status", name).stdout
        assert "schedule      daily Europe/Berlin" in text
        assert "next run      " in text
        host.write_workload(name, job("true", "schedule: '*-*-* 03:30'"))

        def changed() -> bool:
            return (host.status(name).get("job") or {}).get("schedule") == ["*-*-* 03:30"]

        host.wait_until(changed, "the new schedule")
        host.wait_for(name, "Scheduled")
        assert "03:30" in host.systemctl("list-timers", "--all", timer(name))
        assert not runs(host, name)

    def test_an_expression_that_systemd_refuses(self, host: Host, name: str) -> None:
        host.write_workload(name, job("true", "schedule: 'daily Nowhere/There'"))
        status = host.wait_for(name, "Invalid")
        (error,) = status["errors"]
        assert error["reason"] == "BadSchedule"
        assert "Failed to parse calendar" in error["message"]
        file = str(host.files / f"{name}.yaml")
        done = host.exec("workloadctl", "validate", file.removeprefix(str(host.disk)), check=False)
        assert done.returncode == 1
        assert "Failed to parse calendar" in done.stdout

    def test_a_failed_one_is_retried_and_then_waits(self, host: Host, name: str) -> None:
        more = ("schedule: yearly", "retries: 1", "retry_delay: 1s")
        host.write_workload(name, job("exit 5", *more))
        host.wait_for(name, "Scheduled")
        for _ in range(2):
            before = len(runs(host, name))
            host.systemctl("start", unit_name(name, "trigger"))
            ended(host, name, before + 2)
            status = host.wait_for(name, "Failed")
        assert [run["attempt"] for run in status["job"]["runs"]] == [2, 1, 2, 1]
        assert "exit code 5" in status["message"]
        assert host.condition(name, "Ready")["status"] == "True"

    def test_a_time_that_comes_while_it_runs_is_skipped(self, host: Host, name: str) -> None:
        host.write_workload(name, job("sleep 5", EVERY_TWO_SECONDS))
        (run, *_) = ended(host, name)
        assert (run["outcome"], run["exit_code"]) == ("succeeded", 0)
        # Two clocks tell when it began and when it ended.
        assert run["duration"] > 4.5

    def test_or_replaces_the_run(self, host: Host, name: str) -> None:
        more = (EVERY_TWO_SECONDS, "overlap: replace", "stop_signal: SIGKILL")
        host.write_workload(name, job("echo run >> /count; cat /count; sleep 60", *more))
        found = ended(host, name, 2)
        assert {run["outcome"] for run in found} == {"replaced"}
        assert all(lines == ["run"] for lines in logs(host, name)[:2] if lines)

    def test_a_new_revision_lets_the_run_end(self, host: Host, name: str) -> None:
        host.write_workload(name, job("sleep 4; echo old", "schedule: yearly"))
        host.wait_for(name, "Scheduled")
        host.exec("workloadctl", "run", name)
        running = host.wait_until(
            lambda: [c for c in host.containers(name) if c["State"] == "running"], "it to run"
        )
        host.write_workload(name, job("echo new", "schedule: yearly"))
        (run,) = ended(host, name)
        assert (run["outcome"], run["trigger"]) == ("succeeded", "manual")
        assert logs(host, name)[0] == ["old"]

        def replaced() -> bool:
            found = host.containers(name)
            return len(found) == 1 and found[0]["Id"] != running[0]["Id"]

        host.wait_until(replaced, "the new revision")
        host.wait_for(name, "Scheduled")
        host.exec("workloadctl", "run", name, "--wait")
        assert logs(host, name)[0] == ["new"]

    def test_it_runs_while_the_daemon_does_not(self, host: Host, name: str) -> None:
        host.write_workload(name, job("echo alone", "schedule: '*:*:0/3'"))
        ended(host, name)

        def renewed() -> bool:
            return [c["State"] for c in host.containers(name)] == ["created"]

        host.wait_until(renewed, "the container of the next run")
        host.systemctl("stop", "workloadd.service")
        begun = [container["StartedAt"] for container in host.containers(name)]

        def went_on() -> bool:
            found = host.containers(name)
            began_later = max(c["StartedAt"] for c in found) > max(begun)
            return began_later and all(c["State"] == "exited" for c in found)

        try:
            host.wait_until(went_on, "the timer to go on by itself")
        finally:
            host.start_daemon()
        ended(host, name, 2)
        assert logs(host, name)[0] == ["alone"]

    def test_disabled_and_gone(self, host: Host, name: str) -> None:
        more = ("schedule: '*:*:0/30'", "catch_up: true", "retries: 1", "randomized_delay: 1s")
        host.write_workload(name, job("sleep 60", *more))
        host.wait_for(name, "Scheduled", "Running")
        assert host.show(timer(name), "RandomizedDelayUSec") == {"RandomizedDelayUSec": "1s"}
        host.write_workload(name, job("sleep 60", *more, "enabled: false"))
        host.wait_for(name, "Disabled")
        assert host.show(timer(name), "ActiveState") == {"ActiveState": "inactive"}
        stamp = host.home / f".local/share/systemd/timers/stamp-{timer(name)}"
        assert stamp.exists()
        host.write_workload(name, job("sleep 60", *more))
        host.wait_for(name, "Scheduled", "Running")
        host.gone(name)
        units = host.home.glob(f".*/**/workload-{name}*")
        assert not list(units)
        assert not stamp.exists()
        assert name not in host.systemctl("list-timers", "--all")
        assert host.show(unit_name(name), "ActiveState") == {"ActiveState": "inactive"}


@pytest.fixture(scope="class")
def rebooted(the_host: Host) -> Iterator[None]:
    """One reboot with a job of each kind."""
    host = the_host
    host.write_workload("job-done", job("echo done"))
    host.wait_for("job-done", "Completed")
    cut = ("retries: 1", "stop_signal: SIGTERM")
    host.write_workload("job-cut", job("trap 'exit 143' TERM; sleep 60 & wait", *cut))
    host.write_workload("job-cut-once", job("trap 'exit 143' TERM; sleep 60 & wait"))
    host.write_workload("job-caught-up", job("echo late", "schedule: daily", "catch_up: true"))
    host.write_workload("job-next", job("echo next", "schedule: yearly"))
    for name in ("job-cut", "job-cut-once"):
        host.wait_until(lambda n=name: host.status(n).get("state") == "Running", f"{name} to run")
    host.wait_for("job-caught-up", "Scheduled")
    host.wait_for("job-next", "Scheduled")
    # As if the host had been off for days.
    stamp = host.home / f".local/share/systemd/timers/stamp-{timer('job-caught-up')}"
    os.utime(stamp, (1e9, 1e9))
    host.reboot()
    host.wait_until(host.answers, "the daemon to be back")
    yield
    for name in ("done", "cut", "cut-once", "caught-up", "next"):
        host.gone(f"job-{name}")


@pytest.mark.usefixtures("rebooted")
class TestReboot:
    def test_what_is_done_is_not_done_again(self, host: Host) -> None:
        host.wait_for("job-done", "Completed")
        host.look_again()
        assert len(runs(host, "job-done")) == 1

    def test_what_was_cut_off_is_tried_again_where_it_may(self, host: Host) -> None:
        def found() -> list[tuple[int, str]]:
            return [(run["attempt"], run["outcome"]) for run in runs(host, "job-cut")]

        host.wait_until(lambda: found() == [(2, ""), (1, "interrupted")], "the retry")
        assert host.status("job-cut")["state"] == "Running"
        status = host.wait_for("job-cut-once", "Failed")
        assert [run["outcome"] for run in status["job"]["runs"]] == ["interrupted"]

    def test_a_time_that_passed_is_made_up_for(self, host: Host) -> None:
        (run,) = ended(host, "job-caught-up")
        assert (run["trigger"], run["outcome"]) == ("schedule", "succeeded")
        assert logs(host, "job-caught-up") == [["late"]]

    def test_timers_are_back(self, host: Host) -> None:
        host.wait_for("job-next", "Scheduled")
        assert host.show(timer("job-next"), "ActiveState") == {"ActiveState": "active"}
        assert not runs(host, "job-next")
