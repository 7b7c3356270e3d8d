"""Single rules of keeping a deployment as it should be."""

from dataclasses import replace

import pytest

from tests.unit.core.sim import Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_plan_properties import IMAGE, IMAGES, WANTED
from workloadd.core.actions import Note, ResetUnit, StartUnit
from workloadd.core.assess import restarted
from workloadd.core.converge import STEADY
from workloadd.core.observed import Image
from workloadd.core.plan import cause_of
from workloadd.core.resolve import resolve
from workloadd.core.rollout import current_deployment


@pytest.fixture
def host() -> Host:
    """A host on which the wanted workload serves."""
    found = Host(images=dict(IMAGES))
    found.settle(WANTED)
    return found


def notes(host: Host) -> list[str]:
    return [note.message for note in host.notes]


def test_restarts_are_forgotten_once_it_is_steady(host: Host) -> None:
    host.restarts = 3
    waiting = host.plan(WANTED)
    assert not waiting.actions
    assert waiting.wake_at == host.active_since + STEADY
    host.now = waiting.wake_at
    assert host.plan(WANTED).actions == (ResetUnit(),)


def test_a_restart_between_two_passes_is_recorded(host: Host) -> None:
    before = status(host, WANTED)
    assert restarted(before, before) == ""
    host.restarts = 1
    assert "started it again" in restarted(before, status(host, WANTED))
    assert restarted(None, before) == ""


def test_stopped_by_hand(host: Host) -> None:
    host.stop()
    assert host.plan(WANTED).actions == (Note("drift", "it was stopped"), StartUnit())


def test_not_started_in_this_boot_is_no_drift(host: Host) -> None:
    host.stop()
    for container in host.containers.values():
        host.containers[container.id] = replace(container, started_at=10.0, exited_at=20.0)
    assert host.plan(WANTED).actions == (StartUnit(),)


def test_a_service_that_ended_as_its_file_allows_is_left_alone() -> None:
    once = declared("web", f"image: {IMAGE}\nrestart: no\n")
    host = Host(images=dict(IMAGES))
    host.settle(once)
    (container,) = host.containers.values()
    host.end(container.id, 0)
    assert host.plan(once).empty
    host.containers[container.id] = replace(container, state="exited", exit_code=1)
    host.active_state = "failed"
    assert host.plan(once).empty


def test_a_moved_tag_is_rolled_out_and_said(host: Host) -> None:
    host.images[IMAGE] = Image("img2", "sha256:two")
    revision = resolve(WANTED, host.observed(), host.memory(), host.now).revision
    assert revision
    cause = cause_of(revision, current_deployment("web", host.seen()))
    assert cause == f"image {IMAGE} is now sha256:two"
    host.settle(WANTED)
    assert host.serving().image_id == "img2"


def test_the_file_changed_back_takes_the_previous_container_again(host: Host) -> None:
    first = host.serving().id
    host.settle(declared("web", f"image: {IMAGE}\nuser: nobody\n"))
    assert host.serving().id != first
    host.settle(WANTED)
    assert host.serving().id == first


def test_a_container_removed_while_the_file_is_broken_falls_back(host: Host) -> None:
    first = host.serving().id
    host.settle(declared("web", f"image: {IMAGE}\nuser: nobody\n"))
    del host.containers[host.serving().id]
    host.active_state = "failed"
    host.settle(declared("web", "image: 1"))
    assert host.serving().id == first
    assert "its container was removed; back to the previous deployment" in notes(host)
