"""The prober: whom it follows, what it keeps, and when it wakes the loop."""

import asyncio
import time

import pytest

from workloadd.core.errors import Transient
from workloadd.core.probe_targets import Target
from workloadd.core.probes import Probe
from workloadd.host.probes import Failed
from workloadd.metrics import Metrics
from workloadd.prober import Prober

QUICK = Probe("readiness", tcp=80, interval=0.01, failure_threshold=2)


class Carrier:
    """Answers as it is told, and counts; `stuck` never answers."""

    def __init__(self) -> None:
        self.answer: Exception | None = None
        self.stuck = False
        self.tries: list[tuple[str, str]] = []
        self.tried = asyncio.Event()

    async def try_once(self, target: Target, probe: Probe) -> None:
        self.tries.append((target.id, probe.kind))
        self.tried.set()
        if self.stuck:
            await asyncio.Event().wait()
        if self.answer:
            raise self.answer


class World:
    """A prober of ours, and how often it woke us."""

    def __init__(self) -> None:
        self.carrier = Carrier()
        self.wakes = 0
        self.woken = asyncio.Event()
        self.metrics = Metrics(tuple)
        self.prober = Prober(self.carrier, time.time, self._wake, self.metrics)

    def _wake(self) -> None:
        self.wakes += 1
        self.woken.set()

    async def turned(self) -> None:
        async with asyncio.timeout(10):
            await self.woken.wait()
        self.woken.clear()

    async def more_tries(self, count: int = 3) -> None:
        enough = len(self.carrier.tries) + count
        async with asyncio.timeout(10):
            while len(self.carrier.tries) < enough:
                self.carrier.tried.clear()
                await self.carrier.tried.wait()


def target(*probes: Probe, id: str = "a" * 64, began: float = 1.0) -> Target:
    return Target("web", "main", id, 1, began, probes or (QUICK,))


async def test_only_what_turns_wakes_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = World()
    world.prober.follow([target()])
    await world.turned()
    assert world.prober.view()["a" * 64].ready is True
    await world.more_tries()
    assert world.wakes == 1
    world.carrier.answer = Failed("ConnectionRefused", "nobody listens on port 80")
    await world.turned()
    health = world.prober.view()["a" * 64]
    assert health.ready is False and health.alive is True
    assert health.results[0].reason == "ConnectionRefused"
    await world.more_tries()
    assert world.wakes == 2
    await world.prober.close()
    assert [r.getMessage() for r in caplog.records if r.name == "workloadd.prober"] == [
        "web: main: the readiness probe succeeds",
        "web: main: the readiness probe fails: nobody listens on port 80",
    ]


@pytest.mark.parametrize(
    "away",
    [
        pytest.param(Transient("HelperAway", "cannot ask the namespace helper"), id="helper"),
        pytest.param(OSError(24, "Too many open files"), id="no-descriptors"),
    ],
)
async def test_what_cannot_be_tried_says_nothing(away: Exception) -> None:
    world = World()
    world.prober.follow([target()])
    await world.turned()
    world.carrier.answer = away
    await world.more_tries(5)
    assert world.prober.view()["a" * 64].ready is True
    assert world.wakes == 1
    await world.prober.close()


async def test_the_startup_probe_comes_first() -> None:
    world = World()
    started = Probe("startup", tcp=80, interval=0.01)
    world.prober.follow([target(started, QUICK)])
    await world.turned()
    await world.turned()
    assert world.prober.view()["a" * 64].ready is True
    assert [kind for _, kind in world.carrier.tries[:2]] == ["startup", "readiness"]
    assert [kind for _, kind in world.carrier.tries].count("startup") == 1
    await world.prober.close()


async def test_a_container_that_goes_is_followed_no_more() -> None:
    world = World()
    world.carrier.stuck = True
    world.prober.follow([target(), target(id="b" * 64)])
    await world.more_tries(2)
    world.prober.follow([target(id="b" * 64)])
    assert set(world.prober.view()) == {"b" * 64}
    await world.prober.close()
    assert world.prober.view() == {}
    assert {t.get_name() for t in asyncio.all_tasks() if "probe " in t.get_name()} == set()


async def test_another_run_of_it_begins_anew() -> None:
    world = World()
    world.prober.follow([target()])
    await world.turned()
    world.carrier.stuck = True
    world.prober.follow([target(began=2.0)])
    assert world.prober.view()["a" * 64].ready is None
    await world.prober.close()
