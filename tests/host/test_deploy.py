"""A file becomes a service."""

from pathlib import Path

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, serving
from workloadd.core.names import unit_name


def test_a_dropped_file_is_a_supervised_container_that_answers(
    host: Host, name: str, port: int
) -> None:
    status = host.deploy(name, serving(port))
    container = host.inspect(name)
    unit = host.unit(name, "MainPID", "ControlGroup", "Slice", "FragmentPath", "Type")
    conmon = Path(host.live / "proc" / unit["MainPID"])
    cgroup = (host.live / "proc" / str(container["State"]["Pid"]) / "cgroup").read_text()

    assert host.http(port) == "busybox 1\n"
    assert (conmon / "comm").read_text() == "conmon\n"
    assert f"{unit['ControlGroup']}/" in cgroup
    assert unit["ControlGroup"].endswith(f"/workloads.slice/{unit_name(name)}")
    assert status["current"]["container"] == container["Id"]
    assert status["current"]["image_id"] == container["Image"].removeprefix("sha256:")
    assert container["ImageDigest"] == status["image"]["digest"]
    assert {
        key.removeprefix("io.workloadd."): value
        for key, value in container["Config"]["Labels"].items()
        if key.startswith("io.workloadd.") and key != "io.workloadd.unit"
    } == {
        "workload": name,
        "container": "_main",
        "revision": status["current"]["revision"],
        "user": "workloads",
    }


def test_the_unit_names_the_container_by_id_and_verifies(host: Host, name: str, port: int) -> None:
    status = host.deploy(name, serving(port, "description: 100% \\ real"))
    path = host.unit(name, "FragmentPath")["FragmentPath"]
    text = (host.disk / path.lstrip("/")).read_text()

    assert f"start {status['current']['container']}" in text
    verified = host.exec("systemd-analyze", "--user", "verify", path)
    assert not [line for line in verified.stderr.splitlines() if name in line]
    assert host.unit(name, "Description")["Description"].startswith("100% ")
    assert host.systemctl("is-enabled", unit_name(name)) == "enabled"


def test_the_journal_can_be_asked_for_a_workload(host: Host, name: str, port: int) -> None:
    revision = host.deploy(name, serving(port))["current"]["revision"]
    entries = host.journal(f"WORKLOAD={name}", f"REVISION={revision}")
    said = [entry["MESSAGE"] for entry in entries]
    assert any("roll out" in message for message in said)
    assert any("rollout ended stable" in message for message in said)
    assert {entry["SYSLOG_IDENTIFIER"] for entry in entries} == {"workloadd"}


def test_what_a_container_says_is_in_the_journal_under_its_name(host: Host, name: str) -> None:
    text = f"image: {BUSYBOX}\ncommand: [sh, -c, 'echo hello; sleep infinity']\n"
    host.deploy(name, text + "stop_timeout: 0s\n")

    def look() -> bool:
        # conmon keeps the end of the line.
        said = host.journal(f"SYSLOG_IDENTIFIER={name}", f"_SYSTEMD_USER_UNIT={unit_name(name)}")
        return "hello" in [entry["MESSAGE"].strip() for entry in said]

    host.wait_until(look, "the container's line in the journal")


def test_the_history_tells_what_was_done_and_why(host: Host, name: str, port: int) -> None:
    status = host.deploy(name, serving(port))
    (rollout,) = host.history(name)["rollouts"]
    assert rollout["revision"] == status["current"]["revision"]
    assert (rollout["cause"], rollout["outcome"]) == ("new workload", "stable")
    assert [step["step"] for step in rollout["steps"]] == ["prepared", "committed", "started"]
    assert rollout["started"] <= rollout["committed"] <= rollout["ended"]


def test_a_new_workload_needs_no_reload(host: Host, name: str, port: int) -> None:
    before = host.reloads()
    host.deploy(name, serving(port))
    assert host.reloads() == before
