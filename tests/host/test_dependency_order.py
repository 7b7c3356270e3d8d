"""The order of dependencies: with a daemon that was killed, after a reboot, and with none."""

from collections.abc import Iterator

import pytest

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, idle
from workloadd.core.names import SLICE, unit_name

QUICK = "update: {soak: 200ms}"
APP, DB, LOAD, POD = NAMES = ("order-app", "order-db", "order-load", "order-pod")
NEEDS = f"depends_on: {{{DB}: {{condition: healthy}}, {LOAD}: {{condition: completed}}}}"
JOB = f"kind: job\nimage: {BUSYBOX}\ncommand: 'true'\ndepends_on: [{DB}]\n"
MEMBERS = f"""\
{QUICK}
containers:
  app:
    image: {BUSYBOX}
    command: sleep infinity
    stop_signal: SIGKILL
    depends_on: {{db: {{condition: healthy}}}}
  db: {{image: '{BUSYBOX}', command: sleep infinity, stop_signal: SIGKILL}}
"""


def when(host: Host, name: str, what: str, part: str = "") -> int:
    """When a unit came into a state or left it, in microseconds of the host's uptime."""
    key = f"{what}TimestampMonotonic"
    return int(host.show(unit_name(name, part), key)[key])


def runs(host: Host) -> int:
    return len(host.status(LOAD)["job"]["runs"])


@pytest.fixture(scope="module")
def deployed(the_host: Host) -> Iterator[Host]:
    """The workloads of this file; those that wait came first."""
    host = the_host
    for name, text in ((APP, idle(QUICK, NEEDS)), (LOAD, JOB), (POD, MEMBERS)):
        host.write_workload(name, text)
    host.wait_until(lambda: host.status(APP).get("state") == "Waiting", "it to wait")
    host.write_workload(DB, idle(QUICK))
    yield host
    for name in NAMES:
        host.remove_workload(name)
    host.wait_until(lambda: not any(map(host.status, NAMES)), "them to be gone")


def settled(host: Host) -> None:
    host.wait_until(host.answers, "the daemon to be back")
    for name in (APP, DB, POD):
        host.wait_for(name, "Ready")
    host.wait_for(LOAD, "Completed")


def test_a_killed_daemon_and_a_reboot_change_nothing(deployed: Host) -> None:
    host = deployed
    host.systemctl("kill", "--signal=SIGKILL", "workloadd.service")
    settled(host)
    assert when(host, DB, "ActiveEnter") <= when(host, APP, "InactiveExit")
    host.systemctl("kill", "--signal=SIGKILL", "workloadd.service")
    host.reboot()
    settled(host)
    assert when(host, DB, "ActiveEnter") <= when(host, APP, "InactiveExit")
    assert when(host, POD, "ActiveEnter", "db") <= when(host, POD, "InactiveExit", "app")
    assert runs(host) == 1, "what was done before is done"
    said = host.exec("journalctl", "--user", "--boot=-1", "--output=cat", "--quiet").stdout
    lines = [line for line in said.splitlines() if line.startswith(("Stopped", "Stopping"))]
    stopped = max(i for i, line in enumerate(lines) if f"Stopped {unit_name(APP)}" in line)
    stopping = max(i for i, line in enumerate(lines) if f"Stopping {unit_name(DB)}" in line)
    assert stopped < stopping, "when the host went down"


def test_systemd_alone_stops_in_the_reverse_order_and_starts_all(deployed: Host) -> None:
    host = deployed
    settled(host)
    host.systemctl("stop", "workloadd.service")
    try:
        # All in one transaction, as at a shutdown: `stop A B` would be two.
        host.systemctl("stop", SLICE)
        assert when(host, APP, "InactiveEnter") <= when(host, DB, "ActiveExit")
        assert when(host, POD, "InactiveEnter", "app") <= when(host, POD, "ActiveExit", "db")
        host.systemctl("start", "workloads.target")
        host.wait_until(
            lambda: host.show(unit_name(POD, "app"), "ActiveState")["ActiveState"] == "active",
            "what only the daemon would have started in time",
        )
        assert when(host, DB, "ActiveEnter") <= when(host, APP, "InactiveExit")
    finally:
        host.start_daemon()
    settled(host)
    assert runs(host) == 1


def test_what_is_disabled_together_stops_in_order_too(deployed: Host) -> None:
    host = deployed
    settled(host)
    # This way round: the other one alone would be stopped at once.
    host.write_workload(APP, idle(QUICK, "enabled: false", NEEDS))
    host.write_workload(DB, idle(QUICK, "enabled: false"))
    for name in (DB, APP):
        host.wait_for(name, "Disabled")
    host.wait_until(lambda: when(host, DB, "InactiveEnter"), "it to be stopped")
    assert when(host, APP, "InactiveEnter") <= when(host, DB, "ActiveExit")
