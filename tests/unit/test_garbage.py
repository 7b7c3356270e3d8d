"""What lasts is put aside once, and when much is new; not while it comes."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.statuses import status
from workloadd.core.status import PassStatus, Rollout, Status
from workloadd.garbage import Aside


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """Tests that come after this one have their garbage searched for."""
    yield
    gc.unfreeze()


def many(count: int, *, rolling: bool = False, passes: int = 1) -> Status:
    files = {f"site-{n}": "image: localhost/app:1\n" for n in range(count)}
    found = status(files, files, passes=PassStatus(count=passes))
    if not rolling:
        return found
    rollout = Rollout(revision="r", cause="c", started=datetime(2026, 1, 1, tzinfo=UTC))
    last = found.workloads[-1].model_copy(update={"rollout": rollout})
    return found.model_copy(update={"workloads": (*found.workloads[:-1], last)})


def test_nothing_is_put_aside_before_the_first_pass() -> None:
    assert not Aside().look(many(0, passes=0))
    assert gc.get_freeze_count() == 0


def test_what_is_there_after_the_first_pass_is_put_aside_once() -> None:
    aside = Aside()
    assert aside.look(many(3, rolling=True))
    assert gc.get_freeze_count() > 0
    assert not aside.look(many(3))


def test_many_new_workloads_are_put_aside_when_they_have_settled() -> None:
    aside = Aside()
    aside.look(many(0))
    assert not aside.look(many(20))
    assert not aside.look(many(21, rolling=True))
    assert aside.look(many(21))
    assert not aside.look(many(46))
    assert aside.look(many(47))
