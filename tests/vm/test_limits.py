"""What a container may use, by the kernel's own account, and what comes of wanting more."""

from tests.host.host import Document
from tests.host.workloads import BUSYBOX, serving
from tests.vm.guest import Guest

LIMITS = """\
resources:
  memory: 64m
  memory_reservation: 32m
  memory_swap: 96m
  cpus: 0.5
  cpuset: "0-1"
  pids: 20
"""
# Eats 200 MiB at once, as often as its volume says, and sleeps then.
EATER = f"""\
image: {BUSYBOX}
command:
  - sh
  - -c
  - |
    n=$$(cat /data/times 2>/dev/null || echo 0)
    test $$n -gt 0 || exec sleep infinity
    echo $$((n - 1)) > /data/times
    exec dd if=/dev/zero of=/dev/null bs=200M count=1
volumes: ["data:/data"]
resources: {{memory: 32m}}
stop_signal: SIGKILL
"""


def test_limits_are_the_kernel_s(guest: Guest, name: str) -> None:
    guest.deploy(name, serving(18100, LIMITS))
    kernel = guest.cgroup(name)
    assert {
        key: kernel[key]
        for key in (
            "memory.max", "memory.low", "memory.swap.max", "cpu.max", "cpuset.cpus", "pids.max",
        )
    } == {
        "memory.max": str(64 << 20),
        "memory.low": str(32 << 20),
        "memory.swap.max": str(32 << 20),
        "cpu.max": "50000 100000",
        "cpuset.cpus": "0-1",
        "pids.max": "20",
    }  # fmt: skip
    refused = "for i in $(seq 30); do sleep 60 & done 2>&1; true"
    assert "can't fork" in guest.podman("exec", name, "sh", "-c", refused, check=False)
    assert int(guest.cgroup(name)["pids.events"].removeprefix("max ")) > 0
    guest.gone(name)


def test_what_it_uses_is_told(guest: Guest, name: str) -> None:
    writes = "dd if=/dev/zero of=/tmp/x bs=1M count=20 && sync && exec sleep infinity"
    file = f"""image: {BUSYBOX}\ncommand: [sh, -c, "{writes}"]\nstop_signal: SIGKILL\n{LIMITS}"""
    guest.deploy(name, file)

    def measured() -> Document | None:
        now: Document = guest.api(f"/v1/workloads/{name}/resources")["now"]
        return now if now["cpu"] is not None and (now["written_bytes"] or 0) > 10 << 20 else None

    now = guest.wait_until(measured, "what it wrote to be counted")
    kernel = guest.cgroup(name)
    assert now["memory_limit"] == int(kernel["memory.max"]) == 64 << 20
    # What the limit counts: helpers of Podman's are told apart.
    assert abs(now["memory"] - int(kernel["memory.current"])) < 4 << 20
    assert now["memory_helpers"] > 0
    details = guest.api(f"/v1/workloads/{name}/resources")["details"]
    assert details["memory_peak"] <= int(kernel["memory.max"]) + (1 << 20)
    assert 0 < details["memory_anon"] + details["memory_file"] <= details["memory_peak"]
    assert details["writes"] > 0 and details["cpu_throttled_seconds"] is not None
    assert 0 <= details["pressure_cpu"] <= 1
    assert 2 <= now["pids"] < 20
    guest.gone(name)


def test_what_is_killed_for_memory_says_so_and_is_started_again(guest: Guest, name: str) -> None:
    guest.deploy(name, EATER)
    guest.inside(name, "echo 4 > /data/times")
    guest.systemctl("restart", f"workload-{name}.service", check=False)

    def killed() -> Document | None:
        ready = guest.condition(name, "Ready")
        return ready if ready.get("reason") == "OOMKilled" else None

    ready = guest.wait_until(killed, "it to be killed for memory")
    assert ready["status"] == "False" and "memory" in ready["message"]
    status = guest.wait_until(
        lambda: (s := guest.status(name))["restarts"] >= 4 and not down(s) and s, "it to be back"
    )
    assert status["restarts"] == 4
    assert guest.inside(name, "cat /data/times") == "0"
    guest.gone(name)
    guest.podman("volume", "rm", f"{name}_data")


def down(status: Document) -> bool:
    """Whether a workload's condition Ready is not true."""
    return any(c["type"] == "Ready" and c["status"] != "True" for c in status["conditions"])


def test_an_update_that_is_killed_for_memory_is_undone(guest: Guest, name: str) -> None:
    old = guest.deploy(name, serving(18102))["current"]
    eats = "sleep 3; exec dd if=/dev/zero of=/dev/null bs=200M count=1"
    text = serving(18102, "resources: {memory: 32m}", "update: {soak: 1m}").replace(
        "httpd -f -p 8080 -h /www", f"[sh, -c, '{eats}']"
    )
    guest.write_workload(name, text)

    def undone() -> Document | None:
        rollout: Document = guest.history(name)["rollouts"][0]
        return rollout if rollout["outcome"] == "rolled-back" else None

    rollout = guest.wait_until(undone, "it to be rolled back")
    assert rollout["problem"]["reason"] == "OOMKilled"
    guest.wait_until(lambda: guest.http(18102) == "busybox 1\n", "the old one to serve again")
    status = guest.wait_for(name, "Degraded")
    assert status["current"]["container"] == old["container"]
    assert guest.condition(name, "Deployed")["reason"] == "RolledBack"
    # It is known to be bad: nothing is tried again by itself, or by another daemon.
    guest.systemctl("restart", "workloadd.service")
    guest.wait_until(guest.answers, "another daemon")
    assert guest.wait_for(name, "Degraded")["current"]["container"] == old["container"]
    assert len(guest.history(name)["rollouts"]) == 2
    guest.gone(name)
