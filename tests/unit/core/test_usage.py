"""What workloads use: totals over restarts, and rates."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.observed import Container, Seen, UnitFile, UnitRecord, UnitState
from workloadd.core.usage import (
    KEPT,
    Group,
    Look,
    Meter,
    Network,
    Process,
    Target,
    rates,
    targets,
)
from workloadd.spec.names import MAIN_CONTAINER

UNIT = "workload-web.service"
OTHER = "workload-web_trial.service"
counts = st.integers(0, 1 << 50)


def look(at: float, cpu: float | None = None, **group: int) -> Look:
    return Look(at, {UNIT: Group(cpu=cpu, **group)}, {})


def metered(*looks: Look, kept: int = 90) -> Meter:
    meter = Meter(kept)
    for one in looks:
        meter.add(one)
    return meter


@given(st.lists(counts, min_size=1, max_size=30))
def test_a_total_only_grows(found: list[int]) -> None:
    """Whatever a counter says: one that is smaller than before has begun anew."""
    totals, before = [], 0
    meter = Meter()
    for at, count in enumerate(found):
        meter.add(Look(at, {UNIT: Group(read=count)}, {}))
        totals.append(meter.total.read)
        assert totals[-1] is not None and totals[-1] >= before
        before = totals[-1]
    restarts = [new for old, new in pairwise(found) if new < old]
    grown = [new - old for old, new in pairwise(found) if new >= old]
    assert totals[-1] == found[0] + sum(grown) + sum(restarts)


@given(st.lists(st.one_of(st.none(), counts), max_size=20))
def test_rates_are_as_many_and_never_below_nothing(found: list[int | None]) -> None:
    result = rates([float(at) for at in range(len(found))], found)
    assert len(result) == len(found)
    assert all(rate is None or rate >= 0 for rate in result)
    for at, rate in enumerate(result):
        assert (rate is None) == (at == 0 or found[at] is None or found[at - 1] is None)


def test_a_unit_that_could_not_be_read_once_is_not_counted_twice() -> None:
    meter = metered(look(1, 5.0), Look(2, {}, {}), look(3, 6.0))
    assert meter.total.cpu == 6.0


def test_the_new_one_beside_the_old_is_added() -> None:
    both = Look(2, {UNIT: Group(cpu=5.0, memory=10), OTHER: Group(cpu=1.0, memory=20)}, {})
    meter = metered(look(1, 5.0, memory=10), both)
    assert (meter.total.cpu, meter.total.memory) == (6.0, 30)
    assert meter.rate("cpu") == 1.0


def test_a_network_of_its_own_after_a_restart() -> None:
    looks = [Look(1, {}, {7: Network(100, 50)}), Look(2, {}, {8: Network(30, 10)})]
    meter = metered(*looks, Look(3, {}, {8: Network(40, 10)}))
    assert (meter.total.received, meter.total.sent) == (140, 60)
    assert meter.rate("received") == 10.0


def test_a_limit_is_that_of_all_or_of_none() -> None:
    limited, free = Group(memory=1, limit=10), Group(memory=1)
    assert metered(Look(1, {UNIT: limited, OTHER: limited}, {})).total.limit == 20
    assert metered(Look(1, {UNIT: limited, OTHER: free}, {})).total.limit is None


def test_a_unit_without_a_container_needs_no_limit() -> None:
    groups = {UNIT: Group(helpers=5), OTHER: Group(memory=1, limit=10, helpers=7)}
    total = metered(Look(1, groups, {})).total
    assert (total.limit, total.memory, total.helpers) == (10, 1, 12)


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_network_that_could_not_be_read_is_not_counted_twice(seen: list[bool]) -> None:
    meter, count = Meter(), 0
    for at, there in enumerate(seen, 1):
        count += 10
        meter.add(Look(at, {}, {7: Network(count, count)} if there else {}))
    last = max((at for at, there in enumerate(seen, 1) if there), default=0)
    assert (meter.total.received or 0) == 10 * last


@given(st.integers(1, 200))
def test_networks_of_the_past_are_few(restarts: int) -> None:
    meter = Meter()
    for number in range(restarts):
        meter.add(Look(number + 1, {}, {number: Network(5, 5)}))
    assert meter.total.received == 5 * restarts
    assert len(meter._networks) <= 5


def test_the_share_of_one_unit() -> None:
    looks = [Look(at, {UNIT: Group(cpu=at / 4), OTHER: Group()}, {}) for at in (2.0, 4.0)]
    meter = metered(*looks)
    assert (meter.share(UNIT), meter.share(OTHER), meter.share("gone")) == (0.25, None, None)
    assert metered(looks[0]).share(UNIT) is None


@given(st.integers(0, 400))
def test_what_is_kept_is_bounded(looks: int) -> None:
    meter = metered(*(look(at + 1.0, float(at)) for at in range(looks)))
    assert len(meter.series["at"]) == min(looks, KEPT)
    assert len(meter._series) * meter._series.itemsize <= 8192


@pytest.mark.parametrize("at", [1.0, 0.5])
def test_a_clock_that_stands_or_goes_back(at: float) -> None:
    assert metered(look(1.0, 5.0), look(at, 6.0)).rate("cpu") is None


def test_only_so_much_is_kept() -> None:
    meter = metered(*(look(at, float(at)) for at in range(1, 101)), kept=7)
    assert meter.series["at"] == [float(at) for at in range(94, 101)]
    assert meter.series["memory"] == [None] * 7


def test_where_to_look() -> None:
    active, ended = UnitState(active_state="active"), UnitState(active_state="failed")

    def container(state: str, pid: int) -> Container:
        return Container("i", "n", "web", MAIN_CONTAINER, "r", "i", "i", state, pid=pid)

    running = Seen((container("running", 7), container("exited", 8)), units={"": active})
    assert targets({"web": running, "gone": Seen(units={"": ended})}) == {
        "web": Target((UNIT,), (Process(UNIT, "i", 7),))
    }


def test_which_unit_a_container_is_in() -> None:
    """The record knows, where there are two in turns."""
    active = UnitState(active_state="active")
    one = Container("i", "n", "web", MAIN_CONTAINER, "r", "i", "i", "running", pid=7)
    file = UnitFile(UnitRecord("web", "r", (("_b", "i"),)), intact=True, enabled=True)
    found = targets({"web": Seen((one,), file, {"": active, "b": active})})
    assert found["web"].processes == (Process("workload-web_b.service", "i", 7),)
