"""A bad change does not take a service away."""

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import NEWER, crashing, serving


def rolled_back(host: Host, name: str) -> Document:
    """The newest rollout, once it was undone and the workload has nothing more to do."""

    def look() -> Document | None:
        rollouts = host.history(name)["rollouts"]
        ended = rollouts[0]["outcome"] == "rolled-back"
        return rollouts[0] if ended and not host.status(name)["rollout"] else None

    return host.wait_until(look, f"{name} to be rolled back")


def test_a_crash_is_undone_and_remembered(host: Host, name: str, port: int) -> None:
    old = host.deploy(name, serving(port))["current"]["container"]
    host.write_workload(name, crashing(f'ports: ["{port}:8080"]'))
    rollout = rolled_back(host, name)
    assert rollout["problem"]["reason"] == "RestartLoop"
    assert "exit code 3" in rollout["problem"]["message"]
    assert host.last_words(name)[-1] == "cannot find the thing"

    host.wait_until(lambda: host.http(port) == "busybox 1\n", "the old one to serve again")
    assert host.inspect(name)["Id"] == old
    status = host.wait_for(name, "Degraded")
    assert "rolled back" in status["message"]
    assert host.condition(name, "Deployed")["reason"] == "RolledBack"
    assert host.condition(name, "Ready")["status"] == "True"
    host.wait_until(lambda: len(host.containers(name)) == 1, "the failed container to be removed")

    host.write_workload(name, "# touched\n" + crashing(f'ports: ["{port}:8080"]'))
    host.look_again()
    host.systemctl("restart", "workloadd.service")
    host.look_again()
    assert len(host.history(name)["rollouts"]) == 2
    assert host.inspect(name)["Id"] == old

    host.deploy(name, serving(port, image=NEWER))
    assert host.http(port) == "busybox 2\n"


def test_a_job_that_fails_at_its_first_try_is_undone(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    host.write_workload(name, crashing(f'ports: ["{port}:8080"]', "restart: no"))
    assert rolled_back(host, name)["problem"]["reason"] == "UnitFailed"
    host.wait_until(lambda: host.http(port) == "busybox 1\n", "the old one to serve again")


def test_what_podman_refuses_never_stops_the_old_one(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    started = host.inspect(name)["State"]["StartedAt"]
    mount = f"volumes: [./{name}:/data]"
    host.write_workload(name, serving(port, mount))
    status = host.wait_for(name, "Degraded")
    assert f"/etc/workloadd/workloads.d/{name}" in status["message"]
    assert host.inspect(name)["State"]["StartedAt"] == started
    assert host.history(name)["rollouts"][0]["outcome"] == "failed"

    (host.files / name).mkdir()
    host.wait_until(
        lambda: (
            host.status(name)["state"] == "Ready"
            and host.history(name)["rollouts"][0]["outcome"] == "stable"
            and host.inspect(name)["Mounts"]
        ),
        "the next try to succeed",
    )


def test_a_new_workload_that_crashes_is_failed_and_goes_on_trying(host: Host, name: str) -> None:
    host.write_workload(name, crashing())
    host.wait_until(
        lambda: (
            host.status(name).get("state") == "Failed"
            and host.history(name)["rollouts"][0]["outcome"] == "failed"
        ),
        "it to fail",
    )
    assert host.last_words(name)[-1] == "cannot find the thing"
    assert "exit code 3" in host.status(name)["last_error"]


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("prots: []", "6:1", "ports"),
        ("hostname: [a", "7:1", "expected"),
        ("image: other", "6:1", "image"),
    ],
    ids=["unknown-key", "syntax", "duplicate"],
)
def test_a_broken_edit_is_told_with_its_place_and_the_old_one_serves(
    host: Host, name: str, port: int, line: str, place: str, said: str
) -> None:
    before = host.deploy(name, serving(port))["current"]
    host.write_workload(name, serving(port, line))
    status = host.wait_for(name, "Degraded")
    error = status["errors"][0]
    assert error["file"] == f"/etc/workloadd/workloads.d/{name}.yaml"
    assert said in error["message"] + error["hint"]
    assert f"{name}.yaml:{error['line']}:{error['column']}" in status["message"]
    assert f"{error['line']}:{error['column']}" == place
    assert host.condition(name, "Loaded")["reason"] == "InvalidFile"
    assert status["current"] == before
    assert host.http(port) == "busybox 1\n"

    host.write_workload(name, serving(port))
    host.wait_for(name, "Ready")
    assert host.inspect(name)["Id"] == before["container"]


def test_a_file_may_keep_what_failed(host: Host, name: str, port: int) -> None:
    old = host.deploy(name, serving(port))["current"]["container"]
    update = "update: {soak: 1s, deadline: 30s, rollback: false}"
    host.write_workload(name, crashing(f'ports: ["{port}:8080"]', update))

    def ended() -> bool:
        return bool(host.history(name)["rollouts"][0]["outcome"] == "failed")

    host.wait_until(ended, "the rollout to be given up")
    status = host.wait_for(name, "Failed")
    assert status["current"]["container"] != old
    assert status["previous"]["container"] == old
    host.deploy(name, serving(port, image=NEWER))
    assert host.http(port) == "busybox 2\n"


def test_a_file_says_how_long_it_has_to_stay_up(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port, "update: {soak: 0s}"))
    host.write_workload(name, serving(port, "update: {soak: 1h}", image=NEWER))
    host.wait_until(lambda: host.http(port) == "busybox 2\n", "the new one to serve")
    host.wait_until(lambda: host.status(name)["message"] == "verifying", "it to be verified")
    assert host.status(name)["rollout"]["step"] == "verifying"
    host.write_workload(name, serving(port, "update: {soak: 0s}", image=NEWER))

    def proven() -> bool:
        return bool(host.history(name)["rollouts"][0]["outcome"] == "stable")

    host.wait_until(proven, "the shorter time to be enough")
