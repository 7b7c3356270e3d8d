"""`podman system migrate` while workloads run: all comes back by itself."""

from tests.host.host import Document, Host
from tests.host.test_pods import pod
from tests.host.workloads import idle, serving

PROBE = "probes: {readiness: {http: 8080, interval: 500ms, timeout: 5s}}"


def test_all_is_ready_again_after_podman_has_moved(host: Host, name: str, port: int) -> None:
    """It ends all containers and Podman's pause process, whose user namespace is then gone."""
    web, alone, several = f"{name}-web", f"{name}-alone", f"{name}-pod"
    host.deploy(web, serving(port, PROBE))
    host.deploy(alone, idle(f"depends_on: [{web}]", "network_mode: none"))
    host.deploy(several, pod(port + 1))
    before = {one: host.status(one)["current"] for one in (web, alone, several)}

    host.podman("system", "migrate")

    def again(one: str) -> Document | None:
        status = host.status(one)
        current = status.get("current") or before[one]
        started = status.get("state") == "Ready" and current["started"] != before[one]["started"]
        return current if started else None

    for one, was in before.items():
        current = host.wait_until(lambda one=one: again(one), f"{one} to be Ready")  # type: ignore[misc]
        assert current["container"] == was["container"]
        assert all(c["State"] == "running" for c in host.containers(one))
        assert len(host.history(one)["rollouts"]) == 1
    host.wait_until(lambda: host.http(port) and host.http(port + 1), "both to serve")
