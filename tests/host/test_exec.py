"""workloadctl exec: commands in containers that serve, with terminal and exit status."""

import json

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, idle

POD = f"""\
containers:
  app: {{image: "{BUSYBOX}", command: sleep infinity, stop_signal: SIGKILL}}
  side: {{image: "{BUSYBOX}", command: sleep infinity, stop_signal: SIGKILL}}
"""


def test_exec(host: Host, name: str) -> None:
    def run(*arguments: str, stdin: str = "", user: str = "workloads") -> tuple[int, str, str]:
        done = host.exec("workloadctl", "exec", *arguments, stdin=stdin, user=user, check=False)
        return done.returncode, done.stdout, done.stderr

    host.deploy(name, idle())
    container = host.status(name)["current"]["container"]
    assert run(name, "echo", "--", "-n") == (0, "-- -n\n", "")
    assert run("-i", name, stdin="cat /proc/1/cmdline; exit 7\n")[:2] == (7, "sleep\0infinity\0")
    assert run("-w", "/tmp", "-u", "5", name, "sh", "-c", "pwd; id -u")[:2] == (0, "/tmp\n5\n")
    assert run(name, "nosuch")[0] == 127
    code, _, said = run(name, "true", user="root")
    assert (code, f"workloadctl exec {name} true" in said) == (1, True)
    assert run("nosuch", "true")[0] == 1

    # On a terminal, of which the size is passed on (by Podman, while the command runs already).
    loop = "'until stty size | grep 33; do true; done'"
    line = f"stty rows 33 cols 99; workloadctl exec -it {name} sh -c {loop}; echo code $?"
    done = host.exec("script", "--quiet", "--command", line, "/dev/null")
    assert "33 99" in done.stdout
    assert done.stdout.endswith("code 0\n")
    assert host.status(name)["current"]["container"] == container


def test_a_pod_has_several(host: Host, name: str) -> None:
    host.deploy(name, POD)
    done = host.exec("workloadctl", "exec", name, "true", check=False)
    assert (done.returncode, f"workloadctl exec {name}/side" in done.stderr) == (1, True)
    done = host.exec("workloadctl", "exec", f"{name}/side", "hostname")
    assert done.returncode == 0


def test_images_and_everything_of_one(host: Host, name: str) -> None:
    host.deploy(name, idle("environment: {PASSWORD: hunter2}"))
    lines = host.exec("workloadctl", "images").stdout.splitlines()
    assert any(BUSYBOX in line and f"{name} (current)" in line for line in lines)
    document = json.loads(host.exec("workloadctl", "inspect", name, "-o", "json").stdout)
    assert "hunter2" not in json.dumps(document)
    assert f"workload-{name}.service" in document["units"]
    (container,) = document["containers"]
    assert container["State"]["Status"] == "running"
    assert document["spec"]["environment"] == {"PASSWORD": "(hidden)"}
    assert BUSYBOX in host.root("workloadctl", "images").stdout, "root asks their daemon"
    done = host.root("workloadctl", "inspect", name, check=False)
    assert (done.returncode, "sudo -u workloads" in done.stderr) == (1, True)


def test_watching(host: Host, name: str) -> None:
    host.deploy(name, idle())
    watch = f"exec 3< <(exec workloadctl status -w {name}); grep -m1 {name}: <&3; kill $!"
    said = host.exec("bash", "-c", watch).stdout
    assert said.endswith(f"  {name}: Ready\n")
