"""The kernel's tables of connections, and those of this machine itself."""

import socket
import sys
from pathlib import Path

import pytest

from workloadd.core.errors import Permanent
from workloadd.host.cgroups import processor_time
from workloadd.host.connections import (
    Connections,
    accepted_connections,
    inet_connections,
    unix_connections,
)
from workloadd.host.socket_paths import check_socket_paths
from workloadd.spec.sockets import parse_sockets

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   2: 00000000:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 308721
  13: 0100007F:B46A 0100007F:2328 06 00000000:00000000 03:0000176B 00000000     0        0 0 3
  14: 0100007F:B46E 0100007F:2328 01 00000000:00000000 00:00000000 00000000  1000        0 308849
  16: 0100007F:2328 0100007F:B46E 01 00000000:00000000 00:00000000 00000000 100032        0 309529
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:2328 00000000000000000000000000000000:0000 0A 00000000:00000
   1: 0000000000000000FFFF00000100007F:2328 0000000000000000FFFF00000100007F:9C40 08 00000000:00000
   2: 00000000000000000000000001000000:2328 00000000000000000000000001000000:9C42 03 00000000:00000
"""
UNIX = """\
Num       RefCount Protocol Flags    Type St Inode Path
000000005a2d0947: 00000002 00000000 00010000 0001 01 308722 /run/user/1000/web.sock
000000005a2d0948: 00000003 00000000 00000000 0001 03 308723 /run/user/1000/web.sock
000000005a2d0949: 00000003 00000000 00000000 0001 03 308724
000000005a2d0950: 00000003 00000000 00000000 0001 03 308725 /home/workloads/with a blank.sock
"""
SNMP = """\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm ActiveOpens PassiveOpens AttemptFails
Tcp: 1 12 34 56
"""
little = pytest.mark.skipif(sys.byteorder != "little", reason="the tables were taken on such a one")


@little
def test_open_connections_by_their_local_end() -> None:
    assert list(inet_connections(TCP)) == [("127.0.0.1", 46190), ("127.0.0.1", 9000)]
    assert list(inet_connections(TCP6)) == [("127.0.0.1", 9000), ("::1", 9000)]


def test_unix_connections() -> None:
    assert list(unix_connections(UNIX)) == [
        "/run/user/1000/web.sock",
        "/home/workloads/with a blank.sock",
    ]


def test_what_the_host_has_accepted() -> None:
    assert accepted_connections(SNMP) == 34


@little
def test_sockets_have_the_connections_to_their_address(tmp_path: Path) -> None:
    for name, table in {"tcp": TCP, "tcp6": TCP6, "unix": UNIX, "snmp": SNMP}.items():
        (tmp_path / name).write_text(table)
    seen = Connections(Path("/run/user/1000"), Path("/home/workloads"), tmp_path)
    counts = {
        9000: 3, "127.0.0.1:9000": 2, "[::1]:9000": 1, "127.0.0.2:9000": 0, 9001: 0,
        "%t/web.sock": 1, "~/with a blank.sock": 1, "/run/user/1000/web.sock": 1, "%t/b.sock": 0,
    }  # fmt: skip
    assert {text: seen.count(parse_sockets([text])) for text in counts} == counts
    assert seen.accepted == 34


def test_on_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with socket.socket() as inet, socket.socket(socket.AF_UNIX) as unix:
        inet.bind(("127.0.0.1", 0))
        unix.bind(str(path))
        inet.listen()
        unix.listen()
        where = parse_sockets([inet.getsockname()[1], str(path)])
        before = Connections(tmp_path, tmp_path)
        assert before.count(where) == 0
        with (
            socket.create_connection(inet.getsockname()),
            socket.socket(socket.AF_UNIX) as client,
            inet.accept()[0],
        ):
            client.connect(str(path))
            with unix.accept()[0]:
                during = Connections(tmp_path, tmp_path)
                assert during.count(where) == 2
                assert during.accepted > before.accepted


def test_processor_time(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("0::/user.slice/user@1000.service/app.slice/a.service\n")
    group = tmp_path / "user.slice/user@1000.service/workloads.slice/workload-web.service"
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\n")
    assert processor_time("workload-web.service", tmp_path / "cgroup", tmp_path) == 1.5
    with pytest.raises(OSError):
        processor_time("workload-gone.service", tmp_path / "cgroup", tmp_path)
    (tmp_path / "cgroup").write_text("0::/system.slice/a.service\n")
    with pytest.raises(OSError):
        processor_time("workload-web.service", tmp_path / "cgroup", tmp_path)


def test_no_file_is_lost_for_a_socket(tmp_path: Path) -> None:
    runtime, home = tmp_path / "run", tmp_path / "home"
    runtime.mkdir()
    home.mkdir()
    (home / "notes").write_text("precious")
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(runtime / "old.sock"))
    fine = parse_sockets(["%t/old.sock", "%t/new.sock", "~/new/a.sock", "~/notes/a.sock", 8080])
    check_socket_paths(fine, runtime, home)
    for text in ("~/notes", str(home)):
        with pytest.raises(Permanent, match=r"cannot listen on .*something else than a socket"):
            check_socket_paths(parse_sockets([text]), runtime, home)
