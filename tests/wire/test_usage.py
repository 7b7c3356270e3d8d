"""What workloads use, as the API tells it."""

from collections.abc import Iterator

import pytest

from tests.fakes.installed import Installed
from workloadd.core.usage import Group, Look, Network, Target
from workloadd.usage import Usage


class Kernel:
    """Counters that grow from look to look."""

    def __init__(self) -> None:
        self.looks: Iterator[int] = iter(range(1, 100))
        self.running: dict[str, Target] = {"web": Target(("workload-web.service",), (7,))}

    def read(self, target: Target, at: float) -> Look:
        count = next(self.looks)
        group = Group(cpu=count / 2, memory=1000 * count, pids=2, read=0, written=10 * count)
        return Look(at, dict.fromkeys(target.units, group), {1: Network(100 * count, count)})

    def usage(self) -> Usage:
        times = iter(range(1000, 2000))
        return Usage(self.read, lambda: self.running, lambda: float(next(times)), 10.0)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


async def test_rates_come_with_the_second_look(host: Installed, kernel: Kernel) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    usage = kernel.usage()
    await usage.look()
    host.daemon.usage.meters = usage.meters
    _, first = await host.get("/v1/workloads/web/resources")
    assert (first["now"]["cpu"], first["now"]["memory"]) == (None, 1000)
    await usage.look()
    _, second = await host.get("/v1/workloads/web/resources")
    assert second["now"]["cpu"] == 0.5
    assert second["now"]["received"] == 100
    assert second["now"]["received_bytes"] == 200
    assert second["now"]["memory_limit"] is None
    assert second["series"]["at"] == [1000, 1001]
    assert second["series"]["written"] == [None, 10]
    text = await host.told("/web")
    assert "50 % of a core, 2.0 KiB, 2 processes" in text
    _, everything = await host.get("/v1/resources")
    assert [one["workload"] for one in everything["workloads"]] == ["web"]
    assert everything["workloads"][0] == {**second["now"], "workload": "web"}


async def test_what_does_not_run_is_forgotten(kernel: Kernel) -> None:
    usage = kernel.usage()
    await usage.look()
    assert set(usage.meters) == {"web"}
    kernel.running = {}
    await usage.look()
    assert not usage.meters


async def test_nobody_looks(host: Installed) -> None:
    """The daemon goes on where it is turned off."""
    off = host.settings.usage.model_copy(update={"interval": 0.0})
    host.settings = host.settings.model_copy(update={"usage": off})
    await host.start()
    host.write("web")
    await host.settled()
    _, found = await host.get("/v1/workloads/web/resources")
    assert found["interval"] == 0
    assert found["series"]["at"] == []
    assert found["now"]["at"] is None


async def test_of_what_is_not_there(host: Installed) -> None:
    await host.start()
    status, found = await host.get("/v1/workloads/web/resources")
    assert (status, found["reason"]) == (404, "NoSuchWorkload")
