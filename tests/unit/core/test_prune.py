"""Which images may be removed: never one that anything needs, nor one that is not ours."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.desired import Desired
from workloadd.core.errors import Problem
from workloadd.core.observed import Container, Observed, Seen
from workloadd.core.prune import LocalImage, Needed, OurImage, needed_images, prunable, used_images
from workloadd.core.revision import Image

NOW, DAY = 1_000_000.0, 86400.0
OLD = LocalImage("old", frozenset({"r.test/app:1"}), 7)
OURS = {"old": OurImage("old", OLD.names, NOW - 2 * DAY, NOW - 2 * DAY)}
NOBODY = Needed(sure=True)


def removed(
    *local: LocalImage,
    needed: Needed = NOBODY,
    used: frozenset[str] = frozenset(),
    keep: float = DAY,
    now: float = NOW,
) -> list[str]:
    return [i.id for i in prunable(local, OURS, needed, used, keep=keep, now=now)]


def test_what_was_pulled_and_is_unused_long_enough() -> None:
    assert removed(OLD) == ["old"]
    assert removed(OLD, keep=3 * DAY) == []


def test_what_is_needed_stays() -> None:
    assert removed(OLD, used=frozenset({"old"})) == []
    assert removed(OLD, used=OLD.names) == []
    assert removed(OLD, needed=replace(NOBODY, ids=frozenset({"old"}))) == []
    assert removed(OLD, needed=replace(NOBODY, names=OLD.names)) == []
    assert removed(OLD, LocalImage("built", parent="old")) == []
    assert removed(OLD, needed=Needed()) == []


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("r.test/app:1", True),
        ("app:1", True),
        ("p:1", False),
        ("0123456789", True),
        ("sha256:0123456789ab", True),
        ("r.test/app", False),
        ("", False),
    ],
)
def test_what_is_mounted_by_whatever_name_stays(written: str, used: bool) -> None:
    image = replace(OLD, id="0123456789abcdef")
    assert used_images([image], NOBODY, {written}) == ({image.id} if used else set())
    latest = replace(image, names=frozenset({"r.test/app:latest"}))
    assert used_images([latest], NOBODY, {"app"}) == {image.id}


def test_what_is_not_ours_stays() -> None:
    assert removed(LocalImage("theirs")) == []
    assert removed(replace(OLD, names=OLD.names | {"localhost/mine:1"})) == []


def test_one_whose_name_moved_on_goes_by_its_id() -> None:
    (doomed,) = prunable(
        [replace(OLD, names=frozenset())], OURS, NOBODY, frozenset(), keep=0, now=NOW
    )
    assert (doomed.names, doomed.label) == ((), "old")


def test_a_clock_that_was_put_back_keeps_nothing_for_ever() -> None:
    assert removed(OLD, now=NOW - 4 * DAY) == ["old"]


def test_containers_and_files_need_images() -> None:
    container = Container("1", "web", "web", "main", "r", "own", "app:0", "exited")
    observed = Observed({"web": Seen((container,))}, {"app:1": Image("file", "sha256:1")})
    found = needed_images(Desired(), observed, {"app:1", "app:2"})
    assert found == Needed(frozenset({"own", "file"}), frozenset({"app:1", "app:2"}), sure=True)


def test_files_out_of_sight_may_need_any() -> None:
    assert not needed_images(Desired(unreadable=(Problem("X", "y"),)), Observed(), ()).sure
    assert not needed_images(Desired(unsure=frozenset({"/x"})), Observed(), ()).sure


IDS = st.sampled_from("abcdefg")
NAMES = st.frozensets(st.sampled_from([f"r.test/{n}:1" for n in "pqrs"]), max_size=3)
# Whole seconds: what is a hair over the limit may be rounded on to it.
TIMES = st.integers(0, 100).map(float)
LOCAL = st.lists(st.builds(LocalImage, IDS, NAMES, st.just(1), IDS | st.just("")), max_size=7,
                 unique_by=lambda i: i.id)  # fmt: skip
KNOWN = st.lists(st.builds(OurImage, IDS, NAMES, TIMES, TIMES), max_size=7,
                 unique_by=lambda i: i.id)  # fmt: skip


@given(
    LOCAL,
    KNOWN,
    st.builds(Needed, st.frozensets(IDS), NAMES, st.booleans()),
    st.frozensets(IDS) | NAMES,
    st.integers(0, 50).map(float),
)
def test_in_any_world_only_what_is_ours_and_needed_by_nobody_goes(
    local: list[LocalImage],
    known: list[OurImage],
    needed: Needed,
    used: frozenset[str],
    keep: float,
) -> None:
    ours = {one.id: one for one in known}
    there = {one.id: one for one in local}
    for doomed in prunable(local, ours, needed, used, keep=keep, now=100.0):
        assert needed.sure
        own = ours[doomed.id]
        assert there[doomed.id].names == set(doomed.names) <= own.names
        assert not {doomed.id, *doomed.names} & (needed.ids | used)
        assert not needed.names & set(doomed.names)
        assert all(one.parent != doomed.id for one in local)
        assert 100.0 - max(own.pulled_at, own.last_used) >= keep
