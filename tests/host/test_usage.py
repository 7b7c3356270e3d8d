"""What workloads use, by the kernel's own account. Memory, processes and block devices need
controllers that the throwaway host has not: tests/vm."""

from typing import Any

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, serving


def now(host: Host, name: str) -> Document:
    return dict(host.api(f"/v1/workloads/{name}/resources")["now"])


def known(host: Host, name: str) -> Document | None:
    """What it uses, once that is known by the second."""
    found = now(host, name)
    return found if found["cpu"] is not None else None


def test_one_that_works_and_one_that_sleeps(host: Host, name: str, port: int) -> None:
    busy = f'image: {BUSYBOX}\ncommand: [sh, -c, "while :; do :; done"]\nstop_signal: SIGKILL\n'
    host.deploy(name, serving(port))
    host.deploy(f"{name}-busy", busy)
    working: Any = host.wait_until(lambda: known(host, f"{name}-busy"), "it to be measured")
    resting: Any = host.wait_until(lambda: known(host, name), "it to be measured")
    assert working["cpu"] > 5 * resting["cpu"]
    assert 0.1 < working["cpu"] < 1.2
    rows = [line.split()[0] for line in host.exec("workloadctl", "top").stdout.splitlines()[3:]]
    assert rows.index(f"{name}-busy") < rows.index(name)
    details = host.api(f"/v1/workloads/{name}-busy/resources")["details"]
    assert details["cpu_user_seconds"] > 0
    found = {one["workload"]: one for one in host.api("/v1/resources")["workloads"]}
    assert found[f"{name}-busy"]["cpu_seconds"] > found[name]["cpu_seconds"]


def test_what_goes_over_its_network(host: Host, name: str) -> None:
    """Podman's own name for the host, where nobody listens."""
    ask = "while :; do wget -q -O - http://host.containers.internal:9/; done"
    host.deploy(name, f"image: {BUSYBOX}\ncommand: [sh, -c, '{ask}']\nstop_signal: SIGKILL\n")
    first: Any = host.wait_until(lambda: known(host, name), "it to be measured")
    host.wait_until(
        lambda: now(host, name)["sent_bytes"] > first["sent_bytes"] + 1000, "what goes out"
    )
    assert now(host, name)["received_bytes"] > first["received_bytes"]


def test_what_the_host_itself_asks_goes_over_the_loopback(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    first: Any = host.wait_until(lambda: known(host, name), "it to be measured")
    for _ in range(20):
        host.http(port)
    more = first["loopback_bytes"] + 20 * 100
    host.wait_until(lambda: now(host, name)["loopback_bytes"] > more, "the answers")


def test_a_pod_counts_its_network_once(host: Host, name: str) -> None:
    containers = "".join(
        f"  {one}: {{image: {BUSYBOX}, command: sleep infinity, stop_signal: SIGKILL}}\n"
        for one in ("one", "two")
    )
    host.deploy(name, f"containers:\n{containers}")
    host.wait_until(lambda: known(host, name), "it to be measured")
    found = host.api(f"/v1/workloads/{name}/resources")
    assert [one["name"] for one in found["containers"]] == ["one", "two"]
    assert all(one["cpu_seconds"] > 0 for one in found["containers"])
    assert sum(one["cpu_seconds"] for one in found["containers"]) <= found["now"]["cpu_seconds"]
    assert found["now"]["received_bytes"] is not None


def test_the_hosts_network_is_nobodys(host: Host, name: str) -> None:
    sleeping = (
        f"image: {BUSYBOX}\ncommand: sleep infinity\nstop_signal: SIGKILL\nnetwork_mode: host\n"
    )
    host.deploy(name, sleeping)
    found: Any = host.wait_until(lambda: known(host, name), "it to be measured")
    assert found["received_bytes"] is None
    assert found["cpu_seconds"] > 0


def test_it_goes_on_over_a_restart(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    before: Any = host.wait_until(lambda: known(host, name), "it to be measured")
    host.exec("workloadctl", "restart", name)
    host.wait_for(name, "Ready")
    # A look into the moment when it did not run shows nothing.
    after: Any = host.wait_until(
        lambda: (found := now(host, name))["at"] and found["at"] > before["at"] and found,
        "it to be measured again",
    )
    assert after["cpu_seconds"] > before["cpu_seconds"]
