"""Probes of real containers: whatever their network, with no tool in the image."""

import pytest

from tests.host.host import Host
from tests.host.machine import remove
from tests.host.workloads import BUSYBOX, idle, serving

_WEB = f"""image: {BUSYBOX}
command: httpd -f -p 8080 -h /www
stop_signal: SIGKILL
stop_timeout: 1s
"""
_HTTP = "probes: {readiness: {http: 8080, interval: 1s, timeout: 5s}}\n"


def web(*more: str) -> str:
    return _WEB + _HTTP + "".join(f"{line}\n" for line in more)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param([], id="bridge"),
        pytest.param(["network_mode: none"], id="none"),
        pytest.param(["network_mode: host"], id="host"),
        pytest.param(["userns_mode: auto"], id="userns"),
    ],
)
def test_a_port_that_is_not_published(host: Host, name: str, port: int, network: list[str]) -> None:
    text = web(*network).replace("8080", str(port))
    host.deploy(name, text)
    assert host.condition(name, "Ready")["status"] == "True"
    host.gone(name)


def test_tcp_and_exec(host: Host, name: str) -> None:
    probes = (
        "probes:",
        "  startup: {tcp: 8080, interval: 1s, timeout: 5s}",
        "  readiness: {exec: [test, '!', -e, /tmp/ill], interval: 500ms, timeout: 5s, "
        "failure_threshold: 1}",
    )
    host.deploy(name, _WEB + "\n".join(probes) + "\n")
    host.inside(name, "touch /tmp/ill")
    host.wait_until(lambda: host.condition(name, "Ready")["status"] == "False", "it to be ill")
    host.inside(name, "rm /tmp/ill")
    host.wait_until(lambda: host.condition(name, "Ready")["status"] == "True", "it to be well")


def test_a_command_that_hangs_leaves_nothing(host: Host, name: str) -> None:
    """Neither in the container nor, but for some seconds, of Podman's."""
    command = "{exec: [sh, -c, sleep 1234 & sleep 1235], interval: 200ms, timeout: 200ms}"
    host.write_workload(name, idle("init_process: true", f"probes: {{readiness: {command}}}"))
    host.wait_until(lambda: failures(host, name) >= 3, "it to have failed again and again")
    container = host.status(name)["current"]["container"]
    # One try may be under way: a shell and what it started.
    asked = host.inside(container, "ps -o args").splitlines()
    assert sum("sleep 123" in line for line in asked) <= 3, asked
    assert not any("[" in line for line in asked), asked
    keeps = host.exec("pgrep", "--full", "--list-full", f"conmon.*{container}.*--exit-delay")
    assert all(line.endswith("--exit-delay 10") for line in keeps.stdout.splitlines())


def failures(host: Host, name: str) -> int:
    """How often the readiness probe has failed in a row."""
    return next((one["failures"] for one in host.status(name).get("probes", [])), 0)


def test_the_helper_is_killed(host: Host, name: str) -> None:
    host.deploy(name, web())

    def helper() -> str:
        return host.exec("pgrep", "-x", "workloadd-ns", check=False).stdout.strip()

    first = helper()
    host.exec("kill", "-9", first)
    second = host.wait_until(lambda: helper().replace(first, ""), "another helper")
    assert second != first
    host.look_again()
    assert host.condition(name, "Ready")["status"] == "True"


def test_without_namespaces(host: Host, name: str, port: int) -> None:
    """Published ports are used; a file whose probe has none is refused, with the reason."""
    settings = host.disk / "etc/workloadd/workloadd.conf.d/60-probes.toml"
    host.write(settings, "[probes]\nnamespaces = false\n")
    host.systemctl("restart", "workloadd.service")
    try:
        host.deploy(name, serving(port, _HTTP.strip()))
        host.write_workload(f"{name}-hidden", web())
        refused = host.wait_until(
            lambda: (
                found
                if (found := host.condition(f"{name}-hidden", "Deployed")).get("reason")
                == "CannotProbe"
                else None
            ),
            "it to be refused",
        )
        assert "port 8080" in refused["message"] and "not published" in refused["message"]
        shown = {c["type"]: c for c in host.api("/v1/status")["host"]}
        assert shown["Namespaces"]["reason"] == "SwitchedOff"
        host.gone(f"{name}-hidden")
        host.gone(name)
    finally:
        remove(settings)
        host.systemctl("restart", "workloadd.service")
