"""kill -9 of the daemon at every boundary of the updates of workloads with several units."""

from collections.abc import Iterator

import pytest

from tests.host.host import Host
from tests.host.test_pods import pod
from tests.host.test_sockets import on_demand
from tests.host.victims import AT_ONCE, Victim, died_of

BESIDE = "update: {order: start-first, soak: 0s}"


@pytest.fixture(scope="module")
def together(deadly: Host) -> Iterator[Victim]:
    """A pod, of one of whose containers an older one is kept."""
    deadly.deploy("together", pod(19991))
    deadly.deploy("together", pod(19991, side="sleep 4711"))
    yield Victim(deadly, "together", {"together__infra", "together_web", "together_side"}, 1)
    deadly.gone("together")


def test_an_update_of_one_container_of_a_pod(together: Victim) -> None:
    def change(number: int) -> None:
        text = pod(19991, side=f"sleep 10{number}", more=AT_ONCE)
        together.host.write_workload("together", text)

    def serves(_: int) -> bool:
        return together.host.http(19991) == "busybox 1\n"

    deadly = died_of(together, change, "stable", serves)
    # That one, and neither the other one nor the pod itself.
    assert sorted(deadly.starts.values()) == [1] * deadly.rounds
    assert len(deadly.boundaries) > 14


def test_an_update_of_one_container_of_a_pod_that_is_undone(together: Victim) -> None:
    old = together.host.inspect("together_side")["Id"]
    together.kept = 0  # of pods nothing is kept that is older than the one that serves again

    def change(number: int) -> None:
        text = pod(19991, side=f'[sh, -c, "exit 3", "{number}"], restart: no')
        together.host.write_workload("together", text)

    def serves(_: int) -> bool:
        same = together.host.inspect("together_side")["Id"] == old
        return same and together.host.http(19991) == "busybox 1\n"

    deadly = died_of(together, change, "rolled-back", serves)
    assert deadly.starts.pop(old) == deadly.rounds
    assert sorted(deadly.starts.values()) == [1] * deadly.rounds
    assert len(deadly.boundaries) > 14


@pytest.fixture(scope="module")
def beside(deadly: Host) -> Iterator[Victim]:
    """A server whose next deployment proves itself beside it."""
    deadly.deploy("beside", on_demand(deadly, 19992, BESIDE))
    deadly.deploy("beside", on_demand(deadly, 19992, BESIDE, hostname="second"))
    yield Victim(deadly, "beside", {"beside"}, 1)
    deadly.gone("beside")


def test_an_update_that_starts_first(beside: Victim) -> None:
    def change(number: int) -> None:
        text = on_demand(beside.host, 19992, BESIDE, hostname=f"round-{number}")
        beside.host.write_workload("beside", text)

    def serves(number: int) -> bool:
        return beside.host.http(19992).startswith(f"round-{number} ")

    deadly = died_of(beside, change, "stable", serves)
    assert sorted(deadly.starts.values()) == [1] * deadly.rounds
    assert len(deadly.boundaries) > 17


def test_an_update_that_starts_first_and_is_undone(beside: Victim) -> None:
    old = beside.host.inspect("beside")["Id"]
    answer = beside.host.http(19992)

    def change(number: int) -> None:
        more = (f"command: [nginx, -c, /no/{number}]", "restart: no")
        text = on_demand(beside.host, 19992, "update: {order: start-first}", *more)
        beside.host.write_workload("beside", text)

    def serves(_: int) -> bool:
        return beside.host.http(19992) == answer

    deadly = died_of(beside, change, "rolled-back", serves)
    # The one that serves notices nothing of it.
    assert old not in deadly.starts and len(deadly.starts) == deadly.rounds
    assert sorted(deadly.starts.values()) == [1] * deadly.rounds
    assert len(deadly.boundaries) > 11
