"""One virtual machine for all of these tests, booted anew for them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.conftest import name, port
from tests.vm.guest import Guest

__all__ = ["name", "port"]

_HERE = Path(__file__).parent
# Seconds for one test, the boots that its fixtures make included.
_TIMEOUT = 900
SETTINGS = """
[rollout]
soak = "1s"
deadline = "4m"
[pull]
backoff_base = "500ms"
backoff_max = "2s"
[usage]
interval = "2s"
[log]
level = "debug"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory, and give it time."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.vm)
            item.add_marker(pytest.mark.timeout(_TIMEOUT))


@pytest.fixture(scope="session")
def guest() -> Iterator[Guest]:
    """The guest with the present tree's workloadd on it and nothing else, kept for next time.

    `WORKLOADD_TEST_VM` names the instance.
    """
    guest = Guest(os.environ.get("WORKLOADD_TEST_VM", "test"))
    guest.clean()
    guest.write(guest.settings / "50-tests.toml", SETTINGS)
    began = time.time()
    guest.start_daemon()
    yield guest
    guest.net.close()
    log = guest.exec("journalctl", "--user", "--unit=workloadd.service", f"--since=@{began:.0f}")
    assert "Traceback" not in log.stdout
