"""Which image a workload runs where its tag moves, and what is told of it."""

from collections.abc import Mapping
from dataclasses import replace
from unittest.mock import patch

import pytest

from tests.unit.core.sim import POLICY, Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_plan_properties import IMAGE
from workloadd.core import resolve as resolving
from workloadd.core.assess import Knowledge, assess
from workloadd.core.desired import Declared, Desired
from workloadd.core.errors import Problem
from workloadd.core.memory import Latest, Question
from workloadd.core.plan import plan
from workloadd.core.revision import Image
from workloadd.core.status import Condition
from workloadd.core.world import World

OLD, NEW = Image("img1", "sha256:one"), Image("img2", "sha256:two")
AUTO = declared("web", f"image: {IMAGE}\nupdate: {{policy: auto}}\n")
NOTIFY = declared("web", f"image: {IMAGE}\nupdate: {{policy: notify}}\n")
MANUAL = declared("web", f"image: {IMAGE}\n")


@pytest.fixture
def host() -> Host:
    """A host on which a workload runs the image that its tag stands for."""
    found = Host(images={IMAGE: OLD, OLD.id: OLD})
    found.settle(MANUAL)
    return found


def moved(host: Host) -> None:
    """Have the local tag stand for another image; the one that serves is still here."""
    host.images |= {IMAGE: NEW, NEW.id: NEW}


def told(host: Host, registry: Mapping[Question, Latest], file: Declared = NOTIFY) -> Condition:
    """The condition of a workload that is to be told, after what registries said."""
    memory, desired = replace(host.memory(), registry=registry), Desired({"web": file})
    world = World(desired, host.observed(), memory, host.now)
    (found,) = assess(Knowledge(world, plan(world, POLICY), {}), {})
    condition = found.condition("UpToDate")
    assert condition
    return condition


@pytest.mark.parametrize("file", [MANUAL, NOTIFY])
def test_what_serves_stays_where_the_tag_moves(host: Host, file: Declared) -> None:
    before = host.serving()
    moved(host)
    host.settle(file)
    assert host.serving() == before
    condition = status(host, file).condition("UpToDate")
    assert condition and condition.reason == "Outdated"


def test_auto_lets_it_in_and_a_bad_one_only_once(host: Host) -> None:
    before = host.serving()
    moved(host)
    host.crashing.add(host.plan(AUTO).revision)
    host.settle(AUTO)
    assert host.serving().id == before.id
    assert host.plan(AUTO).empty
    condition = status(host, AUTO).condition("UpToDate")
    assert condition and condition.reason == "RolledBack"


def test_another_change_of_the_file_keeps_the_image(host: Host) -> None:
    moved(host)
    host.settle(declared("web", f"image: {IMAGE}\nuser: nobody\n"))
    assert host.serving().image_id == OLD.id
    host.settle(declared("web", f"image: {IMAGE}\nuser: root\nupdate: {{policy: auto}}\n"))
    assert host.serving().image_id == NEW.id


def test_a_tag_that_has_not_moved_costs_no_second_revision(host: Host) -> None:
    with patch.object(resolving, "make_revision", wraps=resolving.make_revision) as made:
        assert resolving.resolve(MANUAL, host.observed(), host.memory(), host.now).revision
    assert made.call_count == 1


def test_trouble_with_another_image_is_not_its_own(host: Host) -> None:
    failed = Latest(checked_at=1.0, problem=Problem("RegistryUnavailable", "cannot check"))
    assert told(host, {Question("registry.example/other:1"): failed}).reason == "NotChecked"
    condition = told(host, {Question(IMAGE): failed})
    assert (condition.reason, condition.message) == ("CheckFailed", "cannot check")
