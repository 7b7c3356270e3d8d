"""The pure parts of the API's border: names of this machine, negotiation, health."""

import pytest
from aiohttp.test_utils import make_mocked_request

from tests.fakes.statuses import BAD, GOOD, NOW, status
from workloadd.api import health
from workloadd.api.guard import is_loopback_name
from workloadd.api.negotiate import wants_text
from workloadd.core.status import PassStatus


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:7780", "127.0.0.1", "127.0.0.1:7780", "127.8.9.1:1", "[::1]:7780"],
)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback_name(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.org",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "192.168.1.1:7780",
        "0.0.0.0",
        "[::]:7780",
        "::1",
        "127.0.0.1:7780:80",
        "user@localhost",
        "localhost:7780/",
        "2130706433",
        "127.1",
    ],
)
def test_other_names(host: str) -> None:
    assert not is_loopback_name(host)


@pytest.mark.parametrize(
    ("accept", "default", "text"),
    [
        (None, True, True),
        (None, False, False),
        ("*/*", True, True),
        ("*/*", False, False),
        ("application/json", True, False),
        ("application/problem+json", True, False),
        ("text/plain", False, True),
        ("text/plain;q=0.1, application/json", True, False),
        ("text/*", False, True),
        ("text/plain;q=nonsense, application/json;q=0.5", True, False),
        ("image/png", True, True),
        (",;,q=", False, False),
    ],
)
def test_negotiation(accept: str | None, default: bool, text: bool) -> None:
    headers = {} if accept is None else {"Accept": accept}
    assert wants_text(make_mocked_request("GET", "/", headers), default) is text


def test_nothing_is_ready_before_the_first_pass() -> None:
    passes = PassStatus(problem="cannot reach Podman")
    (reason,) = health.unready(status({}, passes=passes), 120, NOW)
    assert "first pass" in str(reason)
    assert "cannot reach Podman" in str(reason)


def test_a_workload_gets_its_grace() -> None:
    found = status({"web": GOOD})
    assert health.unready(found, 120, NOW + 120) == ()
    (late,) = health.unready(found, 120, NOW + 121)
    assert late.workload == "web"
    assert late.why


def test_what_serves_is_ready_though_its_file_is_broken() -> None:
    assert health.unready(status({"web": BAD}, {"web": GOOD}), 120, NOW + 9999) == ()


def test_what_is_disabled_need_not_be_ready() -> None:
    assert health.unready(status({"web": GOOD + "enabled: false\n"}), 120, NOW + 9999) == ()
