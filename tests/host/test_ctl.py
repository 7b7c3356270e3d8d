"""workloadctl on the host."""

import json
from subprocess import CompletedProcess

import pytest

from tests.host.host import Host
from tests.host.workloads import NEWER, serving

PORTS = "net.ipv4.ip_unprivileged_port_start"


def test_validate(host: Host, name: str, port: int) -> None:
    good, bad = f"/etc/workloadd/workloads.d/{name}.yaml", "/tmp/bad.yaml"
    host.write_workload(name, serving(port))
    assert host.exec("workloadctl", "validate", good).stdout == "1 file, 0 errors\n"
    host.exec("tee", bad, stdin="image: localhost:5000/busybox:1\nprots: []\n")
    done = host.exec("workloadctl", "validate", bad, check=False)
    assert done.returncode == 1
    assert f"{bad}:2:1: error: " in done.stdout
    assert "ports" in done.stdout
    done = host.exec("workloadctl", "validate", "--json", bad, check=False)
    assert done.returncode == 1
    (file,) = json.loads(done.stdout)["files"]
    assert (file["errors"][0]["line"], file["errors"][0]["column"]) == (2, 1)


def test_validate_knows_the_host_and_its_user_for_workloads(host: Host) -> None:
    file, first = "/tmp/host.yaml", host.exec("sysctl", "-n", PORTS).stdout.strip()
    host.exec("tee", "/home/workloads/host.env", stdin="KEY=value\n")
    host.exec("tee", file, stdin=f"{serving(1)}env_file: ~/host.env\n")
    for user in ("workloads", "root"):
        output = host.exec("workloadctl", "validate", file, user=user).stdout
        assert f"port 1 is below {first}, where only root may listen" in output
        assert output.endswith("1 file, 0 errors, 1 warning\n")


def test_help_for_writers_is_there(host: Host) -> None:
    assert json.loads(host.exec("workloadctl", "schema").stdout)["$defs"]["ServiceSpec"]
    assert "PublishPort" in host.exec("workloadctl", "explain", "ports").stdout


def test_plan_says_what_a_file_would_change(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    plan = host.exec("workloadctl", "plan").stdout
    assert plan.splitlines()[-1].endswith("0 to be changed")

    file = f"/tmp/{name}.yaml"
    host.exec("tee", file, stdin=serving(port, image=NEWER))
    done = host.exec("workloadctl", "plan", "--json", file)
    planned = next(w for w in json.loads(done.stdout)["workloads"] if w["name"] == name)
    assert planned["steps"]
    assert "busybox:2" in json.dumps(planned)
    assert host.http(port) == "busybox 1\n"
    assert host.status(name)["state"] == "Ready"


def test_apply_by_root_until_it_serves(host: Host, name: str, port: int) -> None:
    def apply(text: str, *arguments: str) -> CompletedProcess[str]:
        command = ("workloadctl", "apply", "-f", "-", "--name", name, *arguments)
        return host.exec(*command, user="root", stdin=text, check=False)

    file = f"/etc/workloadd/workloads.d/{name}.yaml"
    assert apply(serving(port), "--check").returncode == 10
    done = apply(serving(port), "--wait")
    assert (done.returncode, done.stdout) == (0, f"{file}: created\n")
    assert host.http(port) == "busybox 1\n"
    done = apply(serving(port, image=NEWER), "--wait", "-o", "json")
    assert json.loads(done.stdout)["changed"]
    assert host.http(port) == "busybox 2\n"
    done = apply("image: [")
    assert (done.returncode, "nothing was changed" in done.stderr) == (1, True)
    assert host.root("stat", "-c", "%U %a", file).stdout == "root 644\n"
    done = host.exec("workloadctl", "apply", "-f", file, "--user", "--check", check=False)
    assert done.returncode == 10


def test_doctor_with_the_daemon_up_and_down(host: Host) -> None:
    assert "nothing is wrong" in host.root("workloadctl", "doctor").stdout
    host.systemctl("stop", "workloadd.service")
    try:
        for user, systemctl in (
            ("workloads", "systemctl --user start"),
            ("root", "systemctl --user -M workloads@ start"),
        ):
            done = host.exec("workloadctl", "doctor", user=user, check=False)
            assert done.returncode == 1
            assert "Unit: workloadd.service does not run: inactive" in done.stdout
            assert f"{systemctl} workloadd" in done.stdout
            assert "ok      Linger: " in done.stdout
            assert "ok      PodmanSocket: " in done.stdout
            done = host.exec("workloadctl", "status", user=user, check=False)
            assert done.returncode == 1
            assert f"    {systemctl} workloadd\n" in done.stderr
    finally:
        host.start_daemon()


def test_plan_as_root_says_whose_plan_it_is(host: Host) -> None:
    done = host.root("workloadctl", "plan", check=False)
    assert done.returncode == 1
    assert "sudo -u workloads" in done.stderr


@pytest.mark.parametrize("user", ["workloads", "root"])
def test_status_tells_by_its_exit_status(host: Host, name: str, port: int, user: str) -> None:
    host.deploy(name, serving(port))
    host.wait_until(
        lambda: host.exec("workloadctl", "status", user=user, check=False).returncode == 0,
        "everything to be as declared",
    )
    assert name in host.exec("workloadctl", "status", name, user=user).stdout
    host.write_workload(name, "image: [")
    host.wait_for(name, "Degraded")
    done = host.exec("workloadctl", "status", user=user, check=False)
    assert done.returncode == 3
    assert f"{name}.yaml:1:" in done.stdout
    history = host.exec("workloadctl", "history", name, user=user).stdout
    assert "new workload" in history
