"""What somebody changes by hand is put right, and that is recorded."""

from collections.abc import Callable

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, NEWER, serving
from workloadd.core.names import unit_name


@pytest.fixture
def served(host: Host, name: str, port: int) -> Document:
    """A workload that is Ready and answers."""
    return host.deploy(name, serving(port))


def put_right(host: Host, name: str, port: int, said: str) -> Document:
    """The status once drift was noted that way and everything is as it should be again."""

    def look() -> Document | None:
        events = [event["message"] for event in host.history(name)["events"]]
        causes = [rollout["cause"] for rollout in host.history(name)["rollouts"]]
        if not any(said in text for text in (*events, *causes)):
            return None
        status = host.status(name)
        right = status["state"] == "Ready" and not status["rollout"]
        converged = host.condition(name, "Converged")["status"] == "True"
        return status if right and converged and host.http(port) else None

    return host.wait_until(look, f"“{said}” to be noted and put right")


def test_the_container_is_removed(host: Host, name: str, port: int, served: Document) -> None:
    host.podman("rm", "--force", "--time", "0", name)
    status = put_right(host, name, port, "its container was removed")
    assert status["current"]["revision"] == served["current"]["revision"]
    assert status["current"]["container"] != served["current"]["container"]
    assert len(host.containers(name)) == 1


Act = Callable[[Host, str], object]
BY_HAND: dict[str, tuple[Act, str]] = {
    "podman rename": (lambda host, name: host.podman("rename", name, f"{name}-x"), "renamed"),
    "unit stopped": (lambda host, name: host.systemctl("stop", unit_name(name)), "stopped"),
    "unit disabled": (lambda host, name: host.systemctl("disable", unit_name(name)), "disabled"),
    "unit deleted": (lambda host, name: (host.units / unit_name(name)).unlink(), "deleted"),
    "unit edited": (lambda host, name: edit(host, name), "edited"),
    "edited, reloaded": (
        lambda host, name: edit_and_reload(host, name),
        "edited",
    ),
    "edit --full": (lambda host, name: edit_full(host, name), "edited"),
}


def edit(host: Host, name: str) -> None:
    """Change the generated unit as an editor would."""
    unit = host.units / unit_name(name)
    host.write(unit, unit.read_text().replace("RestartSec=250ms", "RestartSec=1h"), mine=True)


def edit_and_reload(host: Host, name: str) -> None:
    """Change the generated unit and have systemd believe it."""
    edit(host, name)
    host.systemctl("daemon-reload")


def edit_full(host: Host, name: str) -> None:
    """What `systemctl --user edit --full` leaves: a copy that overrides."""
    text = (host.units / unit_name(name)).read_text().replace("RestartSec=250ms", "RestartSec=1h")
    host.write(host.home / ".config/systemd/user" / unit_name(name), text, mine=True)
    host.systemctl("daemon-reload")


@pytest.mark.parametrize("kind", BY_HAND)
def test_something_is_changed_by_hand(
    host: Host, name: str, port: int, served: Document, kind: str
) -> None:
    act, said = BY_HAND[kind]
    act(host, name)
    status = put_right(host, name, port, said)
    assert status["current"]["container"] == served["current"]["container"]

    def named() -> bool:
        return bool(host.status(name)["current"]["container_name"] == name)

    host.wait_until(named, "it to have its name")
    assert [c["Id"] for c in host.containers(name)] == [served["current"]["container"]]
    assert host.unit(name, "ActiveState", "UnitFileState", "RestartUSec", "NeedDaemonReload") == {
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "RestartUSec": "250ms",
        "NeedDaemonReload": "no",
    }
    assert len(host.unit_files(name)) == 2


@pytest.mark.parametrize("verb", ["kill", "stop"])
def test_an_ended_container_is_systemds_to_restart(
    host: Host, name: str, port: int, served: Document, verb: str
) -> None:
    host.podman(verb, name)
    host.wait_until(lambda: host.status(name)["restarts"] == 1, "systemd to restart it")
    status = host.wait_for(name, "Ready")
    assert status["current"]["container"] == served["current"]["container"]
    host.wait_until(lambda: host.http(port), "it to serve again")
    host.wait_until(lambda: host.history(name)["events"], "the restart to be noted")
    assert [event["kind"] for event in host.history(name)["events"]] == ["restarted"]


def test_a_unit_changed_by_hand_does_not_restart_the_container(
    host: Host, name: str, port: int, served: Document
) -> None:
    started = host.inspect(name)["State"]["StartedAt"]
    for kind in ("unit edited", "unit disabled", "podman rename"):
        act, said = BY_HAND[kind]
        act(host, name)
        put_right(host, name, port, said)
    assert host.inspect(name)["State"]["StartedAt"] == started


def test_an_image_tag_that_moves_is_rolled_out(host: Host, name: str, port: int) -> None:
    tag = f"localhost/{name}:1"
    host.podman("pull", "--quiet", BUSYBOX)
    host.podman("pull", "--quiet", NEWER)
    host.podman("tag", BUSYBOX, tag)
    host.deploy(name, serving(port, "pull: never", image=tag))
    host.podman("tag", NEWER, tag)
    host.look_again()
    assert host.http(port) == "busybox 1\n", "nobody let it in"
    host.write_workload(name, serving(port, "pull: never", "update: {policy: auto}", image=tag))
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the moved tag to be rolled out")
    status = host.wait_for(name, "Ready")
    (rollout, _) = host.history(name)["rollouts"]
    assert rollout["cause"] == f"image {tag} is now {status['image']['digest']}"


def test_an_image_that_is_removed_leaves_its_container_alone(
    host: Host, name: str, port: int
) -> None:
    tag = f"localhost/{name}:1"
    host.podman("pull", "--quiet", BUSYBOX)
    host.podman("tag", BUSYBOX, tag)
    before = host.deploy(name, serving(port, "pull: never", image=tag))["current"]
    host.podman("untag", tag, tag)
    host.look_again()
    assert host.wait_for(name, "Ready")["current"] == before
    assert host.http(port) == "busybox 1\n"
    host.podman("rm", "--force", name)
    host.wait_until(
        lambda: host.condition(name, "Pulled")["reason"] == "ImageNotPresent",
        "it to be said that there is nothing to make it from",
    )
    host.podman("tag", BUSYBOX, tag)
    host.wait_for(name, "Ready")


def test_a_masked_unit_is_the_operators(host: Host, name: str, port: int, served: Document) -> None:
    host.systemctl("mask", unit_name(name))
    host.wait_for(name, "Paused")
    host.podman("stop", name)
    host.wait_until(lambda: not host.http(port), "it to be stopped")
    host.write_workload(name, serving(port, image=NEWER))
    host.look_again()
    status = host.status(name)
    assert status["state"] == "Paused"
    assert [c["State"] for c in host.containers(name)] == ["exited"]

    host.systemctl("unmask", unit_name(name))
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the unmasked workload to be served")
    status = host.wait_for(name, "Ready")
    assert status["previous"]["container"] == served["current"]["container"]


def test_a_masked_unit_that_runs_goes_on_and_stays_when_its_file_goes(
    host: Host, name: str, port: int, served: Document
) -> None:
    host.systemctl("mask", unit_name(name))
    host.wait_for(name, "Paused")
    host.remove_workload(name)
    host.look_again()
    assert host.http(port) == "busybox 1\n"
    assert host.status(name)["state"] == "Paused"
    host.systemctl("unmask", unit_name(name))
    host.wait_until(lambda: not host.status(name), "it to be removed once it is unmasked")
    assert not host.containers(name)
