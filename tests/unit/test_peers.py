"""Whose connection it is, by the kernel's tables, and by one of this machine itself."""

import os
import pwd
import socket
import sys
from pathlib import Path

import pytest

from workloadd.host.peers import name_of, user_of, users_named

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
REST = "00000000:00000000 00:00000000 00000000"
TCP = f"""{HEAD}\
   0: 0100007F:1E64 00000000:0000 0A {REST}  1000        0 1
   1: 0100007F:1E64 0100007F:B46A 01 {REST}  1000        0 2
   2: 0100007F:B46A 0100007F:1E64 01 {REST}   978        0 3
   3: 0100007F:B46C 0100007F:1E64 06 {REST}     0        0 0
   4: 0100007F:B46E 0100007F:1E65 01 {REST}   979        0 4
"""
TCP6 = f"""{HEAD}\
   0: 0000000000000000FFFF00000100007F:B470 0000000000000000FFFF00000100007F:1E64 01 {REST} 980 0 5
   1: 00000000000000000000000001000000:B472 00000000000000000000000001000000:1E64 01 {REST} 981 0 6
"""
SERVER = ("127.0.0.1", 7780)
little = pytest.mark.skipif(sys.byteorder != "little", reason="the tables were taken on such a one")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "tcp").write_text(TCP)
    (tmp_path / "tcp6").write_text(TCP6)
    return tmp_path


@little
def test_it_is_the_user_of_the_clients_end(proc: Path) -> None:
    assert user_of(("127.0.0.1", 46186), SERVER, proc) == 978
    assert user_of(("127.0.0.1", 46192), SERVER, proc) == 980, "an IPv6 socket that speaks IPv4"
    assert user_of(("::1", 46194), ("::1", 7780), proc) == 981


@little
def test_what_does_not_say_whose_it_is(proc: Path) -> None:
    assert user_of(("127.0.0.1", 46188), SERVER, proc) is None, "closed: the table says 0 then"
    assert user_of(("127.0.0.1", 46190), SERVER, proc) is None, "to another port"
    assert user_of(("127.0.0.1", 1), SERVER, proc) is None
    assert user_of(SERVER, ("127.0.0.1", 46186), proc) == 1000, "our own end is ours"


def test_without_tables_nobody_is_known(tmp_path: Path) -> None:
    assert user_of(("127.0.0.1", 46186), SERVER, tmp_path) is None


def test_a_real_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as client:
            assert user_of(client.getsockname(), address) == os.getuid()


def test_names_and_numbers_of_users() -> None:
    me = pwd.getpwuid(os.getuid())
    assert users_named([me.pw_name, "no-such-user", "4242"]) == {os.getuid(), 4242}
    assert name_of(os.getuid()) == me.pw_name
    assert name_of(4_000_000) == "number 4000000"
