"""What workloads use, as a table."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.cli.use_table import ORDERS, ordered, parts, percent, size, table, together

KEYS = ("cpu", "memory", "memory_limit", "pids", "read", "written", "received", "sent")


def use(name: str, **known: float) -> dict[str, Any]:
    return {"workload": name, **dict.fromkeys(KEYS), **known}


WEB = use("web", cpu=0.5, memory=34 << 20, memory_limit=128 << 20, pids=3, read=0.0,
          written=2048.0, received=1_500_000.0, sent=10.0)  # fmt: skip
IDLE = use("idle", cpu=0.0, memory=0)
ODD = use("odd")


def names(uses: list[Any]) -> list[str]:
    return [one["workload"] for one in uses]


def test_a_row_for_each_and_dashes_for_what_is_not_known() -> None:
    head, web, odd = table([WEB, ODD], 80)
    assert head.split()[:4] == ["NAME", "CPU%", "MEMORY", "LIMIT"]
    assert web.split() == ["web", "50.0", "34M", "128M", "1.4M", "10B", "0B", "2.0K", "3"]
    assert odd.split() == ["odd", *"--------"]


@given(st.floats(0, 1e18))
def test_a_size_is_short(count: float) -> None:
    assert len(size(count)) <= 5


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0B"), (999, "999B"), (1000, "1.0K"), (1536, "1.5K"), (999 * 1024, "999K"),
     (1 << 20, "1.0M"), (1023 << 20, "1.0G"), (5 << 40, "5.0T")],
)  # fmt: skip
def test_a_size(count: float, said: str) -> None:
    assert size(count) == said


def test_all_that_a_host_may_have_fits() -> None:
    most = use("a-name-that-is-quite-long-indeed", cpu=256.0, memory=1 << 50, memory_limit=1 << 50,
               pids=4194304, read=1e15, written=1e15, received=1e15, sent=1e15)  # fmt: skip
    assert all(len(line) <= 80 for line in table([most], 80))


@pytest.mark.parametrize(
    ("by", "expected"),
    [("cpu", ["web", "idle", "odd"]), ("memory", ["web", "idle", "odd"]),
     ("network", ["web", "idle", "odd"]), ("io", ["web", "idle", "odd"]),
     ("pids", ["web", "idle", "odd"]), ("name", ["idle", "odd", "web"])],
)  # fmt: skip
def test_the_order(by: str, expected: list[str]) -> None:
    assert names(ordered([ODD, IDLE, WEB], by)) == expected
    assert by in ORDERS


def test_all_together() -> None:
    assert together([WEB, IDLE, ODD], 10.0) == (
        "3 workloads use 50.0 % of a processor and 34M of memory; looked at every 10 s"
    )
    assert together([ODD], 10.0).startswith("1 workload uses nothing that is known yet")
    assert together([], 10.0) == "no workload runs, or none was looked at yet"
    assert "[usage] interval is 0" in together([], 0)


def test_a_pod_with_its_containers() -> None:
    now = {key: value for key, value in WEB.items() if key != "workload"}
    document = {"workload": "shop", "now": now, "containers": [{"name": "db", "memory": 1024}]}
    shop, db = parts(document)
    assert (shop["workload"], shop["cpu"]) == ("shop", 0.5)
    assert (db["memory"], db["cpu"]) == (1024, None)
    assert table([shop, db], 80)[2].split() == ["└", "db", "-", "1.0K", *"------"]


def test_processors_in_percent() -> None:
    assert (percent(0.123), percent(2)) == ("12.3", "200.0")
