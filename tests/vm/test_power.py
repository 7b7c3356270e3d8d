"""The host goes down in the middle of rollouts: in good order, or from one instruction to the next.

One boot is for workloads in several stages at a time; each has to end in a state of its own.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.host.host import Document
from tests.host.workloads import NEWER, crashing, idle, serving
from tests.vm.guest import Guest

GOOD, BAD, BESIDE, CALM = "power-good", "power-bad", "power-beside", "power-calm"
FIRST = "update: {order: start-first}"
PORTS = {GOOD: 18110, BAD: 18111}
BEFORE = {
    GOOD: serving(PORTS[GOOD]),
    BAD: serving(PORTS[BAD]),
    BESIDE: idle(FIRST),
    CALM: idle(),
}
AFTER = {
    GOOD: serving(PORTS[GOOD], image=NEWER),
    BAD: crashing(f'ports: ["{PORTS[BAD]}:8080"]'),
    BESIDE: idle(FIRST, image=NEWER),
}


@pytest.fixture(scope="module")
def deployed(guest: Guest) -> Iterator[Guest]:
    """The guest with all of them as they are at first; every test leaves them so."""
    yield guest
    for name in BEFORE:
        guest.gone(name)


def rollouts(guest: Guest) -> list[Document]:
    """Those that go on."""
    try:
        found = guest.api("/v1/workloads").get("workloads", [])
    except OSError:
        return []
    return [one["rollout"] for one in found if one["rollout"]]


def committed(guest: Guest) -> bool:
    return any(one["step"] in ("committed", "verifying") for one in rollouts(guest))


MOMENTS: dict[str, Callable[[Guest], object]] = {
    "as rollouts begin": rollouts,
    "at the first commit": committed,
    "as the new one serves": lambda guest: guest.http(PORTS[GOOD]) == "busybox 2\n",
    "once one is rolled back": lambda guest: outcome(guest, BAD) == "rolled-back",
}


def outcome(guest: Guest, name: str) -> str:
    """How the newest rollout of a workload ended."""
    try:
        newest = guest.history(name)["rollouts"][:1]
    except OSError:
        return ""
    return newest[0]["outcome"] if newest else ""


def as_before(guest: Guest) -> dict[str, str]:
    """Have all of them as they are at first; the containers that serve."""
    for name, text in BEFORE.items():
        guest.write_workload(name, text)
    for name in BEFORE:
        guest.wait_for(name, "Ready")
    guest.wait_until(lambda: guest.http(PORTS[GOOD]) == "busybox 1\n", "the first version")
    return {name: guest.status(name)["current"]["container"] for name in BEFORE}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_power_cut(deployed: Guest, moment: str) -> None:
    before = as_before(deployed)
    change(deployed, moment)
    deployed.cut_power()
    deployed.boot()
    deployed.wait_until(deployed.answers, "the daemon to be back")
    ends_well(deployed, before)


def test_a_reboot(deployed: Guest) -> None:
    before = as_before(deployed)
    change(deployed, "at the first commit")
    deployed.reboot()
    deployed.wait_until(deployed.answers, "the daemon to be back")
    ends_well(deployed, before)


def change(guest: Guest, moment: str) -> None:
    """Change all files but one, and come back at a moment of what comes of it."""
    for name, text in AFTER.items():
        guest.write_workload(name, text)
    # What a person wrote a moment ago may be lost with the power; that is not what is tested.
    guest.root("sync")
    guest.wait_until(lambda: MOMENTS[moment](guest), moment, pause=0.1)


def ends_well(guest: Guest, before: dict[str, str]) -> None:
    """The good ones are new, the bad one is old, the calm one as ever, and nothing is left open."""
    guest.wait_until(lambda: guest.http(PORTS[GOOD]) == "busybox 2\n", "the new version to serve")
    for name in (GOOD, BESIDE):
        current = guest.wait_for(name, "Ready")["current"]
        assert (current["image"], current["container_name"]) == (NEWER, name)
    bad = guest.wait_for(BAD, "Degraded")
    assert bad["current"]["container"] == before[BAD]
    assert guest.http(PORTS[BAD]) == "busybox 1\n"
    assert guest.wait_for(CALM, "Ready")["current"]["container"] == before[CALM]
    for name in BEFORE:
        running = [c for c in guest.containers(name) if c["State"] == "running"]
        assert [c["Names"] for c in running] == [[name]]
        assert len(guest.containers(name)) <= 2
        assert all(one["ended"] for one in guest.history(name)["rollouts"])
    assert outcome(guest, BAD) == "rolled-back"
    assert outcome(guest, GOOD) == "stable"
    state = guest.home / ".local/state/workloadd/history.sqlite3"
    check = f"import sqlite3; print(*sqlite3.connect('{state}').execute('PRAGMA integrity_check'))"
    assert "ok" in guest.exec("python3", "-c", check).stdout
