"""Warnings: what depends on the host, and what every rule has (their texts are in fixtures)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workloadd.spec.advice import RULES
from workloadd.spec.load import load_workload
from workloadd.spec.relabel import is_dangerous, used_by_the_host
from workloadd.spec.scope import Limits, Scope, Variable

FIXTURES = Path(__file__).parents[2] / "fixtures/spec/good"
IMAGE = "image: docker.io/library/nginx:1.27\n"


def warnings(text: str, limits: Limits = Limits()) -> list[str]:  # noqa: B008
    loaded = load_workload("web", (IMAGE + text).encode(), "web.yaml", Scope(limits=limits))
    assert loaded.spec, loaded.errors
    return [f"{w.line}:{w.column} {w.reason}" for w in loaded.warnings]


@pytest.mark.parametrize(
    ("first", "text", "found"),
    [
        (1024, "ports: ['80:80']", ["2:9 PrivilegedPort"]),
        (80, "ports: ['80:80']", []),
        (0, "ports: ['1:1']", []),
        (1024, "ports: ['8080:80', {target: 53, published: 53, protocol: udp}]",
         ["2:20 PrivilegedPort"]),
        (1024, "sockets: [443]", ["2:11 PrivilegedPort"]),
        (1024, "sockets: [/run/web.sock]", []),
    ],
)  # fmt: skip
def test_ports_that_only_root_may_use(first: int, text: str, found: list[str]) -> None:
    assert warnings(text, Limits(first)) == found


@pytest.mark.parametrize(
    ("controllers", "found"),
    [(None, []), ({"memory", "pids"}, []), ({"pids"}, ["2:1 MissingController"])],
)
def test_limits_that_the_host_cannot_enforce(
    controllers: set[str] | None, found: list[str]
) -> None:
    limits = Limits(controllers=frozenset(controllers) if controllers is not None else None)
    assert warnings("resources: {memory: 1g}", limits) == found
    assert warnings("user: 1000", limits) == []


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("", False),
        ("network_mode: pasta", False),
        ("network_mode: private", False),
        ("network_mode: bridge", True),
        ("networks: [back]", True),
        ("network_mode: slirp4netns", True),
        ("network_mode: 'slirp4netns:mtu=1500'", True),
        ("network_mode: 'slirp4netns:port_handler=slirp4netns'", False),
    ],
)
def test_who_hides_the_client_s_address(text: str, lost: bool) -> None:
    assert warnings(f"ports: ['8080:80']\n{text}") == ["2:1 SourceAddressLost"] * lost
    assert warnings(text) == []


def test_what_looks_like_a_secret() -> None:
    assert warnings("environment: [A=1, DB_PASSWORD=hunter2]") == ["2:20 LiteralSecret"]
    own = {"TOKEN": Variable("hunter2", "/etc/workloadd/facts.d/a.env")}
    text = IMAGE + "environment: {TOKEN: '${TOKEN}'}"
    loaded = load_workload("web", text.encode(), "web.yaml", Scope(own))
    assert loaded.spec and not loaded.warnings
    literal = load_workload("web", (IMAGE + "environment: {TOKEN: hunter2}").encode(), "web.yaml")
    assert literal.warnings
    assert "hunter2" not in repr(literal)


def test_a_warning_of_a_pod_s_container_is_there() -> None:
    text = b"containers:\n  web: {image: localhost/a:1}\n  db:\n    image: localhost/b\n"
    (warning,) = load_workload("web", text, "web.yaml").warnings
    assert (warning.line, warning.column, warning.reason) == (4, 12, "UnpinnedImage")
    assert warning.message.startswith("containers.db.image: ")


def test_every_rule_has_a_fixture() -> None:
    shown = {
        reason
        for path in FIXTURES.glob("*.yaml")
        for reason in re.findall(r"# warning: \d+:\d+ (\w+)", path.read_text("utf-8-sig"))
    }
    of_the_host = {"MissingController"}
    assert {rule.reason for rule in RULES} == shown | of_the_host


@pytest.mark.parametrize(
    "source",
    ["/", "/etc/", "//usr", "/usr/share", "/dev/shm", "/home/me", "/var/home/me", "~", "~/", ".."],
)
def test_what_would_damage_the_host(source: str) -> None:
    assert is_dangerous(source)


@pytest.mark.parametrize(
    "source",
    ["/srv/www", "/home/me/site", "~/site", "./site", "../site", "/var/lib/web", "/etc/web", "."],
)
def test_what_would_not(source: str) -> None:
    assert not is_dangerous(source)


def test_what_the_host_uses_too() -> None:
    assert used_by_the_host("/etc/ssl")
    assert used_by_the_host("~/.ssh")
    assert not used_by_the_host("/srv/etc")
