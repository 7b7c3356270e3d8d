"""Each field of probes and healthcheck has the effect that it asks for."""

import json

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, idle

SERVER = """
image: localhost:5000/busybox:1
command: [sh, -c, "mkdir -p /tmp/w; touch /tmp/w/index.html; echo fine > /tmp/w/ok; exec httpd -f -p 8080 -h /tmp/w"]
stop_signal: SIGKILL
stop_timeout: 1s
"""  # noqa: E501


def probe(host: Host, name: str, kind: str = "readiness") -> Document:
    """How a probe went last, or {}."""
    return next((one for one in host.status(name).get("probes", []) if one["kind"] == kind), {})


@pytest.mark.parametrize(
    ("way", "asks"),
    [
        ("http: 8080", "http 8080/"),
        ('http: {port: 8080, path: /ok, status: 200, body: "^fine$"}', "http 8080/ok"),
        ("http: {port: 8080, path: /gone, status: [404]}", "http 8080/gone"),
        ("http: {port: 8080, headers: {Host: shop.example}, scheme: http}", "http 8080/"),
        ("tcp: 8080", "tcp 8080"),
        ("exec: [test, -e, /tmp/w/ok]", "exec"),
    ],
)
def test_each_way_of_asking(host: Host, name: str, way: str, asks: str) -> None:
    host.deploy(name, f"{SERVER}probes: {{readiness: {{{way}, interval: 500ms, timeout: 5s}}}}\n")
    said = probe(host, name)
    assert (said["asks"], said["ok"], said["verdict"], said["failures"]) == (asks, True, True, 0)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("http: {port: 8080, path: /gone}", "404"),
        ("http: {port: 8080, path: /ok, body: ill}", "body"),
        ("http: {port: 8080, scheme: https}", ""),
        ("http: {port: 8081}", ""),
        ("tcp: 8081", ""),
        ("exec: [test, -e, /gone]", "1"),
    ],
)
def test_each_way_of_failing(host: Host, name: str, way: str, message: str) -> None:
    host.write_workload(name, f"{SERVER}probes: {{readiness: {{{way}, interval: 200ms}}}}\n")
    host.wait_until(lambda: probe(host, name).get("verdict") is False, "the probe to fail")
    said = probe(host, name)
    assert said["reason"] and message in said["message"]
    assert said["failures"] >= 3
    assert host.condition(name, "Ready")["reason"] == "NotReady"


def test_thresholds_and_delays(host: Host, name: str) -> None:
    text = idle(
        "probes:",
        "  startup: {exec: test -e /tmp/up, interval: 200ms, failure_threshold: 1000}",
        "  readiness: {exec: test ! -e /tmp/ill, interval: 200ms, timeout: 5s,",
        "    failure_threshold: 2, success_threshold: 3, initial_delay: 1s}",
    )
    host.write_workload(name, text)
    starting = lambda: host.condition(name, "Ready").get("reason") == "Starting"  # noqa: E731
    host.wait_until(starting, "it to be up and not to have started")
    assert probe(host, name)["ok"] is None, "startup holds the others back"
    container = host.status(name)["current"]["container"]
    host.inside(container, "touch /tmp/up")
    host.wait_for(name, "Ready")
    host.inside(container, "touch /tmp/ill")
    host.wait_for(name, "NotReady")
    assert probe(host, name)["failures"] >= 2
    host.inside(container, "rm /tmp/ill")
    host.wait_for(name, "Ready")
    assert host.status(name)["restarts"] == 0


def test_healthcheck_as_compose_writes_it(host: Host, name: str) -> None:
    text = idle(
        "healthcheck:",
        "  test: test ! -e /tmp/ill",
        "  interval: 1s",
        "  timeout: 2s",
        "  retries: 2",
        "  start_period: 1s",
        "  on_failure: restart",
        "  startup: {test: [CMD, 'true'], interval: 1s, timeout: 3s, retries: 9, success: 2}",
    )
    host.deploy(name, text)
    assert {one["kind"] for one in host.status(name)["probes"]} == {
        "startup", "readiness", "liveness",
    }  # fmt: skip
    config = host.inspect(name)["Config"]
    assert config["Healthcheck"] == {"Test": ["NONE"]}, "Podman itself asks nothing"
    label = json.loads(config["Labels"]["io.workloadd.unit"])
    assert [
        (one["kind"], one["timeout"], one["failure_threshold"], one["success_threshold"],
         one["start_period"])
        for one in label["probes"]
    ] == [("startup", 3, 9, 2, 0), ("readiness", 2, 2, 1, 1), ("liveness", 2, 2, 1, 1)]  # fmt: skip
    started = host.inspect(name)["State"]["StartedAt"]
    host.inside(name, "touch /tmp/ill")
    host.wait_until(
        lambda: host.inspect(name)["State"]["StartedAt"] != started, "it to be started again"
    )


def test_a_check_can_be_left_out(host: Host, name: str) -> None:
    host.deploy(name, idle("healthcheck: {disable: true}"))
    assert host.status(name)["probes"] == []


def test_the_image_s_own_check_is_asked(host: Host, name: str) -> None:
    image = f"localhost/{name}:1"
    host.exec(
        "sh", "-c",
        f"printf 'FROM {BUSYBOX}\\nHEALTHCHECK --interval=1s CMD test -e /etc/passwd\\n'"
        f" | podman build --format docker --tls-verify=false --tag {image} -",
    )  # fmt: skip
    host.deploy(name, idle("pull: never", image=image))
    said = probe(host, name)
    assert (said["asks"], said["verdict"]) == ("exec", True)
