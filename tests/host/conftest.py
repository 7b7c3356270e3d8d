"""One throwaway host for all of these tests; names and ports of its own for each.

Under xdist (`--dist loadfile`) each worker has a host of its own, which ends with the tests.
"""

import itertools
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.deaths import mortal
from tests.host.host import SETTINGS, Host
from tests.host.machine import remove
from tests.host.workloads import idle

_HERE = Path(__file__).parent
_ports = itertools.count(20000, 10)
_names = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.host)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured on the way (`record_property("measured", …)`)."""
    for report in terminalreporter.getreports("passed"):
        for key, value in report.user_properties:
            if key == "measured":
                terminalreporter.write_line(f"measured: {value}")


@pytest.fixture(scope="session")
def the_host() -> Iterator[Host]:
    """The host, up, with the present tree's workloadd on it and nothing else, kept for next time.

    `WORKLOADD_TEST_HOST` names the instance.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    instance = os.environ.get("WORKLOADD_TEST_HOST", "test")
    host = Host(f"{instance}-{worker}" if worker else instance)
    host.clean()
    host.write(host.disk / "etc/workloadd/workloadd.conf.d/50-tests.toml", SETTINGS)
    began = time.time()
    host.start_daemon()
    yield host
    try:
        check_nothing_is_left(host, began)
    finally:
        if worker:
            host.purge()


def check_nothing_is_left(host: Host, began: float) -> None:
    """No test left anything on the host, and nothing surprised the daemon since `began`."""
    host.wait_until(lambda: not host.api("/v1/workloads")["workloads"], "all to be removed")
    assert not host.podman("ps", "--all", "--quiet")
    assert not host.unit_files("*")
    log = host.exec("journalctl", "--user", "--unit=workloadd.service", f"--since=@{began:.0f}")
    assert "Traceback" not in log.stdout


@pytest.fixture(scope="module")
def deadly(the_host: Host) -> Iterator[Host]:
    """The host with a daemon that can be made to die, and a workload that nothing happens to."""
    with mortal(the_host) as host:
        host.deploy("bystander", idle())
        yield host
        host.gone("bystander")


@pytest.fixture
def host(the_host: Host) -> Iterator[Host]:
    """The host; workload files that a test leaves are taken away after it."""
    before = set(the_host.files.iterdir())
    yield the_host
    for path in set(the_host.files.iterdir()) - before:
        remove(path)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A workload's name that no other test has."""
    test = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    return f"t{next(_names)}-{test[:30]}".rstrip("-")


@pytest.fixture
def port() -> int:
    """A host port that no other test has; the nine after it are free as well."""
    return next(_ports)
