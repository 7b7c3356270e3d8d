"""The host is rebooted for an update: Zincati's questions, and what becomes of the workloads."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.host.host import Document, Host
from tests.host.test_jobs import job
from tests.host.workloads import serving

CLIENT = "zincati-of-this-host"
SETTINGS = '[fleetlock]\nenabled = true\nusers = ["zincati"]\ntimeout = "%s"\n'
UNIT = "workloadd-boot-complete.service"


@dataclass(frozen=True)
class Answer:
    """An answer, its body as JSON."""

    status: int
    body: Document

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))


def ask(host: Host, what: str = "pre-reboot", user: str = "zincati", id_: str = CLIENT) -> Answer:
    """What curl is told, as Zincati's user or another."""
    body = json.dumps({"client_params": {"id": id_, "group": "default"}})
    url = f"http://127.0.0.1:7780/fleetlock/v1/{what}"
    command = f"curl -s -w '\\n%{{http_code}}' -H 'fleet-lock-protocol: true' -d '{body}' {url}"
    # runuser alone: these users have no session.
    done = host.root("runuser", "-u", user, "--", "sh", "-c", command)
    said, _, status = done.stdout.rpartition("\n")
    return Answer(int(status), json.loads(said))


def granted(host: Host) -> None:
    """Ask, again if need be, until the answer is yes."""
    host.wait_until(lambda: ask(host).status == 200, "the reboot to be granted")


def settings(host: Host, timeout: str = "10m") -> None:
    path = host.disk / "etc/workloadd/workloadd.conf.d/60-fleetlock.toml"
    host.write(path, SETTINGS % timeout)
    host.systemctl("restart", "workloadd.service")


def reboot_status(host: Host) -> Document:
    found: Document = host.api("/v1/status")["reboot"]
    return found


@pytest.fixture(scope="module", autouse=True)
def enabled(the_host: Host) -> Iterator[None]:
    """Users who ask, and the endpoint; off again after these tests."""
    host = the_host
    assert ask(host, user="root").kind == "failed_lock_disabled"
    for user in ("zincati", "somebody"):
        host.root("useradd", "--system", "--no-create-home", user, check=False)
    settings(host)
    yield
    (host.disk / "etc/workloadd/workloadd.conf.d/60-fleetlock.toml").unlink()
    host.systemctl("restart", "workloadd.service")


def test_only_who_is_named_may_ask(host: Host) -> None:
    for user in ("somebody", "root", "workloads"):
        answer = ask(host, user=user)
        assert (answer.status, answer.kind) == (403, "failed_lock_not_yours"), user
        assert f"user {user}" in answer.body["value"]
    assert ask(host, "steady-state").status == 200
    answer = host.exec(
        "sh", "-c",
        "curl -s -o /dev/null -w '%{http_code}' -H 'fleet-lock-protocol: true'"
        """ -d '{"client_params":{"id":"me","group":"default"}}'"""
        ' --unix-socket "$XDG_RUNTIME_DIR/workloadd/workloadd.sock"'
        " http://localhost/fleetlock/v1/steady-state",
    )  # fmt: skip
    assert answer.stdout == "200", "the workloads' own user, on the socket"


def test_no_reboot_in_the_soak_of_a_rollout(host: Host, name: str, port: int) -> None:
    host.write_workload(name, serving(port, "update: {soak: 5m}"))
    host.wait_until(lambda: host.http(port), "it to serve")
    said = f"a rollout of {name} has yet to prove itself"
    host.wait_until(lambda: said in ask(host).body.get("value", ""), "the soak to be the reason")
    answer = ask(host)
    assert (answer.status, answer.kind) == (409, "failed_lock_busy")
    assert host.http(port), "nothing was stopped"


def test_no_reboot_during_a_run_that_says_inhibit_reboot(host: Host, name: str) -> None:
    host.write_workload(name, job("sleep 600", "inhibit_reboot: true"))
    host.wait_until(lambda: host.status(name).get("state") == "Running", "it to run")
    answer = ask(host)
    assert (answer.status, answer.kind) == (409, "failed_lock_busy")
    assert f"a run of {name} is on" in answer.body["value"]
    assert host.status(name)["state"] == "Running"


class TestGranted:
    """One reboot, with all that comes before it."""

    @pytest.fixture
    def workloads(self, host: Host, name: str, port: int) -> tuple[str, str]:
        first, second = f"{name}-a", f"{name}-b"
        host.deploy(first, serving(port))
        host.deploy(second, serving(port + 1, f"depends_on: [{first}]"))
        return first, second

    def test_from_the_question_to_the_reboot_and_after(
        self, host: Host, workloads: tuple[str, str], name: str, port: int
    ) -> None:
        first, second = workloads
        host.write_workload(f"{name}-j", job("sleep 600"))
        host.wait_until(lambda: host.status(f"{name}-j").get("state") == "Running", "it to run")

        # A grant without a reboot is undone.
        settings(host, "2s")
        granted(host)
        assert not host.http(port) and not host.http(port + 1)
        host.wait_until(lambda: host.http(port) and host.http(port + 1), "them to serve again")
        host.wait_for(first, "Ready")
        kinds = [event["kind"] for event in host.history(first)["events"]]
        assert kinds[:2] == ["undrained", "drained"]
        assert "not rebooted in time" in reboot_status(host)["message"]
        host.wait_for(second, "Ready")

        # The other way round than they were started.
        settings(host)
        granted(host)
        stopped = [
            host.inspect(host.status(one)["current"]["container"])["State"]
            for one in (second, first)
        ]
        assert [state["Status"] for state in stopped] == ["exited", "exited"]
        assert stopped[0]["FinishedAt"] <= stopped[1]["FinishedAt"]
        assert all(c["State"] != "running" for c in host.containers(f"{name}-j"))
        assert host.status(first)["state"] == "Drained"
        shown = host.exec("workloadctl", "status", check=False).stdout
        assert f"reboot, granted: granted to {CLIENT}" in shown

        # It outlives the daemon, and is not another's.
        host.systemctl("kill", "--signal=KILL", "workloadd.service")
        host.wait_until(lambda: host.answers() and ask(host).status == 200, "the next daemon")
        assert ask(host, id_="another").kind == "failed_lock_held"
        host.look_again()
        assert not host.http(port)

        host.reboot()
        host.wait_until(host.answers, "the daemon to be back")
        host.wait_until(lambda: host.http(port) and host.http(port + 1), "them to serve again")
        assert reboot_status(host)["state"] == "rebooted"
        assert ask(host, "steady-state").status == 200
        host.wait_until(lambda: reboot_status(host)["state"] == "free", "that to be told")
        assert ask(host, "steady-state").status == 200, "said twice"
        host.wait_for(first, "Ready")
        kinds = [event["kind"] for event in host.history(first)["events"]]
        assert "drift" not in kinds and kinds.count("undrained") == 1

        # What greenboot and Zincati wait for, in this boot.
        host.root("systemctl", "start", "boot-complete.target")
        assert host.root("systemctl", "is-active", UNIT).stdout.strip() == "active"


def test_a_dead_agent_keeps_the_boot_from_being_complete(host: Host) -> None:
    drop_in = host.live / "run/systemd/system" / f"{UNIT}.d/50-soon.conf"
    command = "/usr/local/bin/workloadctl wait --healthy --timeout 1s"
    host.write(drop_in, f"[Service]\nExecStart=\nExecStart={command}\nTimeoutStartSec=10s\n")
    host.root("systemctl", "daemon-reload")
    host.root("systemctl", "stop", "boot-complete.target", UNIT)
    host.systemctl("stop", "workloadd.service")
    try:
        began = time.monotonic()
        failed = host.root("systemctl", "start", "boot-complete.target", check=False)
        assert failed.returncode != 0
        assert time.monotonic() - began < 15
        state = host.root("systemctl", "is-active", "boot-complete.target", check=False)
        assert state.stdout.strip() == "inactive"
        said = host.root("journalctl", "--unit", UNIT, "--boot").stdout
        assert "cannot reach workloadd" in said
    finally:
        drop_in.unlink()
        host.root("systemctl", "daemon-reload")
        host.root("systemctl", "reset-failed", UNIT, check=False)
        host.systemctl("start", "workloadd.service")
    host.root("systemctl", "start", "boot-complete.target")


SERVER = """\
import http.server, json, pathlib, sys

class Lock(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        meant = self.headers["fleet-lock-protocol"] == "true"
        with open("asked", "a") as asked:
            asked.write(json.dumps([self.path, meant, body]) + "\\n")
        yes = self.path.endswith("steady-state") or pathlib.Path("others-are-done").exists()
        said = {} if yes else {"kind": "busy", "value": "another host reboots"}
        self.send_response(200 if yes else 409)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

http.server.HTTPServer(("127.0.0.1", 7799), Lock).serve_forever()
"""


@pytest.fixture
def upstream(host: Host) -> Iterator[Path]:
    """A FleetLock server for many hosts, which lets one reboot after the other; its directory."""
    directory = host.home / "upstream"
    host.write(directory / "server.py", SERVER, mine=True)
    host.systemctl("stop", "upstream.service", check=False)
    host.exec(
        "systemd-run", "--user", "--unit=upstream", "--collect",
        f"--working-directory={host.named(directory)}", "python3", "server.py",
    )  # fmt: skip
    path = host.disk / "etc/workloadd/workloadd.conf.d/60-fleetlock.toml"
    host.write(path, SETTINGS % "10m" + 'upstream = "http://127.0.0.1:7799/fleet"\n')
    host.systemctl("restart", "workloadd.service")
    yield directory
    host.systemctl("stop", "upstream.service")
    shutil.rmtree(directory)
    settings(host)


def test_a_server_of_many_hosts_has_its_say(
    host: Host, upstream: Path, name: str, port: int
) -> None:
    host.deploy(name, serving(port))
    host.wait_until(lambda: "another host" in ask(host).body.get("value", ""), "its reason")
    assert ask(host).status == 409
    host.write(upstream / "others-are-done", "", mine=True)
    granted(host)
    host.wait_until(lambda: not host.http(port), "it to be stopped")
    assert ask(host, "steady-state").status == 200
    host.wait_until(lambda: host.http(port) == "busybox 1\n", "it to serve again")
    asked = [json.loads(line) for line in (upstream / "asked").read_text().splitlines()]
    client = {"client_params": {"id": CLIENT, "group": "default"}}
    assert {path for path, _, _ in asked} == {"/fleet/v1/pre-reboot", "/fleet/v1/steady-state"}
    assert all(meant and body == client for _, meant, body in asked)
    assert asked[-1][0].endswith("steady-state")
