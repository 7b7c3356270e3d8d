"""A changed file replaces the container, and the older one is kept."""

import threading
import time
from collections.abc import Callable

from tests.host.host import Host
from tests.host.workloads import NEWER, serving


def test_a_change_replaces_the_container_and_keeps_one_previous(
    host: Host, name: str, port: int
) -> None:
    first = host.deploy(name, serving(port))["current"]
    second = host.deploy(name, serving(port, image=NEWER))["current"]
    assert host.http(port) == "busybox 2\n"
    assert second["container"] != first["container"]

    status = host.status(name)
    assert status["previous"]["container"] == first["container"]
    states = {c["Id"]: (c["Names"], c["State"]) for c in host.containers(name)}
    assert states[second["container"]] == ([name], "running")
    assert states[first["container"]] == ([f"{name}_{first['revision'][:12]}"], "exited")

    third = host.deploy(name, serving(port, "hostname: third", image=NEWER))["current"]
    ids = {c["Id"] for c in host.containers(name)}
    assert ids == {second["container"], third["container"]}
    causes = [rollout["cause"] for rollout in host.history(name)["rollouts"]]
    assert causes == ["the workload file changed", f"image changed to {NEWER}", "new workload"]


def test_a_file_changed_back_takes_the_previous_container(host: Host, name: str, port: int) -> None:
    first = host.deploy(name, serving(port))["current"]
    second = host.deploy(name, serving(port, image=NEWER))["current"]
    again = host.deploy(name, serving(port))["current"]
    assert again["container"] == first["container"]
    assert host.status(name)["previous"]["container"] == second["container"]
    assert host.http(port) == "busybox 1\n"


def test_the_same_content_again_is_nothing_to_do(host: Host, name: str, port: int) -> None:
    before = host.deploy(name, serving(port))
    started = host.inspect(name)["State"]["StartedAt"]
    host.write_workload(name, "# a comment\n" + serving(port))
    host.look_again()
    assert host.status(name)["current"] == before["current"]
    assert host.inspect(name)["State"]["StartedAt"] == started
    assert len(host.history(name)["rollouts"]) == 1


def test_one_reload_for_an_update(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    before = host.reloads()
    host.deploy(name, serving(port, image=NEWER))
    assert host.reloads() == before + 1


def test_how_long_nobody_answers(
    host: Host, name: str, port: int, record_property: Callable[[str, object], None]
) -> None:
    """The gap that a client sees; reported, not judged: machines differ."""
    host.deploy(name, serving(port))
    answers: list[tuple[float, str]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answers.append((time.monotonic(), host.http(port)))

    asking = threading.Thread(target=ask)
    asking.start()
    host.deploy(name, serving(port, image=NEWER))
    done.set()
    asking.join()
    old = [at for at, body in answers if body == "busybox 1\n"]
    new = [at for at, body in answers if body == "busybox 2\n"]
    assert old and new
    gap = 1000 * (min(new) - max(old))
    record_property("measured", f"during an update nobody answered for {gap:.0f} ms")
    assert max(old) < min(new)


def test_disabled_is_stopped_and_kept(host: Host, name: str, port: int) -> None:
    before = host.deploy(name, serving(port))["current"]["container"]
    host.write_workload(name, serving(port, "enabled: false"))
    host.wait_until(lambda: not host.http(port), "the port to be closed")
    host.wait_until(
        lambda: (
            host.unit(name, "ActiveState", "UnitFileState")
            == {"ActiveState": "inactive", "UnitFileState": "disabled"}
        ),
        "the unit to be stopped and disabled",
    )
    assert host.wait_for(name, "Disabled")
    assert [c["Id"] for c in host.containers(name)] == [before]

    host.write_workload(name, serving(port))
    assert host.wait_for(name, "Ready")["current"]["container"] == before
    host.wait_until(
        lambda: host.unit(name, "UnitFileState")["UnitFileState"] == "enabled", "it to be enabled"
    )
    assert host.http(port) == "busybox 1\n"


def test_a_file_in_a_stronger_root_wins_and_a_mask_takes_it_away(
    host: Host, name: str, port: int
) -> None:
    host.deploy(name, serving(port))
    stronger = host.live / "run/workloadd/workloads.d" / f"{name}.yaml"
    host.write(stronger, serving(port, image=NEWER))
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the stronger file to count")
    status = host.wait_for(name, "Ready")
    assert status["source"] == f"/run/workloadd/workloads.d/{name}.yaml"
    assert status["shadows"] == [f"/etc/workloadd/workloads.d/{name}.yaml"]

    stronger.unlink()
    stronger.symlink_to("/dev/null")
    host.wait_until(lambda: not host.status(name), "the masked workload to be removed")
    assert not host.containers(name)
    stronger.unlink()
    host.wait_for(name, "Ready")
