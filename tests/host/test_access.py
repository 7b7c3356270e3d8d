"""Who may ask and act, with real users and a real kernel."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import CompletedProcess

import pytest

from tests.host.host import API, Host
from tests.host.workloads import serving

TOKEN = "a-token-for-the-tests-of-access"
RUNTIME = "/run/user/$(id -u workloads)/workloadd"
SHARED = "/run/workloadd/users/workloads"
GUEST, MEMBER, GROUP = "guest", "member", "ops"


@contextmanager
def settings(host: Host, text: str) -> Iterator[Callable[[str], None]]:
    """The daemon, restarted with these settings as well, or others; and afterwards without."""
    file = host.settings / "60-access.toml"

    def use(text: str) -> None:
        host.write(file, text)
        host.systemctl("restart", "workloadd.service")

    try:
        use(text)
        yield use
    finally:
        file.unlink()
        host.systemctl("restart", "workloadd.service")


@pytest.fixture(scope="module")
def people(the_host: Host) -> Iterator[None]:
    """Two more users, one of them in a group."""
    script = f"groupadd {GROUP}; useradd -m {GUEST}; useradd -m -G {GROUP} {MEMBER}"
    the_host.root("sh", "-ec", script)
    yield
    the_host.root("sh", "-ec", f"userdel -rf {GUEST}; userdel -rf {MEMBER}; groupdel {GROUP}")


def curl(host: Host, user: str, *arguments: str) -> CompletedProcess[str]:
    """A request as that user; the last line of what is said is the status."""
    command = ("curl", "--silent", "--show-error", "--write-out", "\\n%{http_code}", *arguments)
    return host.exec(*command, user=user, check=False)


def code(done: CompletedProcess[str]) -> str:
    return done.stdout.splitlines()[-1]


@pytest.mark.usefixtures("people")
def test_a_token_for_tcp(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    url, header = f"http://127.0.0.1:{API}", f"Authorization: Bearer {TOKEN}"
    logs = f"{url}/v1/workloads/{name}/logs"
    assert code(curl(host, GUEST, f"{url}/{name}")) == "200"
    assert code(curl(host, GUEST, logs)) == "403"
    host.root("install", "-m", "0640", "-g", "workloads", "/dev/null", "/etc/workloadd/token")
    (host.disk / "etc/workloadd/token").write_text(f"{TOKEN}\n")
    with settings(host, '[api]\ntoken_file = "/etc/workloadd/token"\n'):
        refused = curl(host, GUEST, "--include", f"{url}/{name}")
        assert code(refused) == "401"
        assert 'WWW-Authenticate: Bearer realm="workloadd"' in refused.stdout
        assert "cannot answer without the token" in refused.stdout
        assert code(curl(host, GUEST, f"{url}/healthz")) == "200"
        assert code(curl(host, GUEST, "-H", f"{header}x", url)) == "401"
        assert code(curl(host, GUEST, "-H", header, url)) == "200"
        assert code(curl(host, GUEST, "-H", header, logs)) == "200"
        act = (f"{url}/v1/workloads/{name}/restart", "--request", "POST")
        assert code(curl(host, GUEST, "-H", header, *act)) == "403"
        # The command line, over TCP with the token, and on the socket without.
        asked = ("workloadctl", "status", name)
        assert "--token-file" in host.exec(*asked, "--url", url, check=False).stderr
        token = ("--token-file", "/etc/workloadd/token")
        assert host.exec(*asked, "--url", url, *token).returncode == 0
        assert host.exec(*asked).returncode == 0
        # Nothing says it, and one that everybody can read is none.
        said = host.exec("journalctl", "--user", "--unit=workloadd.service", "--boot").stdout
        assert TOKEN not in said
        host.root("chmod", "0644", "/etc/workloadd/token")
        host.wait_until(
            lambda: code(curl(host, GUEST, "-H", header, url)) == "503", "the token to be refused"
        )
    host.root("rm", "/etc/workloadd/token")


@pytest.mark.usefixtures("people")
def test_another_user_is_refused_whatever_the_file_allows(host: Host) -> None:
    socket_path = host.exec("sh", "-c", f"echo {RUNTIME}/workloadd.sock").stdout.strip()
    ask = ("--unix-socket", socket_path, "http://localhost/v1/status")
    assert "connect to server" in curl(host, GUEST, *ask).stderr
    opened = f"chmod o+x {RUNTIME}/.. {RUNTIME}; chmod 0666 {RUNTIME}/workloadd.sock"
    closed = f"chmod o-x {RUNTIME}/.. {RUNTIME}; chmod 0600 {RUNTIME}/workloadd.sock"
    host.root("sh", "-ec", opened)
    try:
        done = curl(host, GUEST, *ask)
        assert code(done) == "403"
        document = json.loads(done.stdout.rpartition("\n")[0])
        assert document["reason"] == "NotYours"
        assert "the workloads are another's" in document["detail"]
        assert code(curl(host, "workloads", *ask)) == "200"
        assert code(curl(host, "root", *ask)) == "200"
    finally:
        host.root("sh", "-ec", closed)


@pytest.mark.usefixtures("people")
def test_a_group_may_act(host: Host, name: str, port: int) -> None:
    host.deploy(name, serving(port))
    ask = ("--unix-socket", f"{SHARED}/workloadd.sock", "http://localhost/v1/status")
    with settings(host, f'[api]\ngroup = "{GROUP}"\n'):
        # Without its directory there is no socket; the status says what to do, and that is enough.
        (problem,) = host.api("/v1/status")["problems"]
        line = f"d {SHARED} 2750 workloads {GROUP} -"
        assert line in problem
        host.root("sh", "-ec", f"echo '{line}' | systemd-tmpfiles --create /dev/stdin")
        host.systemctl("restart", "workloadd.service")
        host.wait_until(lambda: code(curl(host, MEMBER, *ask)) == "200", "the group's socket")
        assert host.api("/v1/status")["problems"] == []
        assert host.root("stat", "-c", "%U:%G %a", f"{SHARED}/workloadd.sock").stdout.split() == [
            f"workloads:{GROUP}",
            "660",
        ]
        done = host.exec("workloadctl", "pause", name, "--reason", "by one of us", user=MEMBER)
        assert done.returncode == 0
        notes = host.history(name)["events"]
        assert any(MEMBER in note["message"] for note in notes)
        host.exec("workloadctl", "resume", name, user=MEMBER)
        host.exec("workloadctl", "logs", name, user=MEMBER)
        # Another user cannot come there; nor is it answered where it can.
        assert "connect to server" in curl(host, GUEST, *ask).stderr
        host.root("chmod", "o+rwx", SHARED, f"{SHARED}/workloadd.sock")
        done = curl(host, GUEST, *ask)
        assert code(done) == "403"
        assert f"as a member of the group {GROUP}" in done.stdout
    host.root("rm", "-r", "/run/workloadd/users")
    host.wait_for(name, "Ready")


def test_tcp_moved_turned_off_and_taken(host: Host) -> None:
    other = (
        "systemd-run",
        "--user",
        "--unit=taken",
        "--socket-property=ListenStream=127.0.0.1:7782",
    )
    with settings(host, '[api]\nlisten = "127.0.0.2:7781"\n') as use:
        assert code(curl(host, "root", "http://127.0.0.2:7781/healthz")) == "200"
        with pytest.raises(OSError):
            host.api("/v1/status")
        use('[api]\nlisten = ""\n')
        with pytest.raises(OSError):
            host.api("/v1/status")
        assert host.exec("workloadctl", "status", check=False).stdout
        host.exec(*other, "true")
        try:
            use('[api]\nlisten = "127.0.0.1:7782"\n')
            said = host.exec("workloadctl", "status", "-o", "json", check=False).stdout
            (problem,) = json.loads(said)["problems"]
            assert problem.startswith("cannot listen on 127.0.0.1 port 7782: ")
            assert "ss -ltnp" in problem
            assert host.show("workloadd.service", "NRestarts") == {"NRestarts": "0"}
        finally:
            host.systemctl("stop", "taken.socket")


def asked_during(host: Host, act: Callable[[], object]) -> tuple[int, list[str]]:
    """How many requests were made while something went on, and what went wrong with them."""
    number, failed, done = 0, [], threading.Event()

    def ask() -> None:
        nonlocal number
        while not done.is_set():
            try:
                host.net.get(API, "/healthz", timeout=20)
            except OSError as error:
                failed.append(repr(error))
            number += 1

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        act()
        host.wait_until(host.answers, "the first pass")
    finally:
        done.set()
        asking.join()
    return number, failed


def restart(host: Host) -> None:
    host.systemctl("restart", "workloadd.service")


def kill(host: Host) -> None:
    before = host.show("workloadd.service", "MainPID")
    host.systemctl("kill", "--signal=SIGKILL", "workloadd.service")
    host.wait_until(
        lambda: (
            host.show("workloadd.service", "MainPID", "SubState") not in (before, {"MainPID": "0"})
        ),
        "the daemon to be back",
    )


def test_nobody_is_refused_while_the_daemon_restarts(host: Host) -> None:
    number, failed = asked_during(host, lambda: restart(host))
    assert number > 100
    assert not [one for one in failed if "refused" in one]
    # Who connects and dawdles on a busy machine may be cut off with the old daemon.
    assert len(failed) <= 1
    # Of one that is killed, who was about to be answered sees the end; nobody is turned away.
    _, failed = asked_during(host, lambda: kill(host))
    assert not [one for one in failed if "refused" in one]
    assert len(failed) <= 1
    host.systemctl("reset-failed", "workloadd.service")


def test_socket_units(host: Host) -> None:
    """Who asks before the daemon is there has it started, and waits; on both listeners."""
    units = ("workloadd.socket", "workloadd-tcp.socket")
    broken = host.settings / "99-broken.toml"
    host.systemctl("stop", "workloadd.service")
    with pytest.raises(OSError):
        host.api("/v1/status")
    host.systemctl("enable", "--now", *units)
    try:
        path = host.exec("sh", "-c", f"echo {RUNTIME}/workloadd.sock").stdout.strip()
        assert code(curl(host, "workloads", "--unix-socket", path, "http://x/healthz")) == "200"
        host.systemctl("stop", "workloadd.service")
        assert host.net.get(API, "/healthz", timeout=20)[0] == 200
        host.wait_until(host.answers, "the first pass")
        assert host.api("/v1/status")["problems"] == []
        number, failed = asked_during(host, lambda: restart(host))
        assert (number > 100, failed) == (True, [])
        # Settings that are wrong: nobody waits for ever, nor has it started again and again.
        host.write(broken, "[api]\nlisten = 1\n")
        host.systemctl("stop", "workloadd.service")
        with pytest.raises(OSError):
            host.net.get(API, "/healthz", timeout=20)
        host.wait_until(
            lambda: (
                host.show("workloadd.service", "ExecMainStatus", "SubState")
                == {"ExecMainStatus": "78", "SubState": "failed"}
            ),
            "the daemon to give up",
        )
        broken.unlink()
        with settings(host, '[api]\nlisten = ""\n'):
            said = host.exec("workloadctl", "status", "-o", "json", check=False).stdout
            (problem,) = json.loads(said)["problems"]
            assert "disable --now workloadd-tcp.socket" in problem
    finally:
        broken.unlink(missing_ok=True)
        host.systemctl("disable", "--now", *units)
        host.systemctl("stop", "workloadd.service")
        host.systemctl("reset-failed")
        host.start_daemon()
    assert host.show("workloadd.socket", "ActiveState") == {"ActiveState": "inactive"}


def test_a_crowd_leaves_nothing(host: Host) -> None:
    """Those who come first keep the rest out of TCP alone, and only for as long as they may."""
    process = host.live / "proc" / host.show("workloadd.service", "MainPID")["MainPID"]

    def held() -> int:
        return len(list((process / "fd").iterdir()))

    assert host.net.get(API, "/healthz")[0] == 200
    before = held()
    crowd = [host.net.connect(API) for _ in range(300)]
    try:
        ask = (
            "curl --silent --fail --unix-socket $XDG_RUNTIME_DIR/workloadd/workloadd.sock http://x"
        )
        assert host.exec("sh", "-c", f"{ask}/healthz").stdout == "ok\n"
        for one in crowd[:5]:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert one.recv(100).startswith(b"HTTP/1.1 200 OK")
        assert held() < before + 150
    finally:
        for one in crowd:
            one.close()
    # The daemon's own connections, to Podman as an example, come and go.
    host.wait_until(lambda: held() <= before + 10, "the connections to be gone")
    assert host.net.get(API, "/healthz")[0] == 200
