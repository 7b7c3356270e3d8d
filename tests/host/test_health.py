"""What follows from probes on the host: restarts, Degraded and back, a rollout that is undone."""

import json

from tests.host.host import Host
from tests.host.workloads import idle

ILL = "exec: test ! -e /tmp/ill"
ALIVE = f"probes: {{liveness: {{{ILL}, interval: 200ms, timeout: 5s, failure_threshold: 2}}}}"


def liveness(host: Host, name: str) -> list[str]:
    """The restarts of what was not alive, as the history has them."""
    events = host.history(name)["events"]
    return [one["message"] for one in events if one["kind"] == "liveness"]


def test_what_is_not_alive_is_started_again(host: Host, name: str) -> None:
    host.deploy(name, idle(ALIVE))
    before = host.inspect(name)
    host.inside(name, "touch /tmp/ill")
    host.wait_until(
        lambda: host.inspect(name)["State"]["StartedAt"] != before["State"]["StartedAt"],
        "it to be started again",
    )
    assert host.inspect(name)["Id"] == before["Id"], "as it was: only its process is another"
    assert "its liveness probe failed" in liveness(host, name)[0]


def test_several_in_a_row_are_degraded_and_a_daemon_goes_on_counting(host: Host, name: str) -> None:
    # In its volume, what makes it ill outlives its process. Three restarts take some 15 s.
    volume = "volumes: ['data:/data']"
    host.deploy(name, idle(ALIVE.replace("/tmp/ill", "/data/ill"), volume))
    host.inside(name, "touch /data/ill")
    host.wait_until(lambda: len(liveness(host, name)) >= 2, "two restarts", 60)
    host.systemctl("restart", "workloadd.service")
    host.wait_for(name, "Degraded", timeout=60)
    status = host.status(name)
    assert "times in a row, as it was not alive" in status["message"]
    host.inside(name, "rm /data/ill")
    host.wait_until(lambda: host.condition(name, "Ready")["status"] == "True", "it to be ready")


def test_a_version_that_never_is_ready_is_undone(host: Host, name: str) -> None:
    ready = "probes: {readiness: {exec: test -e /etc/passwd, interval: 200ms, timeout: 5s}}"
    before = host.deploy(name, idle(ready))
    update = "update: {deadline: 2s}"
    host.write_workload(name, idle(ready.replace("passwd", "nothing"), update))
    host.wait_for(name, "Degraded")
    after = host.status(name)
    assert after["current"]["revision"] == before["current"]["revision"]
    assert after["last_rollout"]["reason"] == "ProbeFailed"
    assert "its readiness probe" in after["last_rollout"]["message"]


def test_no_network_and_no_tool_in_the_image_are_needed(host: Host, name: str) -> None:
    text = (
        "image: localhost:5000/busybox:1\ncommand: httpd -f -p 8080 -h /www\n"
        "stop_signal: SIGKILL\nnetwork_mode: none\n"
        "probes: {readiness: {tcp: 8080, interval: 200ms}}\n"
    )
    host.deploy(name, text)
    assert host.condition(name, "Ready")["status"] == "True"
    assert json.dumps(host.status(name)["probes"]).count('"verdict": true') == 1
