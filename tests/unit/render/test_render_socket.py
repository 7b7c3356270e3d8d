"""Socket units, and what a container remembers of its sockets."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.spec.test_spec_sockets import inet, unix
from workloadd.core.socket_units import from_texts, socket_units, to_texts
from workloadd.render.socket import render_sockets
from workloadd.spec.sockets import Socket, parse_sockets


def units(*sockets: Any) -> dict[str, list[str]]:
    rendered = render_sockets(
        "web", "workload-web.service", parse_sockets(list(sockets)), ["# Generated"]
    )
    return {name: text.splitlines() for name, text in rendered.items()}


def test_one_unit_for_sockets_without_names_in_their_order() -> None:
    (unit,) = units(8080, "127.0.0.1:8443", "5353/udp", "[::1]:9000").values()
    assert unit[0] == "# Generated"
    listens = [line for line in unit if line.startswith("Listen")]
    assert listens == [
        "ListenStream=8080",
        "ListenStream=127.0.0.1:8443",
        "ListenDatagram=5353",
        "ListenStream=[::1]:9000",
    ]
    assert {"Service=workload-web.service", "FileDescriptorName=web"} < set(unit)
    assert unit[-2:] == ["[Install]", "WantedBy=workloads.target"]
    assert not any(line.startswith(("FreeBind", "SocketMode", "BindIPv6Only")) for line in unit)


def test_one_for_each_name() -> None:
    found = units(8080, {"listen": 8443, "name": "https"}, {"listen": 8444, "name": "https"})
    assert list(found) == ["workload-web.socket", "workload-web_https.socket"]
    assert "FileDescriptorName=https" in found["workload-web_https.socket"]
    texts = to_texts(parse_sockets([8080, {"listen": 8443, "name": "https"}]))
    assert socket_units("web", texts) == tuple(found)


def test_unix_sockets_have_a_mode_and_go_with_their_unit() -> None:
    (unit,) = units("%t/web.sock", "~/100% mine.sock", "/srv/a.sock").values()
    listens = [line for line in unit if line.startswith("Listen")]
    assert listens == [
        "ListenStream=%t/web.sock",
        "ListenStream=%h/100%% mine.sock",
        "ListenStream=/srv/a.sock",
    ]
    assert {"SocketMode=0600", "RemoveOnStop=yes"} < set(unit)
    (unit,) = units({"listen": "%t/web.sock", "mode": "0666"}).values()
    assert "SocketMode=0666" in unit


def test_an_address_may_come_later_than_its_unit() -> None:
    (unit,) = units("192.0.2.1:8080").values()
    assert "FreeBind=yes" in unit


def test_all_ipv6_addresses_are_no_ipv4_ones() -> None:
    (unit,) = units("[::]:8080", "0.0.0.0:8080").values()
    assert "BindIPv6Only=ipv6-only" in unit


@given(st.lists(st.one_of(inet, unix), max_size=4), st.sampled_from(["", "http"]))
def test_a_label_is_read_back_as_written(sockets: list[Socket], name: str) -> None:
    named = tuple(socket.model_copy(update={"name": name}) for socket in sockets)
    assert from_texts(to_texts(named)) == named


def test_what_another_version_wrote_is_passed_over() -> None:
    assert from_texts(["::vsock:2:1234", "::8080", "x:9:8081"]) == (Socket(port=8080),)
