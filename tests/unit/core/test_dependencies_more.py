"""What is started when, where several things change at once, or something is in the way."""

from dataclasses import replace

from tests.unit.core.sim import POLICY
from tests.unit.core.test_dependencies import PLAIN, Hosts, waiting_for
from tests.unit.core.test_plan_properties import IMAGE
from workloadd.core import actions as a
from workloadd.core.hands import Hand, Kind
from workloadd.core.names import WHOLE
from workloadd.core.plan import plan
from workloadd.core.runs import Run, Trigger
from workloadd.core.world import World

JOB = f"kind: job\n{PLAIN}"


def revision(hosts: Hosts, name: str) -> str:
    file = hosts.host(name).file
    assert file and file.record
    return file.record.revision


def ran(hosts: Hosts, name: str, trigger: Trigger = "revision", outcome: str = "succeeded") -> Run:
    """A run of what is deployed of a job, noted as ended just now."""
    run = Run(1, name, revision(hosts, name), "c", trigger, 1, hosts.now, hosts.now + 0.5, 0)
    run = replace(run, outcome=outcome)  # type: ignore[arg-type]
    hosts.runs[name] = (run, *hosts.runs.get(name, ()))
    return run


def test_after_a_reboot_it_goes_by_what_is_deployed_not_by_what_waits() -> None:
    hosts = Hosts({"app": PLAIN})
    hosts.step(8)
    hosts.files["app"] = waiting_for("started")
    hosts.step(3)
    hosts.host("app").stop()
    hosts.step(2)
    assert hosts.running() == {"app"}
    found = hosts.status("app")
    condition = found.condition("Dependencies")
    assert condition and condition.message == "it needs db (there is no such workload)"
    assert found.state == "Ready"


def test_a_new_revision_waits_for_the_new_run() -> None:
    hosts = Hosts({"app": waiting_for("completed"), "db": JOB})
    hosts.step(2)
    ran(hosts, "db")
    hosts.step(8)
    assert "app" in hosts.running()
    before = hosts.host("app").serving()
    hosts.files = {"app": f"{waiting_for('completed')}tty: true\n", "db": f"{JOB}tty: true\n"}
    hosts.step(1)
    assert hosts.host("app").serving() == before
    hosts.step(2)
    assert hosts.host("app").serving() == before
    ran(hosts, "db")
    hosts.step(8)
    assert hosts.host("app").serving().id != before.id


def test_a_job_that_runs_again_is_not_replaced() -> None:
    hosts = Hosts({"app": waiting_for("completed", restart=True), "db": JOB})
    hosts.step(2)
    ran(hosts, "db")
    hosts.step(8)
    since = hosts.host("app").serving().started_at
    (container,) = hosts.host("db").containers.values()
    hosts.host("db").containers[container.id] = replace(container, created_at=hosts.now)
    ran(hosts, "db", "manual")
    hosts.step(3)
    assert hosts.host("app").serving().started_at == since
    hosts.files["db"] = f"{JOB}tty: true\n"
    hosts.step(2)
    hosts.now += 1
    ran(hosts, "db")
    hosts.step(4)
    assert hosts.host("app").serving().started_at > since


def test_one_that_is_left_alone_does_not_keep_the_other_from_going() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": PLAIN})
    hosts.step(10)
    hosts.host("app").masked = True
    hosts.files.clear()
    assert any(isinstance(x, a.StopUnit) for x in hosts.plan().workloads["db"].actions)


def test_nothing_listens_for_what_cannot_be_started_yet() -> None:
    text = f"{waiting_for('started')}sockets: ['8080']\n"
    hosts = Hosts({"app": text, "db": PLAIN})
    hosts.step(10)
    host = hosts.host("app")
    assert host.listening
    for one in hosts.parts.values():
        one.stop()
    host.listening = {}
    starts = hosts.plan().workloads
    assert not starts["app"].actions
    assert a.StartUnit(WHOLE) in starts["db"].actions
    hosts.step(2)
    assert host.listening


CHAIN = f"""\
containers:
  app: {{image: '{IMAGE}', depends_on: [db]}}
  db: {{image: '{IMAGE}', depends_on: {{cache: {{condition: healthy}}}}}}
  cache: {{image: '{IMAGE}'}}
"""


def test_what_waits_for_a_container_that_waits_is_not_started_with_the_pod() -> None:
    hosts = Hosts({"shop": CHAIN})
    started = []
    for _ in range(3):
        hosts.step()
        containers = hosts.host("shop").containers.values()
        started.append({c.container for c in containers if c.running})
    first = {"_infra", "cache"}
    assert started == [first, {*first, "db"}, {*first, "db", "app"}]


def test_what_fails_before_it_is_deployed_is_told() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": "image: localhost/none:1\npull: never\n"})
    hosts.step(2)
    assert "not in local storage" in hosts.status("app").message


def test_a_pod_that_is_about_to_stop_is_not_kept_up_by_its_members() -> None:
    hosts = Hosts({"shop": CHAIN})
    hosts.step(12)
    host = hosts.host("shop")
    host.stop("app")
    host.stop("db")
    seen = host.seen()
    stopping = replace(seen.unit, job="/org/freedesktop/systemd1/job/1")
    seen = replace(seen, units={**seen.units, WHOLE: stopping})
    observed = replace(hosts.observed(), workloads={"shop": seen})
    planned = plan(World(hosts.desired(), observed, hosts.memory(), hosts.now), POLICY)
    assert planned.workloads["shop"].actions == ()
    assert hosts.plan().workloads["shop"].actions, "without that job they are started again"


def asked(hosts: Hosts, kind: Kind, *names: str) -> None:
    for name in names:
        hosts.hands[name] = {kind: Hand(name, kind, "ann", hosts.now, "a look")}


def test_what_is_stopped_by_hand_together_stops_in_the_reverse_order() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": PLAIN})
    hosts.step(10)
    asked(hosts, "stop", "app", "db")
    planned = hosts.plan().workloads
    assert a.StopUnit() in planned["app"].actions
    assert planned["db"].actions == ()
    hosts.step(3)
    assert not hosts.running()


def test_one_alone_is_stopped_by_hand_at_once_and_who_waits_is_told() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": PLAIN})
    hosts.step(10)
    asked(hosts, "stop", "db")
    hosts.step(2)
    assert hosts.running() == {"app"}
    hosts.host("app").stop()
    hosts.step(2)
    assert hosts.running() == set()
    condition = hosts.status("app").condition("Dependencies")
    assert condition and "stopped by ann: a look" in condition.message
    hosts.hands.clear()
    hosts.step(4)
    assert hosts.running() == {"app", "db"}


def test_one_that_is_paused_does_not_keep_the_other_from_going() -> None:
    hosts = Hosts({"app": waiting_for("started"), "db": PLAIN})
    hosts.step(10)
    asked(hosts, "pause", "app")
    hosts.files.clear()
    assert a.StopUnit() in hosts.plan().workloads["db"].actions
