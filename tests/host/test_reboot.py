"""The host goes down and comes back, whatever was going on."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.host.host import Document, Host
from tests.host.test_pods import INIT, ids, parts, pod
from tests.host.test_sockets import listener, on_demand, service
from tests.host.workloads import BUSYBOX, NEWER, idle, serving
from workloadd.core.names import unit_name

PATIENT = '[rollout]\nsoak = "5m"\ndeadline = "10m"\n'


@dataclass(frozen=True)
class Before:
    """What was there before the reboot."""

    serving: Document
    verifying: str
    proven: str
    pod: dict[str, str]
    on_demand: str
    bad: tuple[str, str]
    beside: tuple[str, str]


BAD = "probes: {readiness: {http: 8080/gone, interval: 500ms}}"


def idle_beside(image: str) -> str:
    return idle("update: {order: start-first}", image=image)


def rolling(host: Host, name: str) -> Document | None:
    """The status of a workload, while it tells of a rollout."""
    status = host.status(name)
    return status if status.get("rollout") else None


def verified(host: Host, name: str) -> str:
    """The container of a rollout that has yet to prove itself, once it runs."""
    steps = [step["step"] for step in host.history(name)["rollouts"][0].get("steps", [])]
    running = [c["Id"] for c in host.containers(name) if "_" in c["Names"][0]]
    return running[0] if "started" in steps and running else ""


@pytest.fixture(scope="module")
def before(the_host: Host) -> Before:
    """One reboot for all of these tests, with a workload of each kind, one in mid-verification."""
    host = the_host
    running = host.deploy("reboot-serving", serving(18000))["current"]
    proven = host.deploy("reboot-verifying", serving(18001))["current"]["container"]
    host.deploy("reboot-disabled", serving(18002))
    host.write_workload("reboot-disabled", serving(18002, "enabled: false"))
    host.wait_for("reboot-disabled", "Disabled")
    host.deploy("reboot-masked", idle())
    host.systemctl("mask", unit_name("reboot-masked"))
    host.deploy("reboot-pod", pod(18004, web=', volumes: ["work:/www"]', more=INIT % "true"))
    host.write_workload(
        "reboot-job", "image: localhost:5000/busybox:1\nrestart: no\ncommand: 'true'\n"
    )
    host.wait_for("reboot-job", "Completed")

    asleep = host.deploy("reboot-socket", on_demand(host, 18006))["current"]["container"]
    good = host.deploy("reboot-bad", serving(18008))["current"]["container"]
    one = host.deploy("reboot-beside", idle_beside(BUSYBOX))["current"]["container"]

    patient = host.disk / "etc/workloadd/workloadd.conf.d/90-patient.toml"
    host.write(patient, PATIENT)
    host.systemctl("restart", "workloadd.service")
    host.write_workload("reboot-verifying", serving(18001, image=NEWER))
    host.wait_until(lambda: host.http(18001) == "busybox 2\n", "the new one to be verified")
    host.write_workload("reboot-bad", serving(18008, BAD, image=NEWER))
    host.write_workload("reboot-beside", idle_beside(NEWER))
    bad, beside = (
        host.wait_until(lambda name=name: verified(host, name), f"{name} to be verified")  # type: ignore[misc]
        for name in ("reboot-bad", "reboot-beside")
    )
    patient.unlink()
    verifying = host.wait_until(lambda: rolling(host, "reboot-verifying"), "that to be told")
    together = ids(host, "reboot-pod")
    host.reboot()
    host.wait_until(host.answers, "the daemon to be back")
    return Before(
        running,
        verifying["current"]["container"],
        proven,
        together,
        asleep,
        (good, bad),
        (one, beside),
    )


@pytest.fixture(scope="module", autouse=True)
def after(the_host: Host, before: Before) -> Iterator[None]:
    yield
    the_host.systemctl("unmask", unit_name("reboot-masked"))
    for name in (
        "serving",
        "verifying",
        "disabled",
        "masked",
        "pod",
        "job",
        "socket",
        "bad",
        "beside",
    ):
        the_host.gone(f"reboot-{name}")


def test_the_same_container_serves_again(host: Host, before: Before) -> None:
    host.wait_until(lambda: host.http(18000) == "busybox 1\n", "it to serve")
    status = host.wait_for("reboot-serving", "Ready")
    assert status["current"]["container"] == before.serving["container"]
    assert status["current"]["started"] > before.serving["started"]
    assert not host.history("reboot-serving")["events"]
    assert len(host.history("reboot-serving")["rollouts"]) == 1


def test_a_verification_is_carried_on(host: Host, before: Before) -> None:
    status = host.wait_for("reboot-verifying", "Ready")
    assert status["current"]["container"] == before.verifying
    assert status["previous"]["container"] == before.proven
    assert host.http(18001) == "busybox 2\n"
    outcomes = [rollout["outcome"] for rollout in host.history("reboot-verifying")["rollouts"]]
    assert outcomes == ["stable", "stable"]


def test_the_disabled_and_the_masked_stay_down(host: Host, before: Before) -> None:
    host.wait_for("reboot-disabled", "Disabled")
    host.wait_for("reboot-masked", "Paused")
    host.look_again()
    for name in ("reboot-disabled", "reboot-masked"):
        assert [c["State"] for c in host.containers(name)] == ["exited"], name


def test_a_pod_comes_up_whole_and_in_order(host: Host, before: Before) -> None:
    host.wait_until(
        lambda: host.http(18004, "/order") == "first\nsecond\n", "what comes first and the rest"
    )
    host.wait_for("reboot-pod", "Ready")
    assert ids(host, "reboot-pod") == before.pod
    boot = host.root("uptime", "--since").stdout.strip().replace(" ", "T")
    assert all(c["started"] >= boot for c in parts(host, "reboot-pod").values())
    assert not host.history("reboot-pod")["events"]


def test_a_job_runs_once_in_each_boot(host: Host, before: Before) -> None:
    status = host.wait_for("reboot-job", "Completed")
    boot = host.root("uptime", "--since").stdout.strip().replace(" ", "T")
    assert status["current"]["started"] >= boot


def test_a_socket_listens_and_the_first_connection_starts_its_service(
    host: Host, before: Before
) -> None:
    assert (listener(host, "reboot-socket"), service(host, "reboot-socket")) == (
        "active", "inactive",
    )  # fmt: skip
    assert host.http(18006) == "one ::ffff:127.0.0.1\n"
    status = host.wait_for("reboot-socket", "Ready")
    assert status["current"]["container"] == before.on_demand
    assert len(host.history("reboot-socket")["rollouts"]) == 1


def test_a_bad_update_is_undone_all_the_same(host: Host, before: Before) -> None:
    old, bad = before.bad
    assert old != bad
    host.wait_until(
        lambda: host.history("reboot-bad")["rollouts"][0]["outcome"] == "rolled-back",
        "it to be undone",
    )
    host.wait_until(lambda: host.http(18008) == "busybox 1\n", "the old one to serve")
    host.wait_until(
        lambda: host.status("reboot-bad")["current"]["container"] == old, "that to be told"
    )


def test_an_update_beside_the_old_one_is_carried_on(host: Host, before: Before) -> None:
    old, new = before.beside
    status = host.wait_for("reboot-beside", "Ready")
    assert (old != new) and status["current"]["container"] == new
    outcomes = [rollout["outcome"] for rollout in host.history("reboot-beside")["rollouts"]]
    assert outcomes == ["stable", "stable"]


def test_no_unit_failed_on_the_way(host: Host, before: Before) -> None:
    failed = host.systemctl("list-units", "--failed", "--plain", "--no-legend")
    assert failed == ""
