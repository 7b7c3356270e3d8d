"""Several containers that share their surroundings, each under a unit of its own."""

from pathlib import Path

import pytest

from tests.host.host import Document, Host
from tests.host.test_rollback import rolled_back
from tests.host.workloads import BUSYBOX

QUICK = "stop_signal: SIGKILL, stop_timeout: 1s"


def pod(port: int, *, web: str = "", side: str = "sleep infinity", more: str = "") -> str:
    """A server, and a companion beside it."""
    return f"""\
ports: ["{port}:8080"]
containers:
  web: {{image: {BUSYBOX}, command: httpd -f -p 8080 -h /www, {QUICK}{web}}}
  side: {{image: {BUSYBOX}, command: {side}, {QUICK}}}
{more}"""


def parts(host: Host, name: str) -> dict[str, Document]:
    """The containers of a pod's current deployment, by name."""
    return {container["name"]: container for container in host.status(name)["containers"]}


def ids(host: Host, name: str) -> dict[str, str]:
    return {part: container["container"] for part, container in parts(host, name).items()}


def started(host: Host, name: str, part: str) -> str:
    found: str = host.inspect(f"{name}_{part}")["State"]["StartedAt"]
    return found


def pods(host: Host, name: str) -> list[str]:
    return host.podman("pod", "ls", "--quiet", "--filter", f"name=^{name}_").split()


def test_containers_share_the_network_and_each_has_a_unit(host: Host, name: str, port: int) -> None:
    status = host.deploy(name, pod(port) + "share: [ipc, pid]\nhostname: together\n")
    assert host.http(port) == "busybox 1\n"
    assert [c["name"] for c in status["containers"]] == ["web", "side"]
    assert all(c["up"] for c in status["containers"])
    for part in ("web", "side"):
        unit = host.show(f"workload-{name}_{part}.service", "ActiveState", "ControlGroup")
        assert unit["ActiveState"] == "active"
        inside = host.podman("exec", f"{name}_{part}", "wget", "-qO-", "http://127.0.0.1:8080/")
        assert inside.strip() == "busybox 1"
        assert host.podman("exec", f"{name}_{part}", "hostname").strip() == "together"
        # Each container's processes are in the control group of its own unit.
        pid = host.inspect(f"{name}_{part}")["State"]["Pid"]
        group = host.exec("cat", f"/proc/{pid}/cgroup").stdout
        assert f"workload-{name}_{part}.service" in group
    assert "httpd" in host.podman("exec", f"{name}_side", "ps")
    shown = host.exec("curl", "--silent", f"http://127.0.0.1:7780/{name}").stdout
    assert "CONTAINER" in shown and "side" in shown


def test_a_change_to_one_container_leaves_the_others_alone(
    host: Host, name: str, port: int
) -> None:
    host.deploy(name, pod(port))
    before, began, pod_id = ids(host, name), started(host, name, "web"), pods(host, name)
    host.deploy(name, pod(port, side="sleep 4711"))
    after = ids(host, name)
    assert after["web"] == before["web"] and after["side"] != before["side"]
    assert started(host, name, "web") == began, "it was restarted"
    assert pods(host, name) == pod_id
    # The file changed back takes the kept container again.
    host.deploy(name, pod(port))
    assert ids(host, name) == before
    assert started(host, name, "web") == began


def test_containers_come_and_go(host: Host, name: str, port: int) -> None:
    host.deploy(name, pod(port))
    began = started(host, name, "web")
    more = f"  more: {{image: {BUSYBOX}, command: sleep 1000, {QUICK}}}\n"
    host.deploy(name, pod(port, more=more))
    assert set(parts(host, name)) == {"web", "side", "more"}
    host.deploy(name, pod(port))
    assert set(parts(host, name)) == {"web", "side"}
    assert host.show(f"workload-{name}_more.service", "ActiveState")["ActiveState"] == "inactive"
    assert started(host, name, "web") == began
    running = {c["Names"][0] for c in host.containers(name) if c["State"] == "running"}
    assert running == {f"{name}__infra", f"{name}_web", f"{name}_side"}


def test_what_the_pod_has_itself_replaces_all_of_it(host: Host, name: str, port: int) -> None:
    host.deploy(name, pod(port))
    before = ids(host, name)
    host.deploy(name, pod(port + 1))
    assert host.http(port + 1) == "busybox 1\n"
    assert host.http(port) == ""
    assert not set(ids(host, name).values()) & set(before.values())
    host.deploy(name, pod(port))
    assert ids(host, name) == before, "the previous pod is kept"


def test_a_failing_companion_is_undone_and_named(host: Host, name: str, port: int) -> None:
    host.deploy(name, pod(port))
    before, began = ids(host, name), started(host, name, "web")
    host.write_workload(name, pod(port, side='[sh, -c, "echo lost it >&2; exit 3"]'))
    rollout = rolled_back(host, name)
    assert "container side: " in rollout["problem"]["message"]
    assert "exit code 3" in rollout["problem"]["message"]
    assert host.last_words(name)[-1] == "lost it"
    host.wait_for(name, "Degraded")
    assert ids(host, name) == before
    assert started(host, name, "web") == began, "it was restarted"
    assert host.http(port) == "busybox 1\n"


INIT = f"""\
  fill:
    init: true
    image: {BUSYBOX}
    command: [sh, -c, "echo first > /shared/order"]
    volumes: ["work:/shared"]
  check:
    init: true
    image: {BUSYBOX}
    command: [sh, -c, "echo second >> /shared/order; %s"]
    volumes: ["work:/shared"]
"""


def test_what_runs_to_its_end_comes_first_in_order(host: Host, name: str, port: int) -> None:
    mount = ', volumes: ["work:/www"]'
    host.deploy(name, pod(port, web=mount, more=INIT % "true"))
    assert host.net.get(port, "/order")[1] == "first\nsecond\n"
    found = parts(host, name)
    assert [found[part]["exit_code"] for part in ("fill", "check")] == [0, 0]
    assert found["fill"]["init"] and found["fill"]["up"]
    assert host.show(f"workload-{name}_fill.service", "SubState")["SubState"] == "exited"
    # Another start of the pod begins with them again.
    host.systemctl("restart", f"workload-{name}.service")
    host.wait_until(lambda: host.http(port, "/order") == "first\nsecond\n", "it to serve again")


def test_a_failing_init_container_is_named_and_nothing_starts(
    host: Host, name: str, port: int
) -> None:
    host.write_workload(name, pod(port, more=INIT % "echo no luck >&2; exit 4"))
    status = host.wait_for(name, "Failed")
    assert "container check: " in status["message"] and "exit code 4" in status["message"]
    found = {container["name"]: container for container in status["containers"]}
    assert found["fill"]["up"] and not found["check"]["up"]
    assert found["web"]["state"] == "created", "it was started"
    assert host.last_words(name)[-1] == "no luck"
    # Once it is put right, the pod comes up.
    host.deploy(name, pod(port, more=INIT % "true"))


def test_the_end_of_one_container_is_that_one_s_affair(host: Host, name: str, port: int) -> None:
    host.deploy(name, pod(port))
    began = started(host, name, "web")
    host.podman("kill", f"{name}_side")

    def again() -> bool:
        found = parts(host, name)["side"]
        return bool(found["up"]) and found["unit"]["restarts"] == 1

    host.wait_until(again, "systemd to start it again")
    assert started(host, name, "web") == began


def test_the_pod_itself_may_die(host: Host, name: str, port: int) -> None:
    host.deploy(name, pod(port))
    host.podman("kill", "--signal", "KILL", f"{name}__infra")
    host.wait_until(lambda: host.status(name)["unit"]["restarts"] > 0, "systemd to notice")
    host.wait_until(lambda: host.http(port) == "busybox 1\n", "it to serve again")
    host.wait_for(name, "Ready")
    assert all(container["up"] for container in parts(host, name).values())


@pytest.mark.parametrize("part", ["side", "_infra"])
def test_drift_is_healed(host: Host, name: str, port: int, part: str) -> None:
    host.deploy(name, pod(port))
    before = ids(host, name)
    if part == "_infra":
        host.podman("pod", "rm", "--force", "--time", "0", *pods(host, name))
    else:
        host.podman("rm", "--force", "--time", "0", f"{name}_{part}")

    def healed() -> bool:
        status = host.status(name)
        fresh = before["side"] not in {c["container"] for c in status["containers"]}
        return fresh and status["state"] == "Ready" and not status["rollout"]

    host.wait_until(healed, "it to be made again")
    assert host.http(port) == "busybox 1\n"
    assert (ids(host, name)["web"] == before["web"]) == (part == "side")


def test_from_one_container_to_several_and_back(host: Host, name: str, port: int) -> None:
    alone = (
        f'image: {BUSYBOX}\ncommand: httpd -f -p 8080 -h /www\nports: ["{port}:8080"]\n'
        "stop_signal: SIGKILL\nstop_timeout: 1s\n"
    )
    host.deploy(name, alone)
    host.deploy(name, pod(port))
    assert host.http(port) == "busybox 1\n"
    host.deploy(name, alone)
    assert host.http(port) == "busybox 1\n"
    assert sorted(path.name for path in host.units.glob(f"workload-{name}*")) == [
        f"workload-{name}.service"
    ]


def test_a_pod_is_removed_whole(host: Host, name: str, port: int) -> None:
    host.deploy(name, pod(port))
    host.gone(name)
    assert host.containers(name) == [] and pods(host, name) == []
    assert not list(host.units.glob(f"workload-{name}*"))
    sets: Path = host.home / ".local/state/workloadd/units" / name
    assert not sets.exists()
    assert host.http(port) == ""


def test_one_container_that_is_masked_pauses_the_pod(host: Host, name: str, port: int) -> None:
    host.deploy(name, pod(port))
    unit = f"workload-{name}_side.service"
    host.systemctl("mask", unit)
    host.wait_for(name, "Paused")
    host.systemctl("unmask", unit)
    host.wait_for(name, "Ready")
