"""What is started when, over workloads and over the containers of a pod."""

from dataclasses import dataclass, field, replace

import pytest

from tests.unit.core.sim import BOOT, POLICY, Host, declared
from tests.unit.core.test_plan_properties import IMAGE, IMAGES
from workloadd.core import actions as a
from workloadd.core.assess import Knowledge, assess
from workloadd.core.desired import Declared, Desired, Elsewhere
from workloadd.core.hands import Hand, Kind
from workloadd.core.health import Health
from workloadd.core.memory import Memory
from workloadd.core.observed import Observed
from workloadd.core.plan import plan
from workloadd.core.probes import Probe
from workloadd.core.runs import Run
from workloadd.core.status import WorkloadStatus
from workloadd.core.world import World

PLAIN = f"image: {IMAGE}\n"


@dataclass
class Hosts:
    """Several workloads' corners of one host, planned for together."""

    files: dict[str, str]
    parts: dict[str, Host] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)
    runs: dict[str, tuple[Run, ...]] = field(default_factory=dict)
    elsewhere: tuple[Elsewhere, ...] = ()
    hands: dict[str, dict[Kind, Hand]] = field(default_factory=dict)
    now: float = 2_000.0

    def desired(self) -> Desired:
        found: dict[str, Declared] = {n: declared(n, text) for n, text in self.files.items()}
        return Desired(found, elsewhere=self.elsewhere)

    def host(self, name: str) -> Host:
        return self.parts.setdefault(name, Host(name, images=dict(IMAGES)))

    def observed(self) -> Observed:
        seen = {name: host.seen() for name, host in self.parts.items()}
        return Observed(seen, dict(IMAGES), BOOT)

    def memory(self) -> Memory:
        found = [host.memory() for host in self.parts.values()]
        return Memory(
            bad={k: v for m in found for k, v in m.bad.items()},
            rollouts={k: v for m in found for k, v in m.rollouts.items()},
            last={k: v for m in found for k, v in m.last.items()},
            health=self.health,
            runs=self.runs,
            hands=self.hands,  # type: ignore[arg-type]
        )

    def world(self) -> World:
        return World(self.desired(), self.observed(), self.memory(), self.now)

    def plan(self) -> a.Plan:
        return plan(self.world(), POLICY)

    def step(self, passes: int = 1) -> None:
        """Passes in which every workload's plan is carried out."""
        for name in self.files:
            self.host(name)
        for _ in range(passes):
            for name, planned in self.plan().workloads.items():
                host = self.host(name)
                host.now = self.now
                # Runs of jobs are told by `runs`.
                known = [x for x in planned.actions if not isinstance(x, a.StartRun)]
                host.carry_out(tuple(known))
            self.now += 2.0

    def running(self) -> set[str]:
        return {
            name
            for name, host in self.parts.items()
            if any(c.running for c in host.containers.values())
        }

    def status(self, name: str) -> WorkloadStatus:
        known = Knowledge(self.world(), self.plan(), {})
        return next(one for one in assess(known, {}) if one.name == name)


def waiting_for(condition: str, *, restart: bool = False) -> str:
    needs = f"{{db: {{condition: {condition}, restart: {str(restart).lower()}}}}}"
    return f"{PLAIN}depends_on: {needs}\n"


def probed(hosts: Hosts, name: str, ready: bool | None) -> None:
    """Give a workload's container a readiness probe, and the word of it."""
    host = hosts.host(name)
    for container in host.containers.values():
        assert container.params
        params = replace(container.params, probes=(Probe("readiness", tcp=80),))
        host.containers[container.id] = replace(container, params=params)
        hosts.health[container.id] = Health(True, ready, True, began=container.started_at)


@pytest.mark.parametrize("condition", ["started", "healthy"])
def test_it_is_started_after_the_other_one(condition: str) -> None:
    hosts = Hosts({"app": waiting_for(condition), "db": PLAIN})
    hosts.step()
    assert hosts.running() == {"db"}
    assert len(hosts.host("app").containers) == 1, "all is made that can be"
    assert hosts.host("app").file is None
    hosts.step()
    assert hosts.running() == {"app", "db"}
    hosts.step(8)
    assert [e.outcome for e in hosts.host("app").ended] == ["stable"]


def test_what_is_missing_is_said() -> None:
    hosts = Hosts({"app": waiting_for("started")})
    hosts.step(3)
    found = hosts.status("app")
    assert (found.state, found.message) == ("Waiting", "waits for db (there is no such workload)")
    condition = found.condition("Dependencies")
    assert condition and (condition.status, condition.reason) == ("False", "WaitingFor")
    hosts.files["db"] = PLAIN
    hosts.step(3)
    assert hosts.running() == {"app", "db"}
    met = hosts.status("app").condition("Dependencies")
    assert met and met.status == "True"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{PLAIN}enabled: false\n", "it is disabled"),
        ("image: 1\n", "its file is wrong"),
    ],
)
def test_why_it_is_not_there(text: str, why: str) -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": text})
    hosts.step(3)
    assert hosts.status("app").message == f"waits for db ({why})"


def test_elsewhere() -> None:
    other = (Elsewhere("db", "/etc/db.yaml", "site is not berlin"),)
    hosts = Hosts({"app": waiting_for("started")}, elsewhere=other)
    hosts.step()
    assert "it is not for this host: site is not berlin" in hosts.status("app").message


def test_healthy_is_what_the_probe_says() -> None:
    hosts = Hosts({"db": PLAIN})
    hosts.step(8)
    hosts.files["app"] = waiting_for("healthy")
    probed(hosts, "db", None)
    hosts.step(2)
    assert hosts.running() == {"db"}
    assert hosts.status("app").message == "waits for db (its readiness probe has not succeeded yet)"
    probed(hosts, "db", True)
    hosts.step(2)
    assert hosts.running() == {"app", "db"}
    probed(hosts, "db", False)
    hosts.step(2)
    assert hosts.running() == {"app", "db"}, "what runs goes on"


def test_completed_is_a_job_that_succeeded() -> None:
    hosts = Hosts({"app": waiting_for("completed"), "db": f"kind: job\n{PLAIN}"})
    hosts.step(2)
    assert hosts.status("app").message == "waits for db (it has not run yet)"
    revision = _revision(hosts, "db")
    run = Run(1, "db", revision, "c", "revision", 1, hosts.now, hosts.now + 1, 1, "failed")
    hosts.runs["db"] = (run,)
    assert "failed with exit code 1" in hosts.status("app").message
    hosts.runs["db"] = (replace(run, outcome="succeeded", exit_code=0),)
    for name, planned in hosts.plan().workloads.items():
        if name == "app":
            hosts.host(name).carry_out(planned.actions)
    assert hosts.running() >= {"app"}


def _revision(hosts: Hosts, name: str) -> str:
    file = hosts.host(name).file
    assert file and file.record
    return file.record.revision


def test_after_a_reboot_and_with_a_new_daemon_as_well() -> None:
    hosts = Hosts({"app": waiting_for("healthy"), "db": PLAIN})
    hosts.step(10)
    probed(hosts, "db", True)
    for host in hosts.parts.values():
        host.stop()
    hosts.health.clear()
    starts = {n: p.actions for n, p in hosts.plan().workloads.items()}
    assert any(isinstance(action, a.StartUnit) for action in starts["db"])
    assert not any(isinstance(action, a.StartUnit) for action in starts["app"])
    hosts.step()
    assert hosts.running() == {"db"}
    hosts.step()
    assert hosts.running() == {"db"}
    probed(hosts, "db", True)
    hosts.step()
    assert hosts.running() == {"app", "db"}


def test_waiting_takes_nothing_off_the_deadline() -> None:
    hosts = Hosts({"app": waiting_for("started")})
    hosts.step(2)
    hosts.now += 10 * POLICY.deadline
    hosts.step(2)
    hosts.files["db"] = PLAIN
    hosts.step(12)
    assert [e.outcome for e in hosts.host("app").ended] == ["stable"]


def test_an_update_that_cannot_start_yet_leaves_the_old_one() -> None:
    hosts = Hosts({"app": PLAIN})
    hosts.step(8)
    before = hosts.host("app").serving()
    hosts.files["app"] = waiting_for("started")
    hosts.step(3)
    assert hosts.host("app").serving() == before
    assert hosts.status("app").condition("Ready") is not None
    hosts.files["db"] = PLAIN
    hosts.step(8)
    assert hosts.host("app").serving().id != before.id


def test_who_asked_for_it_is_restarted_when_the_other_is_replaced() -> None:
    hosts = Hosts(
        {"app": waiting_for("healthy", restart=True), "calm": waiting_for("healthy"), "db": PLAIN}
    )
    hosts.step(12)
    since = {name: hosts.host(name).serving().started_at for name in ("app", "calm")}
    hosts.files["db"] = f"{PLAIN}user: nobody\n"
    hosts.step(12)
    assert hosts.host("app").serving().started_at > since["app"]
    assert hosts.host("calm").serving().started_at == since["calm"]
    assert [n.message for n in hosts.host("app").notes] == ["restarted, as db was replaced"]


def test_they_stop_in_the_reverse_order() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": PLAIN})
    hosts.step(10)
    hosts.files.clear()
    planned = hosts.plan().workloads
    assert any(isinstance(action, a.StopUnit) for action in planned["app"].actions)
    assert planned["db"].actions == ()
    assert planned["db"].why == "app, which was started after it, stops first"
    hosts.step(2)
    assert not hosts.running()


def test_a_unit_that_still_clears_away_has_not_stopped() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": PLAIN})
    hosts.step(10)
    hosts.files.clear()
    app = hosts.host("app")
    app.stop()
    assert hosts.plan().workloads["db"].actions
    app.unit().active_state = "deactivating"
    assert hosts.plan().workloads["db"].why == "app, which was started after it, stops first"


def test_one_that_stays_does_not_keep_the_other_from_going() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": PLAIN})
    hosts.step(10)
    del hosts.files["db"]
    hosts.step(2)
    assert hosts.running() == {"app"}


POD = f"""\
containers:
  app:
    image: {IMAGE}
    depends_on: {{db: {{condition: healthy, restart: true}}}}
  db: {{image: '{IMAGE}'}}
"""


def in_pod(hosts: Hosts) -> set[str]:
    return {c.container for c in hosts.host("shop").containers.values() if c.running}


def test_containers_of_a_pod_wait_for_each_other() -> None:
    hosts = Hosts({"shop": POD})
    hosts.step()
    assert in_pod(hosts) == {"_infra", "db"}
    hosts.step()
    assert in_pod(hosts) == {"_infra", "db", "app"}
    hosts.step(8)
    assert [e.outcome for e in hosts.host("shop").ended] == ["stable"]


def test_one_of_a_pod_follows_the_other_that_is_replaced() -> None:
    hosts = Hosts({"shop": POD})
    hosts.step(10)
    started = {c.container: c.started_at for c in hosts.host("shop").containers.values()}
    hosts.files["shop"] = POD.replace(
        f"db: {{image: '{IMAGE}'}}", f"db: {{image: '{IMAGE}', tty: true}}"
    )
    hosts.step(12)
    running = {c.container: c for c in hosts.host("shop").containers.values() if c.running}
    assert running["app"].started_at > running["db"].started_at > started["db"]
    assert running["_infra"].started_at == started["_infra"]
