"""What is done by hand, with workloadctl: it holds over a reboot, and is told."""

import json
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.host.host import Document, Host
from tests.host.test_pods import pod
from tests.host.workloads import NEWER, crashing, idle, serving
from workloadd.core.names import unit_name


def ctl(host: Host, *arguments: str, code: int = 0) -> CompletedProcess[str]:
    """workloadctl, which has to end with this exit status."""
    done = host.exec("workloadctl", *arguments, check=False)
    assert done.returncode == code, f"{done.args}: {done.stdout}{done.stderr}"
    return done


def notes(host: Host, name: str) -> list[str]:
    """What the history says was done by hand, the newest first."""
    return [e["message"] for e in host.history(name)["events"] if e["kind"] == "by-hand"]


def active(host: Host, name: str) -> str:
    return host.unit(name, "ActiveState")["ActiveState"]


@pytest.fixture(scope="module")
def rebooted(the_host: Host) -> Iterator[Host]:
    """One reboot for all of these tests, with a workload stopped, paused, and held."""
    host = the_host
    for name, port in (("hand-stopped", 18020), ("hand-paused", 18021), ("hand-held", 18022)):
        host.deploy(name, serving(port))
    host.deploy("hand-held", serving(18022, image=NEWER))
    host.deploy("hand-pod", pod(18023))
    host.deploy("hand-socket", serving_socket(18024))
    ctl(host, "stop", "hand-stopped", "hand-pod", "hand-socket", "--reason", "moving house")
    ctl(host, "pause", "hand-paused", "--reason", "looking into it")
    ctl(host, "rollback", "hand-held", "--reason", "too slow")
    host.reboot()
    host.wait_until(host.answers, "the daemon to be back")
    yield host
    for name in ("stopped", "paused", "held", "pod", "socket"):
        host.gone(f"hand-{name}")


def serving_socket(port: int) -> str:
    """A workload that systemd starts on a connection."""
    return f"image: localhost:5000/busybox:1\ncommand: sleep infinity\nsockets: ['{port}']\n"


def test_what_was_stopped_stays_stopped(rebooted: Host) -> None:
    host = rebooted
    host.wait_for("hand-paused", "Paused")
    host.look_again()
    for name in ("hand-stopped", "hand-pod", "hand-socket"):
        status = host.wait_for(name, "Stopped")
        assert "moving house" in status["message"]
        assert all(c["State"] != "running" for c in host.containers(name)), name
    assert host.http(18020) == ""
    assert "Stopped" in ctl(host, "status").stdout
    started = ctl(host, "start", "hand-stopped", "hand-pod", "hand-socket").stdout
    assert "hand-stopped: Ready" in started and "hand-pod: Ready" in started
    assert host.http(18020) == "busybox 1\n"


def test_what_was_paused_runs_and_is_left_alone(rebooted: Host) -> None:
    host = rebooted
    host.wait_until(lambda: host.http(18021) == "busybox 1\n", "it to be started")
    host.systemctl("stop", unit_name("hand-paused"))
    host.write_workload("hand-paused", serving(18021, image=NEWER))
    host.look_again()
    status = host.wait_for("hand-paused", "Paused")
    assert "looking into it" in status["message"]
    assert active(host, "hand-paused") == "inactive"
    ctl(host, "resume", "hand-paused")
    assert host.http(18021) == "busybox 2\n"


def test_what_was_rolled_back_is_held(rebooted: Host) -> None:
    host = rebooted
    host.wait_until(lambda: host.http(18022) == "busybox 1\n", "the older one to serve")
    status = host.wait_for("hand-held", "Ready")
    assert "too slow" in status["message"] and "held at" in status["message"]
    assert status["by_hand"][0]["by"] == "workloads"
    resumed = ctl(host, "resume", "hand-held").stdout
    assert resumed.splitlines()[-1] == "hand-held: Ready"
    assert host.http(18022) == "busybox 2\n"


def test_rollback_there_and_back(host: Host, name: str, port: int) -> None:
    old: Document = host.deploy(name, serving(port))["current"]
    new = host.deploy(name, serving(port, image=NEWER))["current"]
    said = ctl(host, "rollback", name, "--reason", "too slow").stdout
    assert f"held at {old['revision'][:12]} by workloads: too slow" in said
    assert host.http(port) == "busybox 1\n"
    assert host.inspect(name)["Id"] == old["container"]
    assert host.status(name)["previous"]["container"] == new["container"]
    rollout = host.history(name)["rollouts"][0]
    assert (rollout["outcome"], rollout["revision"]) == ("stable", old["revision"])
    assert rollout["cause"] == "by hand: rolled back by workloads: too slow"
    assert "already" in ctl(host, "rollback", name).stdout
    assert f"{old['revision'][:12]} (current) stable" in ctl(host, "history", name).stdout

    ctl(host, "resume", name)
    assert host.http(port) == "busybox 2\n"
    ctl(host, "rollback", name, "--to", old["revision"][:8])
    assert host.http(port) == "busybox 1\n"
    host.deploy(name, serving(port, "labels: {changed: again}", image=NEWER))
    assert host.http(port) == "busybox 2\n"
    assert "its file changed" in notes(host, name)[0]
    assert host.status(name)["by_hand"] == []

    refused = ctl(host, "rollback", name, "--to", "0123abcd", code=1).stderr
    assert "no such revision" in refused and "previous is" in refused


def test_rollback_to_one_further_back(host: Host, name: str, port: int) -> None:
    keep = "update: {keep: 2, soak: 200ms}"
    first = host.deploy(name, serving(port, keep))["current"]
    second = host.deploy(name, serving(port, keep, image=NEWER))["current"]
    third = host.deploy(name, serving(port, keep, "user: nobody", image=NEWER))["current"]
    assert [c["State"] for c in host.containers(name)].count("exited") == 2
    ctl(host, "rollback", name, "--to", first["revision"][:8])
    assert host.http(port) == "busybox 1\n"
    assert host.inspect(name)["Id"] == first["container"]
    status = host.status(name)
    assert status["previous"]["container"] == third["container"]
    assert [one["container"] for one in status["older"]] == [second["container"]]
    assert f"{second['revision'][:12]} (older)" in ctl(host, "history", name).stdout
    lines = ctl(host, "status", name).stdout.splitlines()
    (shown,) = (line for line in lines if line.split()[:1] == ["older"])
    assert second["revision"][:12] in shown
    ctl(host, "resume", name)
    assert host.inspect(name)["Id"] == third["container"]
    host.deploy(name, serving(port, "update: {keep: 1, soak: 200ms}"))
    assert host.http(port) == "busybox 1\n"
    assert len(host.containers(name)) == 2


def test_a_previous_one_that_does_not_work_any_more(host: Host, name: str, port: int) -> None:
    script = "[ ! -e /data/broken ] || exit 3; exec httpd -f -p 8080 -h /www"
    volume = "volumes: ['data:/data']"
    command = f"command: [sh, -c, '{script}']"
    text = serving(port, volume).replace("command: httpd -f -p 8080 -h /www", command)
    host.deploy(name, text)
    new = host.deploy(name, serving(port, volume, image=NEWER))["current"]["container"]
    host.inside(name, "touch /data/broken")
    said = ctl(host, "rollback", name, code=3).stdout
    assert host.http(port) == "busybox 2\n", said
    host.wait_for(name, "Ready")
    assert host.inspect(name)["Id"] == new
    assert "no longer held" in notes(host, name)[0]


def test_restart(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    before = host.inspect(name)["State"]["StartedAt"]
    ctl(host, "restart", name, "--reason", "it hangs")
    after = host.inspect(name)["State"]["StartedAt"]
    assert after > before and host.http(port) == "busybox 1\n"
    assert notes(host, name) == ["restarted by workloads: it hangs"]
    host.look_again()
    assert host.inspect(name)["State"]["StartedAt"] == after


def test_what_starts_first_is_restarted_and_goes_back(host: Host, name: str) -> None:
    first = "update: {order: start-first}"
    old = host.deploy(name, idle(first))["current"]["container"]
    host.deploy(name, idle(first, image=NEWER))
    before = host.inspect(name)["State"]["StartedAt"]
    ctl(host, "restart", name)
    assert host.inspect(name)["State"]["StartedAt"] > before
    ctl(host, "rollback", name)
    assert host.inspect(name)["Id"] == old
    assert [c["State"] for c in host.containers(name)].count("running") == 1
    ctl(host, "stop", name)
    assert [c["State"] for c in host.containers(name)].count("running") == 0
    ctl(host, "resume", name)
    assert [c["State"] for c in host.containers(name)].count("running") == 1
    # Podman shows a container under any name that its image has, those of other tests too.
    assert host.inspect(name)["Image"] == host.podman("image", "inspect", "--format={{.Id}}", NEWER)


def test_a_bad_revision_is_tried_again_after_resume(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    host.write_workload(name, crashing(f'ports: ["{port}:8080"]'))
    host.wait_for(name, "Degraded")
    count = len(host.history(name)["rollouts"])
    assert "Degraded" in ctl(host, "resume", name, code=3).stdout
    assert len(host.history(name)["rollouts"]) == count + 1


def test_diff(host: Host, name: str, port: int) -> None:
    secret = "environment: {TOKEN_FOR_US: hunter2-%d}"
    host.deploy(name, serving(port, secret % 1))
    old = host.status(name)["current"]["revision"]
    assert ctl(host, "diff", name).stdout == ""
    ctl(host, "pause", name)
    host.write_workload(name, serving(port, secret % 2, image=NEWER))
    host.look_again()
    shown = ctl(host, "diff", name, code=1).stdout
    assert "- image: localhost:5000/busybox:1\n+ image: localhost:5000/busybox:2\n" in shown
    assert "~ environment.TOKEN_FOR_US (changed)" in shown and "hunter2" not in shown
    ctl(host, "resume", name)
    back = json.loads(ctl(host, "diff", name, old[:8], "--json", code=1).stdout)
    assert {"image", "environment.TOKEN_FOR_US"} <= {c["field"] for c in back["changes"]}
    assert "none that begins so" in ctl(host, "diff", name, "0123abcd", code=2).stderr


def test_who_may_and_what_is_not_there(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    refused = ctl(host, "pause", f"{name}x", code=1).stderr
    assert f"did you mean {name}" in refused.lower()
    assert host.net.get(7780, f"/v1/workloads/{name}/diff")[0] == 403
    status, _ = host.net.get(7780, f"/v1/workloads/{name}")
    assert status == 200
