"""kill -9 of the daemon, at every boundary of what it does: no container notices, all goes on.

Each test has the daemon do one thing again and again, and die at the first boundary of it, then at
the second, and so on until it gets by with fewer (what a boundary is: see faults.py). After each
death the right version serves, all other containers are as they were, nothing is left over; and
taken together no container was started more often than without any death.
"""

import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.host.deaths import Deaths
from tests.host.host import Host
from tests.host.victims import AT_ONCE, Victim, died_of, starts
from tests.host.workloads import NEWER, crashing, serving

OUTFITTED = """\
networks: [inside]
volumes: [{type: volume, source: scratch, target: /scratch, reclaim: delete}]
files: {/etc/motd: {content: hello, on_change: reload}, /etc/issue: hello}
reload: {signal: SIGHUP}
"""


@pytest.fixture(scope="module")
def flat(deadly: Host) -> Iterator[Victim]:
    """A server with a current and a previous deployment."""
    deadly.deploy("flat", serving(19990))
    deadly.deploy("flat", serving(19990, "hostname: second"))
    yield Victim(deadly, "flat", {"flat"}, 1)
    deadly.gone("flat")


def test_an_update(flat: Victim) -> None:
    def change(number: int) -> None:
        more = (AT_ONCE, f"hostname: round-{number}")
        flat.host.write_workload("flat", serving(19990, *more, image=NEWER))

    def serves(_: int) -> bool:
        return flat.host.http(19990) == "busybox 2\n"

    deadly = died_of(flat, change, "stable", serves)
    # Each round's container, when the one before was stopped.
    assert sorted(deadly.starts.values()) == [1] * deadly.rounds
    assert len(deadly.boundaries) > 12


def test_an_update_that_is_undone(flat: Victim) -> None:
    old = flat.host.inspect("flat")["Id"]
    answer = flat.host.http(19990)

    def change(number: int) -> None:
        more = ('ports: ["19990:8080"]', "restart: no", f"hostname: round-{number}")
        flat.host.write_workload("flat", crashing(*more))

    def serves(_: int) -> bool:
        return flat.host.http(19990) == answer and flat.host.inspect("flat")["Id"] == old

    deadly = died_of(flat, change, "rolled-back", serves)
    # The old one once a round, to serve again.
    assert deadly.starts.pop(old) == deadly.rounds
    assert sorted(deadly.starts.values()) == [1] * deadly.rounds
    assert len(deadly.boundaries) > 11


def test_a_first_deployment_and_a_removal(deadly: Host) -> None:
    """Each ends where the other begins."""
    host, text = deadly, serving(19993, AT_ONCE, OUTFITTED)
    host.deploy("outfitted", text)
    host.gone("outfitted")
    host.look_again()
    began, victim = time.time(), Victim(host, "outfitted", {"outfitted"}, 0)
    deployment, removal = Deaths(host), Deaths(host)
    rounds = 0
    while not (deployment.done and removal.done):
        rounds += 1
        deployment.once(
            partial(host.write_workload, victim.name, text), partial(victim.rests, "Ready")
        )
        assert host.http(19993) == "busybox 1\n"
        assert {r["outcome"] for r in host.history(victim.name)["rollouts"]} == {"stable"}
        removal.once(partial(host.remove_workload, victim.name), partial(is_removed, victim))
        assert host.history(victim.name)["events"][0]["kind"] == "removed"
    assert sorted(starts(victim, began).values()) == [1] * rounds
    assert len(deployment.boundaries) > 14
    assert len(removal.boundaries) > 8


def is_removed(victim: Victim) -> bool:
    """Whether nothing of it is left."""
    return not victim.host.status(victim.name) and victim.belongings() == victim.before


def test_going_back_by_hand(flat: Victim) -> None:
    """To the previous deployment, and from there to the one that was left."""
    flat.host.deploy("flat", serving(19990, AT_ONCE))
    flat.host.deploy("flat", serving(19990, AT_ONCE, image=NEWER))

    def change(_: int) -> None:
        # workloadctl hears of the death; it was asked for all the same.
        to = flat.host.status("flat")["previous"]["revision"]
        flat.host.exec("workloadctl", "rollback", "flat", "--to", to, check=False)

    def serves(number: int) -> bool:
        return flat.host.http(19990) == f"busybox {1 + (number + 1) % 2}\n"

    deadly = died_of(flat, change, "stable", serves)
    assert sum(deadly.starts.values()) == deadly.rounds
    assert len(deadly.boundaries) > 10
