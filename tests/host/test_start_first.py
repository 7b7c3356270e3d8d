"""`update: {order: start-first}`: the next deployment proves itself beside the one that serves."""

from tests.host.host import Host
from tests.host.test_sockets import Hammer, on_demand, put_to_sleep, service
from tests.host.workloads import BUSYBOX, NEWER, idle

FIRST = "update: {order: start-first, soak: 500ms}"


def started(host: Host, container: str) -> str:
    at: str = host.inspect(container)["State"]["StartedAt"]
    return at


def test_both_run_until_the_next_one_has_proved_itself(host: Host, name: str) -> None:
    old = host.deploy(name, idle(FIRST))["current"]["container"]
    slow = "update: {order: start-first, soak: 1h}"
    host.write_workload(name, idle(slow, image=NEWER))

    def both() -> bool:
        return len([c for c in host.containers(name) if c["State"] == "running"]) == 2

    host.wait_until(both, "both to run")
    host.wait_until(lambda: host.status(name)["message"] == "verifying", "it to be on trial")
    status = host.status(name)
    assert status["state"] == "RollingOut"
    assert status["current"]["container"] == old
    assert status["next"]["state"] == "running"
    assert host.condition(name, "Ready")["status"] == "True"
    since = started(host, status["next"]["container"])

    new = host.deploy(name, idle(FIRST, image=NEWER))["current"]["container"]
    assert new == status["next"]["container"]
    assert started(host, new) == since, "it was not restarted"
    assert host.inspect(name)["Id"] == new
    assert host.inspect(old)["State"]["Status"] == "exited"
    assert service(host, name) == "active"
    assert host.show(f"workload-{name}_b.service", "ActiveState") == {"ActiveState": "active"}
    assert host.show(f"workload-{name}_a.service", "ActiveState") == {"ActiveState": "inactive"}
    assert host.history(name)["rollouts"][0]["outcome"] == "stable"

    host.systemctl("stop", f"workload-{name}.service")
    host.wait_until(lambda: host.inspect(name)["State"]["Running"], "it to run again")
    host.wait_for(name, "Ready")
    host.remove_workload(name)
    host.gone(name)


def test_one_that_fails_is_not_noticed(host: Host, name: str) -> None:
    old = host.deploy(name, idle(FIRST))["current"]["container"]
    since = started(host, old)
    host.write_workload(name, f"image: {BUSYBOX}\ncommand: [sh, -c, exit 3]\n{FIRST}\n")

    def undone() -> bool:
        newest = host.history(name)["rollouts"][0]
        return bool(newest["outcome"] == "rolled-back")

    host.wait_until(undone, "the trial to be ended")
    host.wait_for(name, "Degraded")
    assert started(host, old) == since
    assert host.condition(name, "Ready")["status"] == "True"
    host.wait_until(lambda: len(host.containers(name)) == 1, "the failed one to be removed")
    assert host.show(f"workload-{name}_b.service", "ActiveState") == {"ActiveState": "inactive"}


def test_every_connection_is_answered(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port, FIRST))
    with Hammer(host, port) as hammer:
        host.wait_until(lambda: hammer.outcomes["one"], "the hammer to hit")
        host.deploy(name, on_demand(host, port, FIRST, hostname="two"))
        host.deploy(name, on_demand(host, port, FIRST, hostname="three"))
    assert set(hammer.outcomes) == {"one", "two", "three"}, hammer.outcomes
    put_to_sleep(host, name)
    assert host.http(port).startswith("three ")
    assert service(host, name) == "active"
