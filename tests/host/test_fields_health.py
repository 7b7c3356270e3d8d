"""Podman's checks of a container run as the file says, and have the effect that it asks for."""

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, idle

SECOND = 10**9


def test_a_check_that_is_heeded(host: Host, name: str) -> None:
    log = host.home / f"{name}-log"
    log.mkdir()
    host.root("chown", "workloads:", host.named(log))
    text = idle(
        "notify: healthy",
        "healthcheck:",
        "  test: test ! -e /tmp/ill",
        "  interval: 1s",
        "  timeout: 2s",
        "  retries: 2",
        "  start_period: 1s",
        "  on_failure: kill",
        "  startup: {test: [CMD, 'true'], interval: 1s, timeout: 3s, retries: 9, success: 2}",
        f"  log: {{destination: {host.named(log)}, max_count: 3, max_size: 100}}",
    )
    host.deploy(name, text)
    config = host.inspect(name)["Config"]
    assert config["Healthcheck"] == {
        "Test": ["CMD-SHELL", "test ! -e /tmp/ill"],
        "Interval": SECOND,
        "Timeout": 2 * SECOND,
        "StartPeriod": SECOND,
        "Retries": 2,
    }
    assert config["StartupHealthCheck"] == {
        "Test": ["CMD", "true"],
        "Interval": SECOND,
        "Timeout": 3 * SECOND,
        "Retries": 9,
        "Successes": 2,
    }
    assert config["sdNotifyMode"] == "healthy"
    assert config["HealthcheckOnFailureAction"] == "kill"
    assert (config["HealthcheckMaxLogCount"], config["HealthcheckMaxLogSize"]) == (3, 100)
    assert config["HealthLogDestination"] == host.named(log)
    assert list(log.iterdir())
    # The unit counted as started no sooner than the check had passed.
    assert host.inspect(name)["State"]["Health"]["Status"] == "healthy"

    started = host.inspect(name)["State"]["StartedAt"]
    host.inside(name, "touch /tmp/ill")
    host.wait_until(
        lambda: host.inspect(name)["State"]["StartedAt"] != started,
        "Podman to kill it and systemd to start it again",
    )


def test_a_check_can_be_left_out(host: Host, name: str) -> None:
    host.deploy(name, idle("healthcheck: {disable: true}"))
    assert host.inspect(name)["Config"]["Healthcheck"] == {"Test": ["NONE"]}


def test_an_ill_container_is_stopped_if_that_is_wanted(host: Host, name: str) -> None:
    text = f"image: {BUSYBOX}\ncommand: sleep infinity\nstop_signal: SIGKILL\nrestart: no\n"
    check = "{test: test ! -e /tmp/ill, interval: 1s, retries: 1, on_failure: stop}"
    host.deploy(name, f"{text}healthcheck: {check}\n")
    assert host.inspect(name)["Config"]["HealthcheckOnFailureAction"] == "stop"
    host.inside(name, "touch /tmp/ill")
    host.wait_until(lambda: host.inspect(name)["State"]["Status"] == "exited", "Podman to stop it")
