"""Host variables on the host: facts files, what the host is, and `when:`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.host import Document, Host
from tests.host.machine import remove
from tests.host.workloads import BUSYBOX, NEWER, idle, serving


@pytest.fixture
def facts(host: Host, name: str) -> Iterator[Path]:
    """A facts file of this test's own."""
    path = host.disk / f"etc/workloadd/facts.d/{name}.env"
    path.parent.mkdir(exist_ok=True)
    yield path
    remove(path)


def fact(name: str) -> str:
    """A variable that no other test has."""
    return f"V_{name.replace('-', '_').upper()}"


def test_a_fact_that_changes_is_rolled_out(host: Host, name: str, port: int, facts: Path) -> None:
    variable = fact(name)
    host.write(facts, f"{variable}={BUSYBOX}\nPORT_{variable}={port}\n")
    text = serving(port).replace(BUSYBOX, f"${{{variable}}}")
    before = host.deploy(name, text.replace(str(port), f"${{PORT_{variable}}}"))
    assert host.http(port)
    host.write(facts, f"{variable}={NEWER}\nPORT_{variable}={port + 1}\n")

    def changed() -> Document | None:
        status = host.status(name)
        current = status.get("current") or {}
        proven = current.get("container_name") == name and not status["rollout"]
        return status if proven and current["revision"] != before["current"]["revision"] else None

    host.wait_until(changed, "the new facts to be rolled out")
    assert host.status(name)["current"]["image"] == NEWER
    bindings = host.inspect(name)["HostConfig"]["PortBindings"]["8080/tcp"]
    assert [one["HostPort"] for one in bindings] == [str(port + 1)]
    assert host.http(port + 1)
    assert not host.http(port)


def test_what_the_host_is(host: Host, name: str) -> None:
    variables = ("HOST_NAME", "HOST_MACHINE_ID", "HOST_ARCH", "HOST_OS_ID", "HOST_OS_VERSION")
    lines = [f"  {variable}: ${{{variable}}}" for variable in (*variables, "WORKLOAD")]
    host.deploy(name, idle("environment:", *lines))
    environment = dict(item.split("=", 1) for item in host.inspect(name)["Config"]["Env"])
    release = (host.disk / "usr/lib/os-release").read_text()
    assert environment["HOST_NAME"] == host.exec("uname", "-n").stdout.strip()
    assert environment["HOST_MACHINE_ID"] == host.exec("cat", "/etc/machine-id").stdout.strip()
    arch = host.podman("version", "--format", "{{.Server.OsArch}}").strip()
    assert f"linux/{environment['HOST_ARCH']}" == arch
    assert f"ID={environment['HOST_OS_ID']}\n" in release
    assert f'VERSION_ID="{environment["HOST_OS_VERSION"]}"\n' in release
    assert environment["WORKLOAD"] == name


def test_a_workload_that_is_not_for_this_host_any_more_goes_and_comes_back(
    host: Host, name: str, facts: Path
) -> None:
    variable = fact(name)
    host.write(facts, f"{variable}=web-1\n")
    text = idle(f"when: {{{variable}: web-*}}", "volumes: ['data:/data']")
    host.deploy(name, text)
    host.write(facts, f"{variable}=db-1\n")
    host.wait_until(lambda: not host.status(name), "it to go")
    assert not host.containers(name)
    assert f"{name}_data" in host.volumes()
    shown = host.exec("workloadctl", "status", check=False).stdout
    assert f'{name} is not for this host: {variable} is "db-1", not web-*' in " ".join(
        shown.split()
    )
    assert "not for this host: " in host.history(name)["events"][0]["message"]
    host.write(facts, f"{variable}=web-2\n")
    host.wait_for(name, "Ready")


def test_facts_that_cannot_be_read_change_nothing(host: Host, name: str, facts: Path) -> None:
    variable = fact(name)
    weaker = facts.with_name(f"0-{name}.env")
    host.write(weaker, f"{variable}={NEWER}\n")
    host.write(facts, f"{variable}={BUSYBOX}\n")
    host.write_workload(f"{name}-other", idle())
    before = host.deploy(name, idle().replace(BUSYBOX, f"${{{variable}}}"))
    facts.chmod(0o000)
    status = host.wait_for(name, "Degraded")
    assert status["current"] == before["current"]
    assert "permission denied" in status["errors"][0]["hint"]
    assert host.wait_for(f"{name}-other", "Ready")
    assert any(facts.name in problem for problem in host.api("/v1/status")["problems"])
    facts.chmod(0o644)
    host.wait_for(name, "Ready")
    assert host.status(name)["current"] == before["current"]
    remove(weaker)
