"""What workloads use: totals over restarts, and rates."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.observed import Container, Seen, UnitState
from workloadd.core.usage import Group, Look, Meter, Network, Target, rates, targets

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
    limited, free = Group(limit=10), Group()
    assert metered(Look(1, {UNIT: limited, OTHER: limited}, {})).total.limit == 20
    assert metered(Look(1, {UNIT: limited, OTHER: free}, {})).total.limit is None


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
        return Container("i", "n", "web", "main", "r", "i", "i", state, pid=pid)

    running = Seen((container("running", 7), container("exited", 8)), units={"": active})
    assert targets({"web": running, "gone": Seen(units={"": ended})}) == {
        "web": Target((UNIT,), (7,))
    }
