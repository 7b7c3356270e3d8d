"""Files that are more, or less, than one workload: drop-ins, instances, documents, half of one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.host import Host
from tests.host.machine import remove
from tests.host.workloads import BUSYBOX, NEWER, idle, serving


@pytest.fixture
def vendor(host: Host, name: str) -> Iterator[Path]:
    """A vendor's workload file of this test's own."""
    path = host.disk / f"usr/lib/workloadd/workloads.d/{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    yield path
    remove(path)


def image_of(host: Host, name: str) -> str:
    """The image of a workload that has settled, "" before."""
    status = host.status(name)
    if status.get("state") != "Ready" or status["rollout"]:
        return ""
    reference: str = status["image"]["reference"]
    return reference


def test_an_administrator_adjusts_a_vendors_file(
    host: Host, name: str, port: int, vendor: Path
) -> None:
    host.write(vendor, serving(port, "environment: {A: vendor, B: vendor}"))
    host.wait_for(name, "Ready")
    directory = host.files / f"{name}.yaml.d"
    host.write(directory / "10-newer.yaml", f"image: {NEWER}\nenvironment: {{B: site, C: site}}\n")
    host.wait_until(lambda: image_of(host, name) == NEWER, "the drop-in to be rolled out")
    environment = dict(item.split("=", 1) for item in host.inspect(name)["Config"]["Env"])
    assert {key: environment[key] for key in "ABC"} == {"A": "vendor", "B": "site", "C": "site"}
    shown = host.exec("workloadctl", "status", name).stdout
    assert f"/etc/workloadd/workloads.d/{name}.yaml.d/10-newer.yaml" in "".join(shown.split())
    host.write(directory / "20-wrong.yaml", "\nimagee: x\n")
    status = host.wait_for(name, "Degraded")
    assert status["errors"][0]["file"].endswith(f"{name}.yaml.d/20-wrong.yaml")
    assert (status["errors"][0]["line"], status["errors"][0]["column"]) == (2, 1)
    assert host.http(port)
    remove(directory)
    host.wait_until(lambda: image_of(host, name) == BUSYBOX, "the vendor's file to count again")


def test_instances_of_a_template(host: Host, name: str, port: int) -> None:
    def template(*instances: tuple[str, int]) -> str:
        text = "".join(f"  {one}: {{PORT: {at}}}\n" for one, at in instances)
        return serving(port).replace(str(port), "${PORT}") + f"instances:\n{text}"

    host.write_workload(name, template(("a", port), ("b", port + 1)))
    before = host.wait_for(f"{name}-a", "Ready")
    host.wait_for(f"{name}-b", "Ready")
    assert host.http(port) and host.http(port + 1)
    host.write_workload(name, template(("a", port)))
    host.wait_until(lambda: not host.status(f"{name}-b"), "the instance to go")
    assert not host.containers(f"{name}-b")
    assert not host.http(port + 1)
    assert host.status(f"{name}-a")["current"] == before["current"]


def test_a_half_written_file_of_several_documents(host: Host, name: str) -> None:
    one, other = f"{name}-one", f"{name}-other"
    first = f"name: {one}\n{idle()}---\n"
    host.write_workload(name, f"{first}name: {other}\n{idle()}")
    before = {each: host.wait_for(each, "Ready")["current"] for each in (one, other)}
    host.write_workload(name, f"{first}name: [")
    host.wait_for(name, "Invalid")
    host.look_again()
    for each in (one, other):
        assert host.status(each)["current"] == before[each]
        assert host.inspect(each)["State"]["Running"]
    host.write_workload(name, first)
    host.wait_until(lambda: not host.status(other), "what is really gone to go")
    assert host.status(one)["current"] == before[one]


def test_one_name_in_two_files(host: Host, name: str, port: int) -> None:
    before = host.deploy(name, serving(port))
    host.write(host.files / f"0-{name}.yaml", f"name: {name}\n{serving(port + 1)}")
    status = host.wait_for(f"{name}%232", "Invalid")
    assert status["errors"][0]["reason"] == "DuplicateName"
    host.look_again()
    assert host.status(name)["current"] == before["current"]
    assert host.http(port)
    assert not host.http(port + 1)


def test_things_that_are_no_workload_files_harm_nobody(host: Host, name: str) -> None:
    before = host.deploy(name, idle())
    bad = {
        f"{name}-fifo": lambda path: host.exec("mkfifo", path, user="root"),
        f"{name}-device": lambda path: host.exec("ln", "-s", "/dev/zero", path, user="root"),
        f"{name}-proc": lambda path: host.exec("ln", "-s", "/proc/self/environ", path, user="root"),
        f"{name}-shadow": lambda path: host.exec("ln", "-s", "/etc/shadow", path, user="root"),
        f"{name}-dir": lambda path: host.exec("mkdir", path, user="root"),
        f"{name}-large": lambda path: host.exec("truncate", "-s", "10M", path, user="root"),
    }
    for each, make in bad.items():
        make(f"/etc/workloadd/workloads.d/{each}.yaml")
    for each in bad:
        (error,) = host.wait_for(each, "Invalid")["errors"]
        assert error["reason"] == ("TooLarge" if each.endswith("large") else "Unreadable")
    assert host.status(name)["current"] == before["current"]
    assert host.status(name)["state"] == "Ready"


def test_a_root_that_becomes_unreadable(host: Host, name: str, port: int) -> None:
    before = host.deploy(name, serving(port))
    mode = host.files.stat().st_mode
    host.files.chmod(0o000)
    try:
        problems = host.wait_until(
            lambda: host.api("/v1/status")["problems"], "the root to be missed"
        )
        passes = host.passes()
        host.exec("systemctl", "--user", "reload-or-restart", "workloadd.service")
        host.wait_until(lambda: host.answers() and host.passes() != passes, "another pass")
        assert "until it can be read no workload is removed" in problems[0]
        assert host.containers(name)[0]["State"] == "running"
        assert host.http(port)
    finally:
        host.files.chmod(mode)
    host.wait_for(name, "Ready")
    assert host.status(name)["current"] == before["current"]
