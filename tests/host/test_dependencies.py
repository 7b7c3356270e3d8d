"""What is started when: over workloads, over the containers of a pod, at boot."""

from collections.abc import Iterator

import pytest

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, NEWER, idle

QUICK = "update: {soak: 200ms}"


def started(host: Host, name: str) -> float:
    """When the process of a container was started, in ticks of the host's uptime; 0 for not."""
    pid = host.inspect(name)["State"]["Pid"]
    # It may end while one looks; Podman says 0 where there is none.
    told = host.root("cut", "-d ", "-f22", f"/proc/{pid}/stat", check=False).stdout
    return float(told or 0)


def needing(*needs: str) -> str:
    return idle(QUICK, "depends_on:", *(f"  {need}" for need in needs))


@pytest.fixture
def three(host: Host) -> Iterator[tuple[str, str, str]]:
    """Names of workloads of this test."""
    names = ("dep-app", "dep-db", "dep-job")
    yield names
    for name in names:
        host.remove_workload(name)
    host.wait_until(lambda: not any(map(host.status, names)), "them to be gone")


def test_it_waits_for_what_is_not_there_yet(host: Host, three: tuple[str, str, str]) -> None:
    app, db, job = three
    needs = (f"{db}: {{condition: healthy}}", f"{job}: {{condition: completed}}")
    host.write_workload(app, needing(*needs))
    host.wait_until(lambda: host.status(app).get("state") == "Waiting", "it to wait")
    assert "no such workload" in host.status(app)["message"]
    host.wait_until(lambda: host.containers(app), "its container to be made")
    assert not host.containers(app)[0]["StartedAt"] > 0

    host.systemctl("kill", "--signal=SIGKILL", "workloadd.service")
    fails = f"kind: job\nimage: {BUSYBOX}\ncommand: [sh, -c, exit 3]\n"
    host.write_workload(job, fails)
    host.deploy(db, idle(QUICK))
    host.wait_until(lambda: "exit code 3" in host.status(app)["message"], "it to say why")
    assert host.condition(app, "Dependencies")["reason"] == "WaitingFor"

    host.write_workload(job, fails.replace("exit 3", "exit 0"))
    host.wait_for(app, "Ready")
    assert started(host, app) >= started(host, db)
    assert host.condition(app, "Dependencies")["status"] == "True"


def test_a_cycle_is_refused_and_shown(host: Host, three: tuple[str, str, str]) -> None:
    app, db, job = three
    host.write_workload(app, needing(f"{db}:"))
    host.write_workload(db, needing(f"{job}:"))
    host.write_workload(job, needing(f"{app}:"))
    for way in ((app, db, job, app), (job, app, db, job)):
        assert " → ".join(way) in host.wait_for(way[0], "Invalid")["message"]
    host.write_workload(job, idle(QUICK))
    host.wait_for(app, "Ready")


def test_the_order_holds_after_a_reboot_and_is_reversed_at_the_end(
    host: Host, three: tuple[str, str, str]
) -> None:
    app, db, _ = three
    host.write_workload(app, needing(f"{db}: {{condition: healthy}}"))
    host.write_workload(db, idle(QUICK))
    host.wait_for(app, "Ready")
    host.reboot()
    host.wait_for(app, "Ready")
    assert started(host, app) >= started(host, db)

    host.remove_workload(app)
    host.remove_workload(db)
    host.wait_until(lambda: not host.status(app) and not host.status(db), "both to be gone")
    lines = host.root(
        "journalctl", "--quiet", "--output=cat", "_SYSTEMD_USER_UNIT=workloadd.service"
    ).stdout.splitlines()
    stops = [line for line in lines if line in (f"{app}: stop the unit", f"{db}: stop the unit")]
    assert stops[-2:] == [f"{app}: stop the unit", f"{db}: stop the unit"]


def test_who_asked_is_restarted_after_a_replacement(
    host: Host, three: tuple[str, str, str]
) -> None:
    app, db, _ = three
    host.write_workload(app, needing(f"{db}: {{condition: healthy, restart: true}}"))
    host.deploy(db, idle(QUICK))
    host.wait_for(app, "Ready")
    before = started(host, app)
    host.deploy(db, idle(QUICK, image=NEWER))
    host.wait_until(lambda: started(host, app) > before, "it to be restarted")
    assert started(host, app) >= started(host, db)
    events = [e["message"] for e in host.history(app)["events"] if e["kind"] == "dependency"]
    assert events == [f"restarted, as {db} was replaced"]


def test_systemd_knows_the_order_as_well(host: Host, three: tuple[str, str, str]) -> None:
    app, db, job = three
    host.write_workload(app, needing(f"{db}:", f"{job}: {{condition: healthy}}"))
    host.write_workload(job, idle(QUICK))
    host.write_workload(db, idle(QUICK))
    host.wait_for(app, "Ready")
    shown = host.show(f"workload-{app}.service", "After", "Wants", "Requires")
    assert {f"workload-{db}.service", f"workload-{job}.service"} <= set(shown["After"].split())
    pulled_in = shown["Wants"] + shown["Requires"]
    assert db not in pulled_in and job not in pulled_in, "a restart starts nothing else"


POD = f"""\
update: {{soak: 200ms}}
containers:
  app:
    image: {BUSYBOX}
    command: sleep infinity
    stop_signal: SIGKILL
    depends_on:
      db: {{condition: healthy, restart: true}}
      load: {{condition: completed}}
  db: {{image: '{BUSYBOX}', command: sleep infinity, stop_signal: SIGKILL}}
  load: {{image: '{BUSYBOX}', command: sleep 0.3, restart: no}}
"""


def test_containers_of_a_pod_wait_for_each_other(host: Host, name: str) -> None:
    host.deploy(name, POD)
    ended = host.inspect(f"{name}_load")["State"]
    app = host.inspect(f"{name}_app")["State"]
    assert ended["ExitCode"] == 0
    assert app["StartedAt"] >= ended["FinishedAt"]
    assert started(host, f"{name}_app") >= started(host, f"{name}_db")
    infra = started(host, f"{name}__infra")

    before = started(host, f"{name}_app")
    host.deploy(name, POD.replace("db: {image", "db: {tty: true, image"))
    host.wait_until(lambda: started(host, f"{name}_app") > before, "it to follow")
    assert started(host, f"{name}__infra") == infra

    host.systemctl("stop", f"workload-{name}.service")
    host.systemctl("reset-failed")
    host.wait_until(lambda: host.status(name)["state"] == "Ready", "all of it to run again")
