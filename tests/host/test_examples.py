"""Every file in examples/ does on a real host what it says.

The files are deployed as they are: the names of public images lead to stand-ins made of Debian's
packages in the host's own registry (contrib/host/root/etc/containers/registries.conf.d).
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host.host import Host
from tests.host.machine import remove

DIRECTORY = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(DIRECTORY.glob("*.yaml"))
PASSWORD = "correct horse battery staple"
# Seconds: the first pull of PostgreSQL's image, and its first start, take a while.
PATIENCE = 90.0


def names(stem: str) -> list[str]:
    """The workloads that an example declares."""
    text = (DIRECTORY / f"{stem}.yaml").read_text()
    kinds = dict(re.findall(r"^name: (\S+)\nkind: (\S+)", text, re.MULTILINE))
    found = re.findall(r"^name: (\S+)", text, re.MULTILINE) or [stem]
    return [name for name in found if kinds.get(name) not in ("network", "volume")]


def text_for(host: Host, stem: str) -> str:
    """An example; without limits where the host cannot enforce any."""
    text = (DIRECTORY / f"{stem}.yaml").read_text()
    conditions = {c["type"]: c["status"] for c in host.api("/v1/status")["host"]}
    if conditions["Controllers"] == "True":
        return text
    return re.sub(r"^ *resources: .*\n", "", text, flags=re.MULTILINE)


@pytest.fixture
def example(host: Host) -> Iterator[Callable[[str], None]]:
    """Drops an example and waits until all that it declares is as declared."""
    dropped: list[str] = []

    def drop(stem: str) -> None:
        dropped.append(stem)
        host.write_workload(stem, text_for(host, stem))
        for name in names(stem):
            host.wait_for(name, "Ready", "Scheduled", timeout=PATIENCE)

    yield drop
    for stem in dropped:
        host.remove_workload(stem)
        for name in names(stem):
            host.gone(name)


def check_web(host: Host) -> None:
    assert "<h1>It works</h1>" in host.http(8080)
    assert host.net.get(8080, "/healthz")[0] == 204
    container = host.inspect("web")["Id"]
    file = host.files / "web.yaml"
    host.write(file, file.read_text().replace("It works", "It still works"))
    host.wait_until(lambda: "It still works" in host.http(8080), "the page to be changed")
    host.write(file, file.read_text().replace("return 204", "return 200 healthy"))
    host.wait_until(lambda: host.http(8080, "/healthz") == "healthy", "nginx to be reloaded")
    assert host.inspect("web")["Id"] == container


def check_hello(host: Host) -> None:
    assert host.http(8081) == "hello\n"


def check_postgres(host: Host) -> None:
    def sql(query: str, password: str = PASSWORD) -> str:
        by_network = ("psql", "--host=127.0.0.1", "--username=postgres", "--dbname=shop")
        command = (*by_network, "--tuples-only", "--no-align", f"--command={query}")
        return host.podman(
            "exec", "--env", f"PGPASSWORD={password}", "postgres", *command, check=False
        )

    assert sql("SELECT 6 * 7") == "42"
    assert sql("SELECT 6 * 7", "wrong") == ""
    assert sql("SHOW shared_buffers") == "128MB"
    sql("CREATE TABLE orders (item text); INSERT INTO orders VALUES ('a lamp')")
    # Its data outlives the container.
    before = host.status("postgres")["current"]["container"]
    file = host.files / "postgres.yaml"
    host.write(file, file.read_text().replace("500ms", "250ms"))
    host.wait_until(
        lambda: host.status("postgres")["current"]["container"] != before, "a new container"
    )
    host.wait_for("postgres", "Ready", timeout=PATIENCE)
    assert sql("SELECT item FROM orders") == "a lamp"
    shown = json.dumps(host.status("postgres")) + json.dumps(host.inspect("postgres"))
    assert PASSWORD not in shown


def check_counter(host: Host) -> None:
    assert [host.http(8082) for _ in range(2)] == ["You are visitor 1.\n", "You are visitor 2.\n"]
    assert host.podman("exec", "counter_redis", "redis-cli", "PING") == "PONG"


def check_notes(host: Host) -> None:
    redis = ("exec", "notes", "redis-cli")
    assert host.podman(*redis, "SET", "milk", "two bottles") == "OK"
    assert host.podman(*redis, "SAVE") == "OK"
    host.exec("workloadctl", "run", "notes-backup")
    backups = host.home / "backups"
    host.wait_until(lambda: list(backups.glob("notes-*.tar.gz")), "the backup to be there")
    (archive,) = backups.glob("notes-*.tar.gz")
    listing = host.root("tar", "-tzf", f"/home/workloads/backups/{archive.name}").stdout
    assert "./dump.rdb" in listing.splitlines()


def check_on_demand(host: Host) -> None:
    assert host.http(8083) == "Hello, ::ffff:127.0.0.1\n"
    host.systemctl("stop", "workload-on-demand.service")
    host.wait_for("on-demand", "Ready")
    assert host.http(8083) == "Hello, ::ffff:127.0.0.1\n"


def check_fleet(host: Host) -> None:
    said = json.loads(host.http(8084))
    hostname = (host.disk / "etc/hostname").read_text().strip()
    assert (said["host"], said["site"]) == (hostname, "berlin-1")
    assert host.inspect("fleet")["Config"]["Labels"]["org.example.site"] == "berlin-1"


def check_hardened(host: Host) -> None:
    assert host.http(8085) == "hello\n"
    inside = host.inspect("hardened")
    assert inside["HostConfig"]["ReadonlyRootfs"] and not inside["EffectiveCaps"]
    status = host.podman("exec", "hardened", "cat", "/proc/self/status")
    assert re.search(r"^Uid:\t101\t", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)


def check_agent(host: Host) -> None:
    metrics = host.http(9100, "/metrics")
    assert re.search(r"^node_memory_MemTotal_bytes [1-9]", metrics, re.MULTILINE)
    assert "node_filesystem_size_bytes{" in metrics and 'mountpoint="/"' in metrics


def prepare(host: Host) -> None:
    """What the comments of the examples ask for."""
    secret = host.home / "secrets/postgres"
    host.write(secret, f"{PASSWORD}\n", mine=True)
    secret.chmod(0o600)
    host.write(host.disk / "etc/workloadd/facts.d/site.env", "SITE=berlin-1\nTIER=edge\n")


@pytest.fixture(scope="module", autouse=True)
def prepared(the_host: Host) -> Iterator[None]:
    prepare(the_host)
    yield
    (the_host.disk / "etc/workloadd/facts.d/site.env").unlink()
    for directory in ("secrets", "backups"):
        remove(the_host.home / directory)


@pytest.mark.parametrize("stem", [path.stem for path in EXAMPLES])
def test_it_works(host: Host, example: Callable[[str], None], stem: str) -> None:
    check = globals().get(f"check_{stem.replace('-', '_')}")
    assert check, f"nothing is checked of examples/{stem}.yaml"
    example(stem)
    check(host)
