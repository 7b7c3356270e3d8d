"""What containers wrote, as workloadctl tells it: while they run, and once they do not."""

import json
import time

import pytest

from tests.host.host import Host
from tests.host.workloads import BUSYBOX, crashing


@pytest.fixture
def name(name: str) -> str:
    """A name that no earlier run of the tests had: what it wrote is in the journal still."""
    return f"{name[:30].rstrip('-')}-{int(time.time()):x}"


def saying(text: str, *more: str) -> str:
    """A workload that writes something, and then nothing for ever."""
    command = f"""command: [sh, -c, "{text}; sleep infinity"]"""
    lines = (f"image: {BUSYBOX}", command, "stop_signal: SIGKILL", "stop_timeout: 1s", *more)
    return "\n".join(lines) + "\n"


def logs(host: Host, name: str, *options: str) -> list[str]:
    """The lines, without their times."""
    done = host.exec("workloadctl", "logs", name, *options)
    return [line.partition(" ")[2] for line in done.stdout.splitlines()]


def told(host: Host, name: str, *options: str) -> list[str]:
    """The lines, once there are any: journald takes its time."""
    return host.wait_until(lambda: logs(host, name, *options), f"lines of {name}")


def test_of_one_that_runs_and_one_that_was_stopped(host: Host, name: str) -> None:
    host.deploy(name, saying(r"echo one; printf '\\033[31mred\\033[0m \\033]0;x\\n'; echo bad >&2"))
    lines = ["one", "red \\x1b]0;x", "bad"]
    host.wait_until(lambda: logs(host, name) == lines, "all that it wrote")
    assert logs(host, name, "--tail", "1") == ["bad"]
    assert logs(host, name, "--since", "1h") == lines
    document = json.loads(host.exec("workloadctl", "logs", name, "--json").stdout.splitlines()[2])
    assert (document["stream"], document["text"]) == ("stderr", "bad")
    assert host.inspect(name)["Id"].startswith(document["id"])
    host.exec("workloadctl", "stop", name)
    assert logs(host, name) == lines


def test_nobody_else_is_told(host: Host, name: str) -> None:
    host.deploy(name, saying("echo the password"))
    assert told(host, name) == ["the password"]
    status, body = host.net.get(7780, f"/v1/workloads/{name}/logs")
    assert status == 403
    assert "password" not in body
    assert f"workloadctl logs {name}" in body


def test_of_what_was_rolled_back_and_is_gone(host: Host, name: str) -> None:
    host.deploy(name, saying("echo good"))
    host.write_workload(name, crashing())
    host.wait_until(
        lambda: host.history(name)["rollouts"][0]["outcome"] == "rolled-back", "the rollback"
    )
    lines = host.wait_until(
        lambda: found if (found := logs(host, name))[-1] == "good" else None, "the good one again"
    )
    assert lines[0] == "good"
    assert "cannot find the thing" in lines
    host.gone(name)
    assert logs(host, name) == lines


def test_of_a_container_of_a_pod(host: Host, name: str) -> None:
    quick = "stop_signal: SIGKILL"
    containers = "".join(
        f"  {part}:\n    image: {BUSYBOX}\n    {quick}\n"
        f"    command: [sh, -c, 'echo from {part}; sleep infinity']\n"
        for part in ("a", "web")
    )
    host.deploy(name, f"containers:\n{containers}")
    host.wait_until(
        lambda: sorted(logs(host, name)) == ["[a] from a", "[web] from web"], "both to be told"
    )
    assert logs(host, name, "-c", "web") == ["[web] from web"]
    done = host.exec("workloadctl", "logs", name, "-c", "wbe", check=False)
    assert done.returncode == 1
    assert "did you mean web?" in done.stderr


def test_what_comes_is_followed(host: Host, name: str) -> None:
    """Also what another container of the same workload writes, and over a restart of the daemon."""
    host.deploy(name, saying("echo $HOSTNAME", "hostname: first"))
    told(host, name)
    with host.running("workloadctl", "logs", "-f", name) as process:
        assert process.stdout
        assert process.stdout.readline().endswith(" first\n")
        host.deploy(name, saying("echo $HOSTNAME", "hostname: second"))
        assert process.stdout.readline().endswith(" second\n")
        host.systemctl("restart", "workloadd.service")
        host.wait_until(host.answers, "the next daemon's first pass")
        host.deploy(name, saying("echo $HOSTNAME", "hostname: third"))
        assert process.stdout.readline().endswith(" third\n")
