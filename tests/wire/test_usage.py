"""What workloads use, as the API tells it."""

import pytest

from tests.fakes.installed import Installed
from workloadd.core.usage import Group, Look, Network, Target
from workloadd.core.usage_details import Details
from workloadd.usage import Usage


class Kernel:
    """Counters that grow from look to look."""

    def __init__(self) -> None:
        self.count = 0
        self.later = 0.0
        self.running: dict[str, Target] = {"web": Target(("workload-web.service",))}

    def read(self, target: Target, at: float) -> Look:
        self.count = count = self.count + 1
        group = Group(cpu=count / 2, memory=1000 * count, pids=2, read=0, written=10 * count)
        return Look(at, dict.fromkeys(target.units, group), {1: Network(100 * count, count)})

    def usage(self) -> Usage:
        """A second passes with each look."""
        return Usage(self.read, lambda: self.running, lambda: 1000 + self.count + self.later, 10.0)


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


async def test_a_list_of_all_is_made_once_a_look(host: Installed, kernel: Kernel) -> None:
    await host.start()
    usage = kernel.usage()
    kernel.running = {f"w{number:03}": Target((f"workload-w{number}.service",))
                      for number in range(60)}  # fmt: skip
    await usage.look()
    host.daemon.usage.meters = usage.meters
    _, first = await host.get("/v1/resources")
    assert [one["workload"] for one in first["workloads"]] == sorted(kernel.running)
    assert (await host.get("/v1/resources"))[1] == first
    host.daemon.usage.meters = {}
    assert (await host.get("/v1/resources"))[1]["workloads"] == []


async def test_what_does_not_run_is_forgotten(kernel: Kernel) -> None:
    """… but not at once: a look may fall into the moment of a restart."""
    usage = kernel.usage()
    await usage.look()
    web, kernel.running = kernel.running, {}
    await usage.look()
    assert not usage.meters
    kernel.running = web
    await usage.look()
    first = usage.meters["web"].total.cpu
    assert first == 1.0
    kernel.running = {}
    await usage.look()
    kernel.later += 1000
    await usage.look()
    kernel.running = web
    await usage.look()
    assert len(usage.meters["web"].series["at"]) == 1


async def test_details_are_looked_up_for_who_asks(host: Installed, kernel: Kernel) -> None:
    asked: list[Target] = []

    def details(target: Target) -> Details:
        asked.append(target)
        return Details(throttled=1.5, peak=7, pressure_io=0.25)

    await host.start()
    host.write("web")
    await host.settled()
    usage = Usage(kernel.read, lambda: kernel.running, lambda: 1.0, 10.0, details)
    await usage.look()
    assert not asked
    host.daemon.usage.details = usage.details
    _, found = await host.get("/v1/workloads/web/resources")
    assert found["details"]["cpu_throttled_seconds"] == 1.5
    assert (found["details"]["memory_peak"], found["details"]["memory_anon"]) == (7, None)
    assert asked == [kernel.running["web"]]
    assert await usage.details("other") == Details()


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
