"""Lines of containers in the journal: which, from where, put together, and harmless."""

from pathlib import Path

import pytest

from tests.fakes.journal import FakeJournal
from workloadd.host.journal_logs import MAX_LINE, JournalLog

WEB = "workload-web.service"
NOW = 1_900_000_000.0
ALL = ("", "a", "b")


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


def texts(
    journal: FakeJournal,
    workload: str = "web",
    tail: int = 100,
    since: float = 0,
    parts: tuple[str, ...] = ALL,
) -> list[str]:
    log = JournalLog(workload, journal.reader())
    log.select(parts)
    log.seek(tail, since, NOW)
    found: list[str] = []
    while True:
        lines, more = log.read()
        found += [f"{line.container}:{line.text}" for line in lines]
        if not more:
            return found


def test_lines_of_this_workload_alone(journal: FakeJournal) -> None:
    journal.write(WEB, "one")
    journal.write("workload-web-2.service", "another's")
    journal.write(WEB, "Started workload-web.service", _TRANSPORT="stdout", CONTAINER_ID_FULL="")
    journal.write(WEB, "start", CONTAINER_ID_FULL="", PODMAN_EVENT="start")
    journal.write(WEB, "another user's", _UID="1")
    journal.write(WEB, "two", CONTAINER_ID_FULL="cd" * 32)
    assert texts(journal) == [":one", ":two"]


def test_the_last_ones_and_those_since(journal: FakeJournal) -> None:
    for number in range(10):
        journal.write(WEB, str(number), at=1_800_000_000_000_000 + number * 1_000_000)
        journal.write(WEB, "noise", CONTAINER_ID_FULL="")
    assert texts(journal, tail=3) == [":7", ":8", ":9"]
    assert texts(journal, tail=0) == []
    assert texts(journal, since=1_800_000_008.0) == [":8", ":9"]
    assert texts(journal, tail=1, since=1_800_000_008.0) == [":9"]
    assert texts(journal, since=1_800_000_009.5) == []
    assert len(texts(journal, tail=10_000)) == 10


def test_what_is_followed_begins_where_the_last_ones_end(journal: FakeJournal) -> None:
    journal.write(WEB, "old")
    log = JournalLog("web", journal.reader())
    log.select(ALL)
    log.seek(0, 0, NOW)
    assert log.read() == ([], False)
    journal.write(WEB, "new", at=int(NOW * 1e6) + 1)
    lines, _ = log.read()
    assert [line.text for line in lines] == ["new"]
    assert log.read() == ([], False)


def test_containers_of_a_pod_by_their_units(journal: FakeJournal) -> None:
    journal.write("workload-shop_cache.service", "ready", CONTAINER_NAME="shop_cache")
    journal.write("workload-shop_a.service", "in a pod", CONTAINER_NAME="shop_a_0123456789ab")
    journal.write("workload-web_a.service", "in turns", CONTAINER_NAME="web_a123456789ab")
    journal.write("workload-web_b.service", "serves", CONTAINER_NAME="web")
    log = JournalLog("shop", journal.reader())
    assert log.parts() == {"cache", "a"}
    assert texts(journal, "shop", parts=("cache", "a")) == ["cache:ready", "a:in a pod"]
    assert texts(journal, "shop", parts=("cache",)) == ["cache:ready"]
    assert texts(journal, "web") == [":in turns", ":serves"]


def test_a_long_line_comes_in_pieces(journal: FakeJournal) -> None:
    journal.write(WEB, "before")
    for _ in range(2):
        journal.write(WEB, "x" * 8000, CONTAINER_PARTIAL_MESSAGE="true")
    journal.write(WEB, "another's", CONTAINER_ID_FULL="cd" * 32)
    journal.write(WEB, "error", PRIORITY="3")
    journal.write(WEB, "end")
    found = [":another's", ":error", f":{'x' * 16000}end"]
    assert texts(journal, tail=3) == found
    assert texts(journal) == [":before", *found]
    journal.write(WEB, "v" * 8000, CONTAINER_PARTIAL_MESSAGE="true")
    journal.write(WEB, "end")
    assert texts(journal, tail=1) == [f":{'v' * 8000}end"]


def test_what_has_no_end_yet_is_shown(journal: FakeJournal) -> None:
    journal.write(WEB, "before")
    journal.write(WEB, "password: ", CONTAINER_PARTIAL_MESSAGE="true")
    assert texts(journal) == [":before", ":password: "]


def test_long_lines_are_cut(journal: FakeJournal) -> None:
    journal.write(WEB, "y" * 100_000)
    for _ in range(10):
        journal.write(WEB, "z" * 8000, CONTAINER_PARTIAL_MESSAGE="true")
    journal.write(WEB, "end")
    long, pieces = texts(journal)
    assert long == f":{'y' * MAX_LINE}…"
    assert pieces == f":{'z' * MAX_LINE}…"


def test_nothing_steers_a_terminal(journal: FakeJournal) -> None:
    journal.write(WEB, b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07 \x9b2J \xff \xe2\x80\xae")
    journal.write(WEB, b"\x1b[\x1b[0m31m")
    shown = ":red \\x1b]0;title\\x07 \ufffd2J \ufffd \\u202e"
    assert texts(journal) == [shown, ":\\x1b[31m"]


def test_many_are_read_in_several_goes(journal: FakeJournal) -> None:
    for number in range(1200):
        journal.write(WEB, f"{number}")
    assert texts(journal, tail=1100) == [f":{number}" for number in range(100, 1200)]
    log = JournalLog("web", journal.reader())
    log.select(ALL)
    log.seek(1100, 0, NOW)
    lines, more = log.read()
    assert len(lines) == 500 and more


def test_a_journal_that_may_not_be_read(journal: FakeJournal) -> None:
    assert not JournalLog("web", journal.reader()).is_readable()
    journal.write("other.service", "anything")
    assert JournalLog("web", journal.reader()).is_readable()
    assert not JournalLog("web", journal.reader()).parts()


def test_this_machine_has_one_or_has_none(tmp_path: Path) -> None:
    """The real reader takes the calls, whatever it finds."""
    log = JournalLog("no-such-workload-of-ours")
    assert log.parts() == frozenset()
    log.select(ALL)
    log.seek(10, 0, NOW)
    assert log.read() == ([], False)
    assert log.fileno() > 0
