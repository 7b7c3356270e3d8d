"""kill -9 of the daemon, at each step of what it does: no container notices, all is carried on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import faults
from tests.host.host import Document, Host
from tests.host.workloads import NEWER, crashing, idle, serving

DROP_IN = "etc/systemd/user/workloadd.service.d/90-faults.conf"
PROGRAM = "usr/local/lib/workloadd-faults.py"
# Started again at once, however often: the tests kill more than any start limit allows.
UNIT = f"""\
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=
ExecStart=/usr/bin/python3 -I /{PROGRAM}
RestartSec=100ms
RestartSteps=0
"""
DEPLOY = [
    "BeginRollout", "CreateContainers", "WriteUnits", "StartUnit", "RenameContainer", "EndRollout",
    "after EndRollout",
]  # fmt: skip
UPDATE = [
    "BeginRollout", "CreateContainers", "WriteUnits", "DaemonReload", "RestartUnit", "start",
    "RemoveContainer", "RenameContainer", "RenameContainer 2", "EndRollout", "after EndRollout",
]  # fmt: skip
ROLLBACK = [
    "MarkBad", "WriteUnits 2", "DaemonReload 2", "RestartUnit 2", "start 2", "EndRollout",
    "RemoveContainer", "after RemoveContainer",
]  # fmt: skip
REMOVAL = [
    "StopUnit", "RemoveContainer", "RemoveVolumes", "RemoveNetworks", "RemoveUnits", "Note",
    "after Note",
]  # fmt: skip


@pytest.fixture(scope="module")
def mortal(the_host: Host) -> Iterator[Host]:
    """The host with a daemon that dies where `doom` says."""
    drop_in = the_host.disk / DROP_IN
    the_host.write(the_host.disk / PROGRAM, Path(faults.__file__).read_text())
    the_host.write(drop_in, UNIT)
    the_host.systemctl("daemon-reload")
    the_host.systemctl("restart", "workloadd.service")
    yield the_host
    drop_in.unlink()
    (the_host.disk / PROGRAM).unlink()
    (the_host.runtime / faults.FAULT).unlink(missing_ok=True)
    the_host.systemctl("daemon-reload")
    the_host.systemctl("restart", "workloadd.service")


@pytest.fixture(scope="module")
def bystander(mortal: Host) -> Iterator[str]:
    """A workload that nothing happens to, whatever becomes of the daemon."""
    mortal.deploy("bystander", idle())
    before = mortal.inspect("bystander")
    yield "bystander"
    after = mortal.inspect("bystander")
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]
    mortal.gone("bystander")


@pytest.fixture(scope="module")
def victim(mortal: Host, bystander: str) -> Iterator[str]:
    """A workload with a current and a previous deployment, that every update goes on from."""
    mortal.deploy("victim", serving(19990))
    mortal.deploy("victim", serving(19990, "hostname: second"))
    yield "victim"
    mortal.gone("victim")


def doom(host: Host, name: str, place: str) -> None:
    """Have the daemon die at a place: ACTION, `ACTION COUNT` or `after ACTION`."""
    when = "after" if place.startswith("after ") else "before"
    action, _, count = place.removeprefix("after ").partition(" ")
    fault = {"workload": name, "action": action, "count": int(count or 1), "when": when}
    host.write(host.runtime / faults.FAULT, json.dumps(fault), mine=True)


def survived(host: Host) -> None:
    """Wait until the daemon was killed and another one has looked at the host."""
    host.wait_until(lambda: not (host.runtime / faults.FAULT).exists(), "the daemon to be killed")
    host.wait_until(host.answers, "another daemon")


def tidy(host: Host, name: str, *, containers: int) -> Document:
    """The status once a workload serves, after checking that nothing is left over or open."""

    def look() -> Document | None:
        status = host.status(name)
        current = status.get("current") or {}
        proven = current.get("container_name") == name and current["state"] == "running"
        calm = not status.get("rollout") and status.get("state") in ("Ready", "Degraded")
        return status if proven and calm and len(host.containers(name)) == containers else None

    status = host.wait_until(look, f"{name} to serve with nothing left over")
    assert [c["Names"] for c in host.containers(name) if c["State"] == "running"] == [[name]]
    assert not [r for r in host.history(name)["rollouts"] if not r["ended"]]
    return status


@pytest.mark.parametrize("place", DEPLOY)
def test_during_a_first_rollout(
    mortal: Host, host: Host, name: str, port: int, bystander: str, place: str
) -> None:
    doom(host, name, place)
    host.write_workload(name, serving(port))
    survived(host)
    tidy(host, name, containers=1)
    assert host.http(port) == "busybox 1\n"
    assert [r["outcome"] for r in host.history(name)["rollouts"]] == ["stable"]


@pytest.mark.parametrize("place", UPDATE)
def test_during_an_update(host: Host, victim: str, place: str) -> None:
    before = tidy(host, victim, containers=2)["current"]
    doom(host, victim, place)
    text = serving(19990, f"labels: {{at: {place}}}", image=NEWER)
    host.write_workload(victim, text)
    survived(host)
    host.wait_until(
        lambda: (host.status(victim).get("current") or before)["container"] != before["container"],
        "the new one to be current",
    )
    status = tidy(host, victim, containers=2)
    assert host.inspect(victim)["Config"]["Labels"]["at"] == place
    assert status["previous"]["container"] == before["container"]
    assert host.http(19990) == "busybox 2\n"
    rollout = host.history(victim)["rollouts"][0]
    assert (rollout["revision"], rollout["outcome"]) == (status["current"]["revision"], "stable")


@pytest.mark.parametrize("place", ROLLBACK)
def test_during_a_rollback(host: Host, victim: str, place: str) -> None:
    before = tidy(host, victim, containers=2)["current"]
    doom(host, victim, place)
    text = crashing('ports: ["19990:8080"]', f"labels: {{at: {place}}}")
    host.write_workload(victim, text)
    survived(host)
    host.wait_for(victim, "Degraded")
    # The failed one was previous to nothing; the older one went when a newer one was prepared.
    host.wait_until(lambda: host.http(19990), "the old one to serve again")
    rollout = host.history(victim)["rollouts"][0]
    assert rollout["outcome"] == "rolled-back"
    assert host.inspect(victim)["Id"] == before["container"]
    tidy(host, victim, containers=2)


@pytest.mark.parametrize("place", REMOVAL)
def test_during_a_removal(
    mortal: Host, host: Host, name: str, port: int, bystander: str, place: str
) -> None:
    volume = "{type: volume, source: scratch, target: /scratch, reclaim: delete}"
    host.deploy(name, serving(port, f"volumes: [{volume}]"))
    doom(host, name, place)
    host.remove_workload(name)
    survived(host)
    host.wait_until(lambda: not host.status(name), "it to be removed")
    assert not host.containers(name)
    assert not host.unit_files(name)
    assert f"{name}_scratch" not in host.volumes()
    assert host.history(name)["events"][0]["kind"] == "removed"
