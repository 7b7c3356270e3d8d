"""Every example runs on the real host, and does what its first lines say.

An example without a test of its name here is a failure: `test_hello` is that of hello.yaml.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host.host import Host
from tests.host.machine import remove

DIRECTORY = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(DIRECTORY.glob("*.yaml"))
Put = Callable[..., str]

# The host has no controllers for limits (test_fields_limits is about them): what an administrator
# would write there.
NO_LIMITS = "resources: null\n"


def test_each_example_has_a_test() -> None:
    tests = {name.removeprefix("test_").replace("_", "-") for name in globals()}
    assert {path.stem for path in EXAMPLES} <= tests


@pytest.fixture
def put(host: Host) -> Iterator[Put]:
    """Drops an example; its text. What it kept goes after the test: the next one begins anew."""
    stems = []

    def drop(stem: str) -> str:
        text = (DIRECTORY / f"{stem}.yaml").read_text()
        stems.append(stem)
        host.write_workload(stem, text)
        return text

    yield drop
    for stem in stems:
        host.remove_workload(stem)
    host.wait_until(lambda: not host.api("/v1/workloads")["workloads"], "the examples to be gone")
    host.podman("volume", "rm", "--all", "--force")


def ready(host: Host, *names: str) -> None:
    """Wait for workloads; the first one may have a large image to pull."""
    for name in names:
        host.wait_for(name, "Ready", timeout=90)


def test_web(host: Host, put: Put) -> None:
    text = put("web")
    ready(host, "web")
    assert "It works" in host.http(8080)
    before = host.inspect("web")
    host.write_workload("web", text.replace("It works", "Changed").replace("204", "418"))
    host.wait_until(lambda: host.net.get(8080, "/healthz")[0] == 418, "nginx to be told")
    assert "Changed" in host.http(8080)
    after = host.inspect("web")
    assert (after["Id"], after["State"]["Pid"]) == (before["Id"], before["State"]["Pid"])


def test_hello(host: Host, put: Put) -> None:
    put("hello")
    ready(host, "hello")
    assert host.http(8081) == "hello\n"
    assert host.inspect("hello")["HostConfig"]["ReadonlyRootfs"] is True


def test_hardened(host: Host, put: Put) -> None:
    beside = host.files / "hardened.yaml.d"
    host.write(beside / "this-host.yaml", NO_LIMITS)
    put("hardened")
    ready(host, "hardened")
    assert host.http(8085) == "hello\n"
    status = host.inside("hardened", "cat /proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {"101"}
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert host.inside("hardened", "cat /proc/meminfo") == ""
    touched = "touch /etc/x 2>/dev/null || echo refused; touch /tmp/x && echo written"
    assert host.inside("hardened", touched) == "refused\nwritten"
    remove(beside)


@pytest.fixture
def password(host: Host) -> Iterator[str]:
    """The database's, as postgres.yaml tells to make it."""
    made = """
        install -d -m 0700 ~/secrets
        (umask 077; head -c 18 /dev/urandom | base64 > ~/secrets/postgres)
    """
    assert all(
        line.strip() in (DIRECTORY / "postgres.yaml").read_text() for line in made.split("\n")
    )
    host.exec("sh", "-euc", made)
    yield (host.home / "secrets/postgres").read_text().strip()
    remove(host.home / "secrets")


def test_postgres(host: Host, put: Put, password: str) -> None:
    put("postgres")
    ready(host, "postgres")

    def sql(statement: str, password: str = password) -> str:
        # Over TCP the password is asked for; it is on no command line.
        command = (
            "read -r PGPASSWORD; export PGPASSWORD;"
            'exec psql --host 127.0.0.1 --username postgres -At shop --command "$0"'
        )
        done = host.exec(
            "podman", "exec", "-i", "postgres", "sh", "-c", command, statement,
            stdin=f"{password}\n", check=False,
        )  # fmt: skip
        return done.stdout.strip() or done.stderr.strip()

    assert sql("CREATE TABLE sold (what text)") == "CREATE TABLE"
    assert sql("INSERT INTO sold VALUES ('tea')") == "INSERT 0 1"
    assert "password authentication failed" in sql("SELECT 1", password="wrong")
    host.gone("postgres")
    put("postgres")
    ready(host, "postgres")
    assert sql("SELECT what FROM sold") == "tea"


def test_counter(host: Host, put: Put) -> None:
    put("counter")
    ready(host, "counter")
    assert host.http(8082) == "You are visitor 1.\n"
    assert host.http(8082) == "You are visitor 2.\n"
    asked = "printf 'PING\\r\\nINCR visits\\r\\nQUIT\\r\\n' | nc 127.0.0.1 6379"
    assert host.inside("counter_page", asked).split() == ["+PONG", ":3", "+OK"]


def test_notes(host: Host, put: Put) -> None:
    backups = host.home / "backups"
    remove(backups)
    put("notes")
    ready(host, "notes")
    host.wait_for("notes-backup", "Scheduled")
    assert host.podman("exec", "notes", "redis-cli", "SET", "tea", "is out") == "OK"
    assert host.podman("exec", "notes", "redis-cli", "SAVE") == "OK"
    host.exec("workloadctl", "run", "--wait", "notes-backup")
    (archive,) = backups.iterdir()
    look = 'tar -xzOf "$0" ./dump.rdb | grep --text --count "is out"'
    assert host.exec("sh", "-c", look, host.named(archive)).stdout == "1\n"
    assert host.show("workload-notes-backup.timer", "ActiveState") == {"ActiveState": "active"}
    remove(backups)


def test_on_demand(host: Host, put: Put) -> None:
    put("on-demand")
    ready(host, "on-demand")
    for address in ("127.0.0.1", "127.0.0.9"):
        asked = ("curl", "--silent", "--interface", address, "http://127.0.0.1:8083/")
        assert host.exec(*asked).stdout == f"Hello, ::ffff:{address}\n"
    assert host.inspect("on-demand")["HostConfig"]["NetworkMode"] == "none"


def test_seamless(host: Host, put: Put) -> None:
    text = put("seamless").replace("soak: 10s", "soak: 500ms")
    host.write_workload("seamless", text)
    ready(host, "seamless")
    answers = set()

    def updated() -> bool:
        answers.add(host.http(8087))
        return host.history("seamless")["rollouts"][0]["outcome"] == "stable" and len(answers) == 2

    host.write_workload("seamless", text.replace("version 1", "version 2"))
    host.wait_until(updated, "the next one to take over")
    assert answers == {"version 1\n", "version 2\n"}


def test_fleet(host: Host, put: Put) -> None:
    facts = host.disk / "etc/workloadd/facts.d/50-site.env"
    text = (DIRECTORY / "facts.d/50-site.env").read_text()
    host.write(facts, text)
    put("fleet")
    ready(host, "fleet")
    name = host.exec("uname", "-n").stdout.strip()
    said = json.loads(host.http(8084))
    assert (said["host"], said["site"]) == (name, "berlin-1")
    assert host.inspect("fleet")["Config"]["Labels"]["org.example.site"] == "berlin-1"
    host.write(facts, text.replace("edge", "core"))
    host.wait_until(lambda: not host.status("fleet"), "it to see that it is not for this host")
    remove(facts)


def test_agent(host: Host, put: Put) -> None:
    put("agent")
    ready(host, "agent")
    metrics = host.http(9100, "/metrics")
    assert f'nodename="{host.exec("uname", "-n").stdout.strip()}"' in metrics
    assert 'node_filesystem_size_bytes{device="' in metrics
    # It sees the host's files, and cannot change them.
    assert (
        host.inside("agent", "cat /host/etc/machine-id")
        == host.exec("cat", "/etc/machine-id").stdout.strip()
    )
    assert "Read-only file system" in host.inside("agent", "touch /host/x 2>&1 || true")


def gallery(host: Host, put: Put) -> None:
    for stem in ("backend", "uploads", "gallery"):
        put(stem)
    ready(host, "gallery", "gallery-app")


def test_gallery(host: Host, put: Put) -> None:
    gallery(host, put)
    host.podman("exec", "gallery-app", "sh", "-c", "echo meow > /uploads/cat.txt")
    assert host.http(8086) == "cat.txt\n"
    assert host.http(8086, "/uploads/cat.txt") == "meow\n"
    refused = host.inside("gallery", "touch /srv/uploads/x 2>/dev/null || echo refused")
    assert refused == "refused"


def test_backend(host: Host, put: Put) -> None:
    gallery(host, put)
    (network,) = json.loads(host.podman("network", "inspect", "backend"))
    assert network["internal"] is True
    inside = {one["name"] for one in network["containers"].values()}
    assert inside == {"gallery", "gallery-app"}
    assert "default" not in host.inside("gallery-app", "ip route")
    assert "default" in host.inside("gallery", "ip route"), "the other network leads out"


def test_uploads(host: Host, put: Put) -> None:
    gallery(host, put)
    host.podman("exec", "gallery-app", "sh", "-c", "echo meow > /uploads/cat.txt")
    for stem in ("gallery", "uploads"):
        host.remove_workload(stem)
    host.wait_until(lambda: not host.api("/v1/workloads")["workloads"], "the two to be gone")
    gallery(host, put)
    assert host.http(8086) == "cat.txt\n"


def test_shop(host: Host, put: Put) -> None:
    text = put("shop")
    ready(host, "shop-db", "shop")
    assert host.http(8088) == "open until six\r\n"
    (run,) = host.status("shop-migrate")["job"]["runs"]
    before = host.inspect("shop")
    assert run["ended"] <= before["State"]["StartedAt"]
    # A job that fails leaves the page that serves.
    changed = text.replace("SET, greeting", "SEND, greeting").replace("/srv]", "/srv/]")
    changed = changed.replace("retries: 3", "retries: 0")
    host.write_workload("shop", changed)
    host.wait_for("shop-migrate", "Failed", timeout=60)
    said = host.condition("shop", "Dependencies")
    assert said["status"] == "False" and "shop-migrate" in said["message"]
    assert host.inspect("shop")["Id"] == before["Id"]
    assert host.http(8088) == "open until six\r\n"
