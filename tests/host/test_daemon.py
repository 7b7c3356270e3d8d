"""The daemon's own life: it may die, and it says why it does not start."""

from tests.host.host import API, Document, Host
from tests.host.test_by_hand import ctl
from tests.host.workloads import crashing, idle, serving
from workloadd.core.names import unit_name


def test_a_killed_daemon_comes_back_and_no_container_notices(
    host: Host, name: str, port: int
) -> None:
    host.deploy(name, serving(port))
    before = host.inspect(name)
    old = host.show("workloadd.service", "MainPID")["MainPID"]
    host.systemctl("kill", "--kill-whom=main", "--signal=KILL", "workloadd.service")
    host.wait_until(
        lambda: host.show("workloadd.service", "MainPID")["MainPID"] not in (old, "0"),
        "another daemon",
    )
    assert host.http(port) == "busybox 1\n"
    host.wait_until(host.answers, "the daemon's first pass")
    after = host.inspect(name)
    assert (after["Id"], after["State"]["StartedAt"]) == (
        before["Id"],
        before["State"]["StartedAt"],
    )
    assert host.wait_for(name, "Ready")["restarts"] == 0
    host.systemctl("reset-failed", "workloadd.service")


def test_a_daemon_that_cannot_start_leaves_the_workloads_to_systemd(
    host: Host, name: str, port: int
) -> None:
    host.deploy(name, serving(port))
    broken = host.disk / "etc/workloadd/workloadd.conf.d/99-broken.toml"
    host.systemctl("stop", "workloadd.service", unit_name(name))
    assert not host.http(port)
    host.write(broken, "[rollout]\nsoka = 1\n")
    # As a boot does: links to what a target wants are read with its unit file.
    host.systemctl("daemon-reload")
    try:
        host.systemctl("start", "workloadd.service", check=False)
        host.wait_until(lambda: host.http(port), "workloads.target to start the workload")
        assert host.show("workloadd.service", "ExecMainStatus", "NRestarts") == {
            "ExecMainStatus": "78",
            "NRestarts": "0",
        }
        said = " ".join(e["MESSAGE"] for e in host.journal("_SYSTEMD_USER_UNIT=workloadd.service"))
        assert "soka" in said and "99-broken.toml" in said
    finally:
        broken.unlink()
        host.systemctl("reset-failed", "workloadd.service")
        host.start_daemon()
    assert host.wait_for(name, "Ready")["restarts"] == 0


def test_a_daemon_that_dies_has_nothing_started_that_is_not_to_run(host: Host, name: str) -> None:
    stopped, disabled, failed = (
        f"{name[:20]}-{kind}" for kind in ("stopped", "disabled", "failed")
    )
    for one in (stopped, disabled):
        host.deploy(one, idle())
    host.write_workload(failed, crashing("restart: no"))
    host.wait_for(failed, "Failed")
    # From here on systemd knows that the target wants them.
    host.systemctl("daemon-reload")
    ctl(host, "stop", stopped)
    host.write_workload(disabled, idle("enabled: false"))
    host.wait_for(disabled, "Disabled")
    before = {one: host.containers(one)[0]["StartedAt"] for one in (stopped, disabled, failed)}

    dead = host.show("workloadd.service", "MainPID")
    host.systemctl("kill", "--kill-whom=main", "--signal=KILL", "workloadd.service")
    host.wait_until(lambda: host.show("workloadd.service", "MainPID") != dead, "it to be dead")
    host.wait_until(host.answers, "another daemon's first pass")
    host.look_again()
    assert {one: host.containers(one)[0]["StartedAt"] for one in before} == before
    for one in before:
        host.gone(one)


def test_root_is_refused_with_the_right_way(host: Host) -> None:
    done = host.root("/usr/local/bin/workloadd", check=False)
    assert done.returncode == 78
    assert "cannot run as root" in done.stderr
    assert "enable-linger workloads" in done.stderr


def linger(host: Host) -> Document:
    """The host's condition after a start of the daemon, which looks at it."""
    host.systemctl("restart", "workloadd.service")
    found = host.wait_until(lambda: host.api("/v1/status")["host"], "the host's conditions")
    return next(c for c in found if c["type"] == "Linger")


def test_lingering_is_missed_and_found_again(host: Host) -> None:
    file = host.disk / "var/lib/systemd/linger/workloads"
    file.unlink()
    try:
        missing = linger(host)
    finally:
        file.touch()
    assert missing["status"] == "False"
    assert missing["fix"] == "sudo loginctl enable-linger workloads"
    assert linger(host)["status"] == "True"


def test_readiness_follows_the_workloads(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    assert host.net.get(API, "/readyz")[0] == 200
    assert host.net.get(API, "/healthz")[0] == 200
    host.write_workload(name, crashing("restart: no"))
    host.wait_for(name, "Degraded")
    assert host.net.get(API, "/healthz")[0] == 200
