"""Workloads stopped for a reboot of the host: in order, nothing begun, and started again."""

from dataclasses import dataclass, replace

import pytest

from tests.unit.core.job_sim import JobHost
from tests.unit.core.test_dependencies import PLAIN, Hosts
from tests.unit.core.test_job import DAILY, ONCE, job, outcomes
from workloadd.core import actions as a
from workloadd.core.desired import Desired
from workloadd.core.drain import is_drained, is_stopped, look
from workloadd.core.fleetlock import NO_LOCK, Client, Event, Lock, Look, apply
from workloadd.core.hands import Hand, Kind
from workloadd.core.memory import Memory
from workloadd.core.observed import Seen, UnitState
from workloadd.core.world import World

ZINCATI = Client("zincati", "default")
AFTER = f"{PLAIN}depends_on: [db]\n"


@dataclass
class Drained(Hosts):
    """Workloads of a host whose reboot may be asked for."""

    lock: Lock = NO_LOCK

    def memory(self) -> Memory:
        return replace(super().memory(), lock=self.lock)

    def happens(self, event: Event) -> None:
        self.lock = apply(self.lock, event, self.now, "b1", ZINCATI)

    def look(self, busy: tuple[str, ...] = ()) -> Look:
        return look(self.world(), self.plan(), busy)

    def notes(self, name: str) -> list[str]:
        return [note.message for note in self.parts[name].notes]


def settled(**files: str) -> Drained:
    hosts = Drained(files)
    hosts.step(12)
    assert hosts.running() == set(files)
    assert hosts.look() == Look((), 0, len(files))
    return hosts


def test_they_stop_in_the_reverse_order_and_stay_so() -> None:
    hosts = settled(db=PLAIN, web=AFTER)
    hosts.happens(Event.ASKED)
    assert hosts.look() == Look((), 0, 2, began=hosts.lock.began)
    assert "stops first" in hosts.plan().workloads["db"].why
    hosts.step()
    assert hosts.running() == {"db"}
    assert hosts.look().progress == "1 of 2 workloads are stopped"
    hosts.step(5)
    assert hosts.running() == set()
    assert hosts.look() == Look((), 2, 2, began=hosts.lock.began)
    assert hosts.status("web").state == "Drained"
    assert hosts.status("web").message == "stopped for a reboot asked for by zincati"
    hosts.happens(Event.STOPPED)
    assert hosts.status("db").message == "stopped for a reboot granted to zincati"
    (converged,) = (c for c in hosts.status("db").conditions if c.type == "Converged")
    assert (converged.status, converged.reason) == ("False", "Drained")


def test_nothing_new_is_begun() -> None:
    hosts = settled(web=PLAIN)
    hosts.happens(Event.ASKED)
    hosts.files["web"] = f"{PLAIN}command: other\n"
    hosts.files["new"] = PLAIN
    hosts.step(5)
    assert not hosts.running()
    assert not hosts.parts["new"].containers
    hosts.happens(Event.EXPIRED)
    hosts.step(12)
    assert hosts.running() == {"web", "new"}


def test_a_grant_that_came_to_nothing_is_no_drift() -> None:
    hosts = settled(db=PLAIN, web=AFTER)
    hosts.happens(Event.ASKED)
    hosts.step(4)
    hosts.happens(Event.STOPPED)
    hosts.now += 600
    hosts.happens(Event.EXPIRED)
    hosts.step(4)
    assert hosts.running() == {"db", "web"}
    assert hosts.notes("web") == [
        "stopped for a reboot asked for by zincati",
        "started again: the host was not rebooted in time",
    ]


def test_what_goes_or_is_left_alone_does_not_count() -> None:
    hosts = settled(web=PLAIN, off=PLAIN, masked=PLAIN)
    hosts.files["off"] = f"{PLAIN}enabled: false\n"
    hosts.parts["masked"].masked = True
    hosts.happens(Event.ASKED)
    hosts.step(3)
    assert hosts.running() == {"masked"}
    assert hosts.look() == Look((), 1, 1, began=hosts.lock.began)
    assert hosts.status("off").state == "Disabled"
    del hosts.files["web"]
    hosts.step(3)
    assert not hosts.parts["web"].containers, "a removal goes on"


@pytest.mark.parametrize("kind", ["pause", "stop"])
def test_what_was_stopped_or_paused_by_hand_is_left_to_that(kind: Kind) -> None:
    hosts = settled(web=PLAIN)
    hand = Hand("web", kind, "alice", 1.0)
    hosts.happens(Event.ASKED)
    memory = replace(hosts.memory(), hands={"web": {kind: hand}})
    declared, seen = hosts.desired().workloads["web"], hosts.observed().workloads["web"]
    assert is_drained("web", declared, seen, hosts.memory())
    assert not is_drained("web", declared, seen, memory)


def test_a_rollout_hinders_until_it_has_ended() -> None:
    hosts = Drained({"web": PLAIN})
    hosts.host("web")
    assert hosts.look().hindrances == ("a rollout of web is being prepared",)
    hosts.step()
    assert hosts.look().hindrances == ("a rollout of web has yet to prove itself",)
    assert hosts.look(busy=("web",)).hindrances == ("a rollout of web is being prepared",)
    hosts.step(6)
    assert hosts.look().hindrances == ()
    # What starts a stopped one again is no rollout.
    hosts.parts["web"].stop()
    assert hosts.look(busy=("web",)).hindrances == ()


def test_a_rollout_that_waits_for_another_workload_does_not() -> None:
    hosts = Drained({"web": f"{PLAIN}depends_on: [missing]\n"})
    hosts.step(3)
    assert hosts.memory().rollouts
    assert hosts.look().hindrances == ()


def test_what_waits_to_be_started_again_is_stopped_as_well() -> None:
    hosts = settled(web=PLAIN)
    hosts.parts["web"].unit().active_state = "activating"
    hosts.happens(Event.ASKED)
    assert a.StopUnit() in hosts.plan().workloads["web"].actions


def test_is_stopped() -> None:
    down = UnitState(active_state="inactive")
    assert is_stopped(Seen())
    assert is_stopped(Seen(units={"": replace(down, active_state="failed")}))
    assert is_stopped(Seen(units={"": replace(down, active_state="active", sub_state="exited")}))
    for state in ("active", "activating", "deactivating", "reloading"):
        assert not is_stopped(Seen(units={"": replace(down, active_state=state)})), state
    assert not is_stopped(Seen(units={"": replace(down, job="start")}))
    assert not is_stopped(Seen(timer=replace(down, active_state="active")))
    assert not is_stopped(Seen(sockets={"x.socket": replace(down, active_state="active")}))


def asked(host: JobHost) -> None:
    host.lock = apply(host.lock, Event.ASKED, host.now, "b1", ZINCATI)


def undone(host: JobHost) -> None:
    host.lock = apply(host.lock, Event.EXPIRED, host.now, "b1")


def seen_of(host: JobHost, declared: object) -> Look:
    assert isinstance(declared, type(ONCE))
    desired, observed = Desired({declared.name: declared}), host.observed()
    memory = Memory(lock=host.lock, rollouts=dict(host.rollouts))
    return look(World(desired, observed, memory, host.now), a.Plan({}), ())


def test_a_run_that_says_so_is_not_interrupted() -> None:
    host, marked = JobHost(), job(schedule="daily", inhibit_reboot=True)
    host.settle(marked)
    host.elapse()
    host.settle(marked)
    assert seen_of(host, marked).hindrances == (
        "a run of backup is on, which says inhibit_reboot".replace("backup", marked.name),
    )
    # It began in the moment in which the drain did.
    asked(host)
    host.settle(marked)
    assert host.running and host.timer
    host.finish(0)
    host.settle(marked)
    assert not host.timer
    assert seen_of(host, marked).hindrances == ()


def test_any_other_run_is_stopped_and_its_timer() -> None:
    host = JobHost()
    host.settle(DAILY)
    host.elapse()
    host.settle(DAILY)
    assert seen_of(host, DAILY).hindrances == ()
    asked(host)
    host.settle(DAILY)
    assert not host.running and not host.timer
    undone(host)
    host.settle(DAILY)
    assert host.timer and outcomes(host) == ["interrupted"]


@pytest.mark.parametrize("retries", [0, 1])
def test_a_run_that_was_interrupted_in_vain_has_its_retries(retries: int) -> None:
    host, once = JobHost(), job(retries=retries)
    host.settle(once)
    assert host.running
    asked(host)
    host.settle(once)
    assert not host.running
    host.now += 600
    undone(host)
    host.settle(once)
    assert bool(host.running) == bool(retries)


def test_one_that_has_ended_does_not_run_again() -> None:
    host = JobHost()
    host.settle(ONCE)
    host.finish(0)
    host.settle(ONCE)
    asked(host)
    assert not host.plan(ONCE).actions
    undone(host)
    host.settle(ONCE)
    assert len(host.began) == 1
