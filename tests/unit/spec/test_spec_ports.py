"""Published ports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.ports import Port, parse_port, parse_ports, same_address, same_host_port
from workloadd.spec.problems import ProblemsError

numbers = st.integers(1, 65535)
addresses = st.one_of(st.just(""), st.ip_addresses().filter(lambda ip: "%" not in str(ip)).map(str))
ports = st.builds(
    Port,
    host_ip=addresses,
    host_port=numbers,
    container_port=numbers,
    protocol=st.sampled_from(["tcp", "udp", "sctp"]),
)


@given(ports)
def test_short_form_round_trip(port: Port) -> None:
    assert parse_port(str(port)) == [port]


@given(ports)
def test_long_form_is_the_short_one(port: Port) -> None:
    long = {
        "target": port.container_port,
        "published": str(port.host_port),
        "host_ip": port.host_ip,
        "protocol": port.protocol.upper(),
    }
    assert parse_ports([long]) == parse_ports([str(port)]) == (port,)


@given(st.lists(ports, max_size=8, unique_by=lambda port: port.host_port), st.randoms())
def test_order_has_no_meaning(some: list[Port], random: object) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert parse_ports(list(map(str, some))) == parse_ports(list(map(str, shuffled)))


@given(ports, ports)
def test_clash_is_symmetric(one: Port, other: Port) -> None:
    assert same_host_port(one.host, other.host) == same_host_port(other.host, one.host)
    assert same_host_port(one.host, one.host)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("", "127.0.0.1", True), ("", "::1", True), ("0.0.0.0", "127.0.0.1", True),
        ("::", "::1", True), ("0.0.0.0", "::", False), ("127.0.0.1", "127.0.0.2", False),
        ("0.0.0.0", "::1", False), ("", "", True),
    ],
)  # fmt: skip
def test_addresses(one: str, other: str, same: bool) -> None:
    assert same_address(one, other) is same_address(other, one) is same


def test_ranges_are_expanded() -> None:
    found = parse_ports(["127.0.0.1:8000-8002:80-82/udp"])
    assert [str(port) for port in found] == [
        "127.0.0.1:8000:80/udp", "127.0.0.1:8001:81/udp", "127.0.0.1:8002:82/udp",
    ]  # fmt: skip


def test_there_is_a_bound_on_all_ranges_together() -> None:
    with pytest.raises(ProblemsError, match="300 ports"):
        parse_ports(["1000-1149:1000-1149", "2000-2149:2000-2149"])


@pytest.mark.parametrize(
    "bad", ["", ":80", ":80:80", "8080:", "1:2:", "[::1:80:80", "a/b/c", "\n80:80"]
)
def test_bad_short_form(bad: str) -> None:
    with pytest.raises(ProblemsError):
        parse_port(bad)


def test_interface_in_an_address_is_refused() -> None:
    with pytest.raises(ProblemsError, match="interface"):
        parse_port("[fe80::1%eth0]:80:80")
