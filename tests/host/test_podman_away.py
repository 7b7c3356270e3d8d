"""Podman's API service comes and goes; the daemon goes on and sees what it missed."""

from tests.host.host import Host
from tests.host.workloads import NEWER, serving


def test_a_restart_of_podman_is_not_noticed(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    started = host.inspect(name)["State"]["StartedAt"]
    daemon = host.show("workloadd.service", "MainPID")
    host.systemctl("restart", "podman.socket", "podman.service")
    host.deploy(name, serving(port, image=NEWER))
    assert host.inspect(name)["State"]["StartedAt"] != started

    # Events are followed again, too: this is seen long before the periodic pass.
    host.podman("rename", name, f"{name}-x")
    host.wait_until(
        lambda: host.history(name)["events"] and host.podman("ps", f"--filter=name=^{name}$", "-q"),
        "the renaming to be undone",
    )
    assert host.show("workloadd.service", "MainPID") == daemon


def test_drift_while_podman_is_away_is_put_right_when_it_is_back(
    host: Host, name: str, port: int
) -> None:
    host.deploy(name, serving(port))
    daemon = host.show("workloadd.service", "MainPID")
    host.systemctl("stop", "podman.socket")
    host.systemctl("kill", "--signal=KILL", "podman.service")
    try:
        host.podman("rm", "--force", "--time", "0", name)
        host.write_workload(f"{name}-2", serving(port + 1))
        host.wait_until(
            lambda: host.api("/v1/status")["passes"]["problem"], "the daemon to miss Podman"
        )
        assert "podman" in host.api("/v1/status")["passes"]["problem"]
        assert host.net.get(7780, "/healthz")[0] == 200
    finally:
        host.systemctl("start", "podman.socket")
    host.wait_until(lambda: host.http(port), "the removed container to be made anew")
    host.wait_until(lambda: host.http(port + 1), "the file that came meanwhile to be deployed")
    host.wait_for(name, "Ready")
    assert host.history(name)["rollouts"][0]["cause"] == "drift: its container was removed"
    assert host.show("workloadd.service", "MainPID") == daemon
    assert not host.api("/v1/status")["passes"]["problem"]
