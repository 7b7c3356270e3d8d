"""Sockets, within a workload and across workloads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.load import LoadResult, duplicate_host_ports, load_workload
from workloadd.spec.model import PodSpec
from workloadd.spec.problems import ProblemsError
from workloadd.spec.sockets import Socket, groups, parse_listen, parse_sockets
from workloadd.spec.translate import validated

numbers = st.integers(1, 65535)
addresses = st.one_of(st.just(""), st.ip_addresses().filter(lambda ip: "%" not in str(ip)).map(str))
inet = st.builds(Socket, kind=st.sampled_from(["tcp", "udp"]), address=addresses, port=numbers)
paths = st.from_regex(r"(%t|~)?(/[a-z ]{0,8}[a-z]){1,4}", fullmatch=True).filter(
    lambda path: path.split("/")[1] not in ("bus", "gnupg", "podman", "systemd", "workloadd")
)
unix = st.builds(Socket, kind=st.just("unix"), address=paths)


@given(st.one_of(inet, unix))
def test_short_form_round_trip(socket: Socket) -> None:
    assert parse_listen(str(socket)) == socket


@given(st.one_of(inet, unix), st.from_regex(r"[a-z][a-z_.-]{0,9}", fullmatch=True))
def test_what_is_written_out_is_read_back(socket: Socket, name: str) -> None:
    named = socket.model_copy(update={"name": name})
    assert parse_sockets([named.model_dump(mode="json")]) == (named,)


def test_a_number_is_a_port() -> None:
    assert parse_sockets([8080]) == parse_sockets(["8080"]) == (Socket(port=8080),)


def test_the_order_is_kept_and_names_group() -> None:
    given_ = [8081, {"listen": 8443, "name": "https"}, 8080, {"listen": "%t/x", "name": "https"}]
    found = groups(parse_sockets(given_))
    assert {name: [str(s) for s in some] for name, some in found.items()} == {
        "": ["8081", "8080"],
        "https": ["8443", "%t/x"],
    }


def pod(*sockets: Any, **containers: dict[str, Any]) -> PodSpec:
    made = {name: {"image": "localhost/a:1", **more} for name, more in containers.items()}
    return validated(PodSpec, {"containers": made, "sockets": list(sockets)})


def test_in_a_pod_a_socket_goes_to_the_only_container_that_serves() -> None:
    assert pod(8080, web={}, init={"init": True}).sockets == (Socket(port=8080),)
    named = pod({"listen": 8080, "container": "web"}, web={}, app={}).sockets
    assert named == (Socket(port=8080, container="web"),)


@pytest.mark.parametrize(
    ("socket", "why"),
    [
        (8080, "it has to say which container gets it"),
        ({"listen": 8080, "container": "wbe"}, '"wbe" is not one of web or app'),
        ({"listen": 8080, "container": "init"}, '"init" is not one of web or app'),
    ],
)
def test_in_a_pod_of_several_it_says_which(socket: Any, why: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        pod(socket, web={}, app={}, init={"init": True})
    (problem,) = caught.value.problems
    assert problem.why == why
    assert problem.path[:2] == ("sockets", 0)


def test_two_containers_cannot_have_sockets_of_one_name() -> None:
    with pytest.raises(ProblemsError, match="go to one container"):
        pod(
            {"listen": 8080, "container": "web"},
            {"listen": 8081, "container": "app"},
            web={},
            app={},
        )


def load(name: str, text: str) -> LoadResult:
    result = load_workload(name, f"image: localhost/a:1\n{text}\n".encode(), f"/etc/{name}.yaml")
    assert result.errors == ()
    return result


def test_a_socket_and_a_published_port_exclude_each_other() -> None:
    loaded = {"a": load("a", "ports: [8080:80]"), "b": load("b", "sockets: [127.0.0.1:8080]")}
    (error,) = duplicate_host_ports(loaded)["b"]
    assert (error.line, error.column, error.reason) == (2, 11, "DuplicateHostPort")
    assert 'host port "127.0.0.1:8080" is taken by a (/etc/a.yaml:2:9)' in error.message
    (error,) = duplicate_host_ports(loaded, {("127.0.0.1", 8080, "tcp"): "b"})["a"]
    assert "is taken by b (/etc/b.yaml:2:11)" in error.message


def test_so_do_two_of_one_path() -> None:
    loaded = {name: load(name, "sockets: ['%t/a.sock']") for name in ("a", "b")}
    (error,) = duplicate_host_ports(loaded)["b"]
    assert 'socket "%t/a.sock" is taken by a (/etc/a.yaml:2:11)' in error.message
    other = {"a": loaded["a"], "c": load("c", "sockets: ['%t/c.sock', 5353/udp]")}
    assert duplicate_host_ports(other) == {}
