"""One throwaway host for all of these tests; names and ports of its own for each."""

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.host import SETTINGS, Host
from tests.host.machine import remove

_HERE = Path(__file__).parent
_ports = itertools.count(20000, 10)
_names = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory; under xdist one worker has the host."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.host)
            item.add_marker(pytest.mark.xdist_group("host"))


@pytest.fixture(scope="session")
def the_host() -> Host:
    """The host, up, with the present tree's workloadd on it and nothing else, kept for next time.

    `WORKLOADD_TEST_HOST` names the instance.
    """
    host = Host(os.environ.get("WORKLOADD_TEST_HOST", "test"))
    host.clean()
    host.write(host.disk / "etc/workloadd/workloadd.conf.d/50-tests.toml", SETTINGS)
    host.start_daemon()
    return host


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
