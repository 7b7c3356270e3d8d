"""A file taken away takes its service away, and nothing that is not workloadd's."""

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, idle, serving
from workloadd.core.names import unit_name


def test_nothing_is_left_but_the_named_volume(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port, "volumes: [data:/data]"))
    assert len(host.unit_files(name)) == 2
    host.gone(name)
    assert not host.containers(name)
    assert not host.unit_files(name)
    assert host.unit(name, "LoadState")["LoadState"] == "not-found"
    assert not host.http(port)
    assert f"{name}_data" in host.volumes()
    events = host.history(name)["events"]
    assert events[0]["kind"] == "removed"


def test_a_kept_volume_is_found_again(host: Host, name: str) -> None:
    text = idle("volumes: [data:/data]")
    host.deploy(name, text)
    host.podman("exec", name, "touch", "/data/kept")
    host.gone(name)
    host.deploy(name, text)
    assert host.podman("exec", name, "ls", "/data") == "kept"


def test_reclaim_delete_takes_the_volume_along(host: Host, name: str) -> None:
    volume = "{type: volume, source: scratch, target: /scratch, reclaim: delete}"
    host.deploy(name, idle(f"volumes: [{volume}, data:/data]"))
    host.gone(name)
    assert f"{name}_scratch" not in host.volumes()
    assert f"{name}_data" in host.volumes()


def test_a_foreign_container_of_that_name_is_left_alone(host: Host, name: str, port: int) -> None:
    host.podman("run", "--detach", "--name", name, "--stop-signal", "KILL", BUSYBOX, "sleep", "1d")
    foreign = host.inspect(name)["Id"]
    try:
        host.write_workload(name, serving(port))
        host.wait_until(
            lambda: host.condition(name, "Deployed").get("reason") == "NameTaken", "a NameTaken"
        )
        assert "podman rename" in host.condition(name, "Deployed")["message"]
        host.gone(name)
        assert host.inspect(name)["State"]["Running"]
        host.write_workload(name, serving(port))
        aside = f"{name}-foreign"
        host.podman("rename", name, aside)
        host.wait_for(name, "Ready")
        assert host.inspect(aside)["Id"] == foreign
        host.gone(name)
        assert host.inspect(aside)["State"]["Running"]
    finally:
        host.podman("rm", "--force", "--time", "0", foreign)


def test_a_foreign_unit_of_that_name_is_left_alone(host: Host, name: str, port: int) -> None:
    unit = host.units / unit_name(name)
    text = "[Service]\nExecStart=/usr/bin/sleep infinity\n"
    host.write(unit, text, mine=True)
    host.write_workload(name, serving(port))
    host.wait_until(
        lambda: host.condition(name, "Deployed").get("reason") == "UnitConflict", "a UnitConflict"
    )
    assert str(unit.name) in host.condition(name, "Deployed")["message"]
    host.gone(name)
    assert unit.read_text() == text
    host.write_workload(name, serving(port))
    host.wait_until(lambda: host.status(name), "the conflict to be seen again")
    unit.unlink()
    host.wait_for(name, "Ready")


def test_a_foreign_volume_of_that_name_is_never_deleted(host: Host, name: str) -> None:
    volume = "{type: volume, source: data, target: /data, reclaim: delete}"
    host.podman("volume", "create", f"{name}_data")
    host.write_workload(name, idle(f"volumes: [{volume}]"))
    host.wait_for(name, "Ready", "Failed")
    host.gone(name)
    assert f"{name}_data" in host.volumes()


def test_a_hand_made_container_with_another_users_mark_is_left_alone(host: Host, name: str) -> None:
    marks = ("--label", f"io.workloadd.workload={name}", "--label", "io.workloadd.user=somebody")
    host.podman("create", "--name", f"{name}-other", *marks, BUSYBOX, "sleep", "1d")
    host.deploy(name, idle())
    host.gone(name)
    assert host.inspect(f"{name}-other")["State"]["Status"] == "created"
    host.podman("rm", f"{name}-other")
