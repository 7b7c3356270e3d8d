"""Host ports across workloads."""

from __future__ import annotations

from workloadd.spec.load import LoadResult, duplicate_host_ports, load_workload


def load(name: str, *ports: str, enabled: bool = True) -> LoadResult:
    lines = ["image: localhost/a:1", f"enabled: {str(enabled).lower()}", "ports:"]
    lines += [f'  - "{port}"' for port in ports]
    result = load_workload(name, "\n".join(lines).encode(), f"/etc/{name}.yaml")
    assert result.errors == ()
    return result


def workloads(**ports: str) -> dict[str, LoadResult]:
    return {name: load(name, *text.split()) for name, text in ports.items()}


def test_first_by_name_has_the_port() -> None:
    errors = duplicate_host_ports(workloads(b="8080:80", a="8080:81"))
    assert list(errors) == ["b"]
    (error,) = errors["b"]
    assert (error.file, error.line, error.column) == ("/etc/b.yaml", 4, 5)
    assert error.reason == "DuplicateHostPort"
    assert "is taken by a (/etc/a.yaml:4:5)" in str(error)


def test_holder_keeps_the_port() -> None:
    loaded = workloads(a="8080:80", b="8080:81")
    errors = duplicate_host_ports(loaded, {("", 8080, "tcp"): "b"})
    assert list(errors) == ["a"]
    assert "/etc/b.yaml:4:5" in str(errors["a"][0])


def test_holder_whose_file_is_broken_keeps_the_port() -> None:
    loaded = workloads(a="8080:80") | {"b": load_workload("b", b"imge: x", "/etc/b.yaml")}
    errors = duplicate_host_ports(loaded, {("", 8080, "tcp"): "b"})
    assert "is taken by b (/etc/b.yaml)" in str(errors["a"][0])


def test_holder_that_wants_the_port_no_more_lets_it_go() -> None:
    loaded = workloads(a="8080:80", b="8081:80")
    holders = {("", 8080, "tcp"): "b"}
    assert duplicate_host_ports(loaded, holders) == {}
    assert duplicate_host_ports({"a": loaded["a"]}, holders) == {}
    disabled = {"a": loaded["a"], "b": load("b", "8080:80", enabled=False)}
    assert duplicate_host_ports(disabled, holders) == {}


def test_every_clashing_entry_is_named_in_order() -> None:
    errors = duplicate_host_ports(workloads(a="127.0.0.1:80:1 90-92:90-92", b="91:1 80:80"))
    assert [error.line for error in errors["b"]] == [4, 5]


def test_protocols_and_addresses_are_apart() -> None:
    assert not duplicate_host_ports(workloads(a="53:53", b="53:53/udp", c="53:53/sctp"))
    assert not duplicate_host_ports(workloads(a="127.0.0.1:80:80", b="127.0.0.2:80:80"))
    assert duplicate_host_ports(workloads(a="127.0.0.1:80:80", b="0.0.0.0:80:80"))


def test_what_a_refused_workload_wants_is_free_for_others() -> None:
    errors = duplicate_host_ports(workloads(a="80:80", b="80:80 90:90", c="90:90"))
    assert list(errors) == ["b"]


def test_no_ports_no_errors() -> None:
    assert duplicate_host_ports({"a": load_workload("a", b"image: localhost/a:1", "f")}) == {}
