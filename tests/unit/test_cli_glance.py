"""What `status --watch` shows of many workloads in a small terminal."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.statuses import BAD, GOOD, NOW, status
from workloadd.board import Board
from workloadd.cli import glance
from workloadd.cli.glance import Known, Page, window
from workloadd.core.status import PassStatus
from workloadd.events import Events

MOMENT = datetime.fromtimestamp(NOW, UTC)


def test_trouble_comes_first_and_all_fits_the_width() -> None:
    files = {f"site-{n:03}": GOOD for n in range(300)} | {"zoo": BAD}
    shown = glance.page(status(files, dict.fromkeys(files, GOOD)), MOMENT, 60)
    assert shown.lines[0].startswith("workloadd 1.2.3 for workloads: 300 of 301")
    rest = shown.lines[shown.fixed :]
    assert rest[0].startswith("zoo ")
    assert rest[1].startswith("    /etc/workloadd/workloads.d/zoo.yaml:2:9: ")
    assert rest[2].startswith("site-000 ")
    assert len(rest) == 302
    assert all(len(line) <= 60 for line in shown.lines)


def test_nothing_is_declared() -> None:
    shown = glance.page(status({}), MOMENT, 80)
    assert shown.lines[0].endswith("no workloads declared; waiting for files")


@given(
    st.integers(0, 6), st.integers(0, 40), st.integers(4, 30), st.integers(-9, 60), st.booleans()
)
def test_a_window_has_the_height_and_its_end_can_be_reached(
    fixed: int, rest: int, height: int, skip: int, noted: bool
) -> None:
    lines = [f"line {number}" for number in range(fixed + rest)]
    note = "away" if noted else ""
    shown, _ = window(Page(lines, fixed), height, skip, note)
    assert len(shown) <= height
    if len(lines) + noted <= height:
        assert shown == [*lines, *([note] if noted else [])]
    elif height > fixed + 1 and rest:
        last, skipped = window(Page(lines, fixed), height, 10_000, note)
        assert last[:fixed] == lines[:fixed]
        assert last[-2] == lines[-1]
        assert window(Page(lines, fixed), height, skipped, note)[1] == skipped


def test_a_note_takes_the_last_line() -> None:
    shown, _ = window(Page(["a", *map(str, range(20))], 1), 5, 0, "away")
    assert shown == ["a", "0", "1", "2", "away"]


def heard(known: Known, events: Events, last: str = "") -> str:
    """What a client is sent that comes (again); the number of the last event."""
    _, found = events.subscribe(last)
    for event in found:
        lines = dict(line.split(": ", 1) for line in event.text.decode().strip().splitlines())
        known.hear(event.kind, json.loads(lines["data"]))
        last = lines["id"]
    return last


def test_what_is_known_is_what_is_so() -> None:
    known = Known()
    assert known.status() is None
    now = status({"web": GOOD, "bad": BAD}, {"web": GOOD})
    heard(known, Events(Board(now, lambda: 0.0), lambda: 0.0))
    first = known.status()
    assert first and [one.name for one in first.workloads] == ["bad", "web"]
    assert first.workload("web") == now.workload("web")

    # Another daemon, that has not looked yet: what was known stays.
    starting = status({}, passes=PassStatus())
    heard(known, Events(Board(starting, lambda: 0.0), lambda: 0.0))
    found = known.status()
    assert found and len(found.workloads) == 2
    failing = status({"web": GOOD}, {"web": GOOD}, passes=PassStatus(count=3, problem="no bus"))
    heard(known, Events(Board(failing, lambda: 0.0), lambda: 0.0))
    found = known.status()
    assert found and [one.name for one in found.workloads] == ["web"]
    assert "cannot tell how the workloads are: no bus" in glance.page(found, MOMENT, 80).lines[0]
