"""Socket activation: systemd listens, and the container serves on what it is handed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX

NGINX = "localhost:5000/nginx:1"
CLIENT = "10.200.7.2"
SERVER = "10.200.7.1"


def on_demand(host: Host, port: int, *more: str, hostname: str = "one") -> str:
    """A workload that nginx serves on an inherited socket; it answers with its host name."""
    directory = host.files / f"nginx-{port}"
    configuration = f"""\
server {{
    listen [::]:{port} ipv6only=off;
    location / {{ return 200 "$hostname $remote_addr\\n"; }}
}}
"""
    host.write(directory / "default.conf", configuration)
    lines = (
        f"image: {NGINX}",
        f"hostname: {hostname}",
        "environment: {NGINX: 3;}",
        f"volumes: ['./{directory.name}:/etc/nginx/conf.d:ro']",
        "network_mode: none",
        "stop_timeout: 2s",
        f"sockets: [{port}]",
        *more,
    )
    return "\n".join(lines) + "\n"


def service(host: Host, name: str) -> str:
    return host.unit(name, "ActiveState")["ActiveState"]


def listener(host: Host, name: str) -> str:
    return host.show(f"workload-{name}.socket", "ActiveState")["ActiveState"]


def put_to_sleep(host: Host, name: str) -> None:
    """Stop the service, as an operator may; its socket goes on listening."""
    host.systemctl("stop", f"workload-{name}.service")
    host.wait_until(
        lambda: host.condition(name, "Ready")["reason"] == "Listening", "it to be seen asleep"
    )


class Hammer:
    """A client that connects again and again, each time anew."""

    def __init__(self, host: Host, port: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self._host, self._port = host, port
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._hit)

    def __enter__(self) -> "Hammer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _hit(self) -> None:
        while not self._done.is_set():
            try:
                body = self._host.net.get(self._port, timeout=20.0)[1]
                self.outcomes[body.partition(" ")[0]] += 1
            except OSError as error:
                self.outcomes[repr(error)] += 1


def test_the_first_connection_starts_it(host: Host, name: str, port: int) -> None:
    deployed = host.deploy(name, on_demand(host, port))
    # To be verified it was started, as any new version is.
    assert service(host, name) == "active"
    assert host.http(port) == "one ::ffff:127.0.0.1\n"

    put_to_sleep(host, name)
    status = host.wait_for(name, "Ready")
    assert "starts on the first connection" in host.condition(name, "Ready")["message"]
    assert (service(host, name), listener(host, name)) == ("inactive", "active")
    assert status["current"]["state"] == "exited"

    assert host.http(port) == "one ::ffff:127.0.0.1\n"
    assert service(host, name) == "active"
    assert host.inspect(name)["Id"] == deployed["current"]["container"]
    assert len(host.history(name)["rollouts"]) == 1


def test_the_socket_is_what_is_started_at_boot(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    wants = host.home / ".config/systemd/user/workloads.target.wants"
    assert [p.name for p in wants.glob(f"workload-{name}.*")] == [f"workload-{name}.socket"]
    host.systemctl("stop", "workloadd.service")
    host.systemctl("stop", f"workload-{name}.socket")
    assert (service(host, name), host.http(port)) == ("inactive", "")
    # As the user manager does at boot where the daemon cannot.
    host.systemctl("stop", "workloads.target")
    host.systemctl("daemon-reload")
    host.systemctl("start", "workloads.target")
    assert (service(host, name), listener(host, name)) == ("inactive", "active")
    assert host.http(port) == "one ::ffff:127.0.0.1\n"
    host.start_daemon()
    assert host.wait_for(name, "Ready")["restarts"] == 0


@pytest.fixture
def client(host: Host) -> Iterator[Callable[[int], str]]:
    """Asks a port of the host from another machine, as far as the network goes."""
    for command in (
        "ip netns add client",
        "ip link add to-client type veth peer name eth0 netns client",
        f"ip address add {SERVER}/24 dev to-client",
        "ip link set to-client up",
        f"ip -n client address add {CLIENT}/24 dev eth0",
        "ip -n client link set eth0 up",
    ):
        host.root(*command.split())
    curl = ("ip", "netns", "exec", "client", "curl", "--silent", "--max-time", "5")
    yield lambda port: host.root(*curl, f"http://{SERVER}:{port}/", check=False).stdout
    host.root("ip", "netns", "delete", "client")


def test_it_sees_who_connects(
    host: Host, name: str, port: int, client: Callable[[int], str]
) -> None:
    host.deploy(name, on_demand(host, port))
    assert host.inspect(name)["HostConfig"]["NetworkMode"] == "none"
    assert client(port) == f"one ::ffff:{CLIENT}\n"


def test_no_connection_is_refused_during_an_update(host: Host, name: str, port: int) -> None:
    first = host.deploy(name, on_demand(host, port))["current"]["container"]
    with Hammer(host, port) as hammer:
        host.wait_until(lambda: hammer.outcomes["one"], "the hammer to hit")
        second = host.deploy(name, on_demand(host, port, hostname="two"))["current"]["container"]
    assert first != second
    assert set(hammer.outcomes) == {"one", "two"}, hammer.outcomes


def test_nor_while_a_bad_one_is_undone(host: Host, name: str, port: int) -> None:
    first = host.deploy(name, on_demand(host, port))["current"]["container"]
    bad = on_demand(host, port, "entrypoint: [sh, -c, exit 3]")
    with Hammer(host, port) as hammer:
        host.write_workload(name, bad)
        host.wait_until(
            lambda: host.history(name)["rollouts"][0]["outcome"] == "rolled-back", "it to be undone"
        )
        before = hammer.outcomes["one"]
        host.wait_until(lambda: hammer.outcomes["one"] > before, "the old one to serve again")
    assert set(hammer.outcomes) == {"one"}, hammer.outcomes
    assert host.inspect(name)["Id"] == first


def test_other_sockets_are_listened_on_after_an_update(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    host.deploy(name, on_demand(host, port + 1))
    assert host.http(port + 1) == "one ::ffff:127.0.0.1\n"
    assert host.http(port) == ""

    more = f"sockets: [{port + 1}, {{listen: {port + 2}, name: more}}]"
    both = on_demand(host, port + 1).replace(f"sockets: [{port + 1}]", more)
    # Which of the two comes first is not fixed.
    host.deploy(name, both.replace("NGINX: 3;", "NGINX: 3;4;"))
    assert host.http(port + 1) == "one ::ffff:127.0.0.1\n"
    assert host.show(f"workload-{name}_more.socket", "SubState") == {"SubState": "running"}

    host.deploy(name, on_demand(host, port))
    assert host.http(port) == "one ::ffff:127.0.0.1\n"
    assert host.show(f"workload-{name}_more.socket", "ActiveState") == {"ActiveState": "inactive"}


def test_published_ports_become_sockets_and_back(host: Host, name: str, port: int) -> None:
    published = on_demand(host, port).replace(f"sockets: [{port}]", f"ports: ['{port}:{port}']")
    published = published.replace("network_mode: none\n", "").replace(
        "environment: {NGINX: 3;}\n", ""
    )
    host.deploy(name, published)
    host.deploy(name, on_demand(host, port))
    assert host.http(port) == "one ::ffff:127.0.0.1\n"
    host.deploy(name, published)
    assert host.http(port).startswith("one ")
    assert listener(host, name) == "inactive"


def test_what_nobody_uses_is_stopped_and_starts_again(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port, "idle_timeout: 1s"))
    host.wait_until(lambda: service(host, name) == "inactive", "it to be stopped")
    assert host.wait_for(name, "Ready")["restarts"] == 0

    with host.net.connect(port):
        host.wait_until(lambda: service(host, name) == "active", "it to be started")
        since = host.unit(name, "ActiveEnterTimestampMonotonic")
        # As long as it was to be idle, and a little, of the daemon's own looks.
        enough = host.passes() + 8
        host.wait_until(lambda: host.passes() >= enough, "some looks")
        assert host.unit(name, "ActiveEnterTimestampMonotonic") == since
        assert service(host, name) == "active"
    host.wait_until(lambda: service(host, name) == "inactive", "it to be stopped again")
    assert host.http(port) == "one ::ffff:127.0.0.1\n"


def test_one_that_is_used_again_and_again_is_not_stopped(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port, "idle_timeout: 2s"))
    with Hammer(host, port) as hammer:
        host.wait_until(lambda: hammer.outcomes["one"], "the hammer to hit")
        since = host.unit(name, "ActiveEnterTimestampMonotonic")
        enough = host.passes() + 12
        host.wait_until(lambda: host.passes() >= enough, "some looks")
        assert host.unit(name, "ActiveEnterTimestampMonotonic") == since
    assert set(hammer.outcomes) == {"one"}


def test_one_that_ends_well_by_itself_is_asleep(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    host.podman("exec", name, "kill", "-QUIT", "1")
    host.wait_until(lambda: service(host, name) == "inactive", "it to end")
    host.look_again()
    status = host.wait_for(name, "Ready")
    assert (status["restarts"], status["current"]["exit_code"]) == (0, 0)
    assert service(host, name) == "inactive"
    assert host.http(port) == "one ::ffff:127.0.0.1\n"


def test_one_that_crashes_is_started_again(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    host.podman("kill", name)
    host.wait_until(lambda: host.status(name)["restarts"] == 1, "it to be started again")
    assert host.http(port) == "one ::ffff:127.0.0.1\n"


def test_names_order_and_modes(host: Host, name: str, port: int) -> None:
    sockets = f"""\
sockets:
  - {port}
  - "%t/{name}/a.sock"
  - {{listen: 127.0.0.1:{port + 1}, name: admin}}
  - {{listen: "~/{name}.sock", name: admin, mode: 0666}}
  - {{listen: {port + 2}/udp, name: datagrams}}
"""
    text = f"image: {BUSYBOX}\ncommand: sleep infinity\nstop_timeout: 1s\n{sockets}"
    host.deploy(name, text)
    environment = host.podman("exec", name, "cat", "/proc/1/environ").split("\0")
    given = dict(line.partition("=")[::2] for line in environment)
    assert (given["LISTEN_FDS"], given["LISTEN_PID"]) == ("5", "1")
    assert sorted(given["LISTEN_FDNAMES"].split(":")) == sorted(
        [name, name, "admin", "admin", "datagrams"]
    )
    in_runtime, at_home = host.runtime / name / "a.sock", host.home / f"{name}.sock"
    assert (oct(in_runtime.stat().st_mode), oct(at_home.stat().st_mode)) == ("0o140600", "0o140666")
    listens = host.show(f"workload-{name}_datagrams.socket", "Listen")
    assert listens == {"Listen": f"[::]:{port + 2} (Datagram)"}
    host.gone(name)
    assert not in_runtime.exists() and not at_home.exists()


def test_in_a_pod_a_socket_is_one_containers(host: Host, name: str, port: int) -> None:
    lines = on_demand(host, port).splitlines()
    apart = ("image", "environment", "volumes", "stop_timeout")
    text = "\n".join(
        [
            "hostname: one",
            "network_mode: none",
            "idle_timeout: 1s",
            f"sockets: [{{listen: {port}, container: proxy}}]",
            "containers:",
            "  proxy:",
            *(f"    {line}" for line in lines if line.startswith(apart)),
            f"  other: {{image: {BUSYBOX}, command: sleep infinity, stop_timeout: 1s}}",
        ]
    )
    host.deploy(name, text + "\n")
    parts = ("workload-{}.service", "workload-{}_proxy.service", "workload-{}_other.service")

    def states() -> set[str]:
        return {host.show(part.format(name), "ActiveState")["ActiveState"] for part in parts}

    host.wait_until(lambda: states() == {"inactive"}, "all of the pod to be stopped")
    assert host.wait_for(name, "Ready")["restarts"] == 0
    with host.net.connect(port):
        host.wait_until(lambda: states() == {"active"}, "all of the pod to be started")
        assert host.http(port) == "one ::ffff:127.0.0.1\n"
        third = {
            part: host.podman("exec", f"{name}_{part}", "readlink", "/proc/1/fd/3", check=False)
            for part in ("proxy", "other")
        }
        assert third["proxy"].startswith("socket:")
        assert not third["other"].startswith("socket:")


def test_disabled_it_does_not_listen(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    host.write_workload(name, on_demand(host, port, "enabled: false"))
    host.wait_for(name, "Disabled")
    host.wait_until(lambda: listener(host, name) == "inactive", "the socket to be closed")
    assert (host.http(port), service(host, name)) == ("", "inactive")
    host.write_workload(name, on_demand(host, port))
    host.wait_until(lambda: host.http(port), "it to listen again")
    host.wait_for(name, "Ready")


def test_removed_it_does_not_listen(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    host.gone(name)
    assert host.http(port) == ""
    assert listener(host, name) == "inactive"
    assert not host.unit_files(name)


def test_a_socket_that_was_stopped_listens_again(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    host.systemctl("stop", f"workload-{name}.socket")
    host.wait_until(lambda: listener(host, name) == "active", "it to listen again")
    assert host.http(port) == "one ::ffff:127.0.0.1\n"
    assert "stopped" in host.history(name)["events"][0]["message"]


def test_an_edited_socket_unit_is_put_right(host: Host, name: str, port: int) -> None:
    host.deploy(name, on_demand(host, port))
    unit = host.units / f"workload-{name}.socket"
    host.write(unit, f"[Socket]\nListenStream={port + 1}\n", mine=True)
    host.wait_until(lambda: host.history(name)["events"], "it to be noticed")
    host.wait_for(name, "Ready")
    shown = host.show(unit.name, "Listen", "FragmentPath")
    assert shown["Listen"] == f"[::]:{port} (Stream)"
    host.wait_until(lambda: host.http(port) == "one ::ffff:127.0.0.1\n", "it to serve again")


def test_a_port_that_somebody_has_is_said_at_once(host: Host, name: str, port: int) -> None:
    listen = f"exec socat TCP6-LISTEN:{port},reuseaddr,fork /dev/null"
    host.systemctl("--wait", "reset-failed", check=False)
    host.exec("systemd-run", "--user", "--collect", f"--unit=taken-{port}", "sh", "-c", listen)
    host.write_workload(name, on_demand(host, port))
    status = host.wait_for(name, "Failed")
    assert "Address already in use" in status["message"] or "cannot listen" in status["message"]
    host.systemctl("stop", f"taken-{port}.service")
    host.wait_until(lambda: host.http(port), "it to listen once the port is free")


def test_a_file_is_not_lost_for_a_socket(host: Host, name: str, port: int) -> None:
    precious = host.home / f"{name}.txt"
    host.write(precious, "precious", mine=True)
    host.write_workload(
        name,
        on_demand(host, port, f"# {name}").replace(
            f"sockets: [{port}]", f"sockets: [{port}, '~/{precious.name}']"
        ),
    )

    def failed() -> Document | None:
        status = host.status(name)
        return status if status.get("state") == "Failed" else None

    status = host.wait_until(failed, "it to be refused")
    assert "something else than a socket" in status["message"]
    assert precious.read_text() == "precious"
    assert not host.containers(name)
