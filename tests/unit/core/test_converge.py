"""Single rules of keeping a deployment as it should be."""

from dataclasses import replace

import pytest

from tests.fakes.revisions import revised
from tests.unit.core.sim import POLICY, Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_plan_properties import IMAGE, IMAGES, WANTED
from workloadd.core.actions import Note, ResetUnit, StartUnit
from workloadd.core.assess import restarted
from workloadd.core.backoff import STEADY
from workloadd.core.deployment import current_deployment
from workloadd.core.errors import Problem
from workloadd.core.forward import cause_of
from workloadd.core.memory import Attempt, OpenRollout
from workloadd.core.observed import UnitRecord
from workloadd.core.resolve import resolve
from workloadd.core.revision import Image, UnitParams
from workloadd.render.unit import render_units
from workloadd.spec.names import MAIN_CONTAINER


@pytest.fixture
def host() -> Host:
    """A host on which the wanted workload serves."""
    found = Host(images=dict(IMAGES))
    found.settle(WANTED)
    return found


def notes(host: Host) -> list[str]:
    return [note.message for note in host.notes]


def test_restarts_are_forgotten_once_it_is_steady(host: Host) -> None:
    host.unit().restarts = 3
    waiting = host.plan(WANTED)
    assert not waiting.actions
    assert waiting.wake_at == host.unit().active_since + STEADY
    host.now = waiting.wake_at
    assert host.plan(WANTED).actions == (ResetUnit(),)


def test_a_restart_between_two_passes_is_recorded(host: Host) -> None:
    before = status(host, WANTED)
    assert restarted(before, before) == ""
    host.unit().restarts = 1
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
    host.unit().active_state = "failed"
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
    host.unit().active_state = "failed"
    host.settle(declared("web", "image: 1"))
    assert host.serving().id == first
    assert "its container was removed; back to the previous deployment" in notes(host)


def test_switched_on_again_by_its_file_is_no_drift(host: Host) -> None:
    host.settle(declared("web", f"image: {IMAGE}\nports: ['8080:80']\nenabled: false\n"))
    assert host.file and host.file.record and host.file.record.disabled
    assert not host.file.enabled
    host.notes.clear()
    host.settle(WANTED)
    assert host.serving().name == "web"
    assert [note.kind for note in host.notes] == ["enabled"]


@pytest.mark.parametrize("restart", ["no", "on-failure:1"])
def test_an_update_that_cannot_start_is_undone_at_once(restart: str) -> None:
    good = declared("web", f"image: {IMAGE}\nrestart: {restart}\n")
    host = Host(images=dict(IMAGES))
    host.settle(good)
    first = host.serving().id
    bad = declared("web", f"image: {IMAGE}\nrestart: {restart}\nentrypoint: /no/such\n")
    planned = host.plan(bad)
    host.carry_out(planned.actions, len(planned.actions) - 1)
    host.stop()
    host.unit().active_state = "failed"
    problem = Problem("JobFailed", "cannot start workload-web.service")
    host.attempts["web"] = Attempt(planned.revision, 1, problem, host.now + 2, planned.kind)
    kinds = host.plan(bad).kind
    assert {"MarkBad", "WriteUnits", "RestartUnit", "EndRollout"} <= kinds
    host.settle(bad)
    assert host.serving().id == first


def test_a_slow_stop_of_the_old_one_is_not_the_new_one_s_fault(host: Host) -> None:
    update = declared("web", f"image: {IMAGE}\nuser: nobody\n")
    planned = host.plan(update)
    host.carry_out(planned.actions, len(planned.actions) - 1)
    host.unit().active_state = "deactivating"
    host.now += 10 * POLICY.deadline
    assert not host.plan(update).actions
    assert not host.bad


def test_what_failed_before_is_no_litter_for_long() -> None:
    host = Host(images=dict(IMAGES))
    for user in range(5):
        file = declared("web", f"image: {IMAGE}\nuser: {user}\n")
        assert file.spec
        host.crashing.add(revised("web", file.spec, "img1", "sha256:one").digest)
        host.settle(file)
        assert len(host.containers) == 1


def test_killed_for_memory_is_a_failure_unless_it_always_runs() -> None:
    record = UnitRecord("web", "r", ((MAIN_CONTAINER, "c"),))
    statuses = {
        restart: str(render_units(record, {MAIN_CONTAINER: UnitParams(restart=restart)})).count(
            "137"
        )
        for restart in ("always", "on-failure", "no")
    }
    assert statuses == {"always": 1, "on-failure": 0, "no": 0}


def test_what_serves_is_shown_not_what_the_file_wants(host: Host) -> None:
    update = declared("web", "image: localhost:5000/other:2\nports: ['9090:80']\n")
    host.images["localhost:5000/other:2"] = Image("img9", "sha256:nine")
    assert update.spec
    host.crashing.add(revised("web", update.spec, "img9", "sha256:nine").digest)
    host.settle(update)
    found = status(host, update)
    assert found.ports == ("8080:80",)
    assert found.image and found.image.reference == IMAGE
    assert found.wanted and found.wanted.reference == "localhost:5000/other:2"
    assert found.current and found.current.image_digest == "sha256:one"
    broken = status(host, declared("web", "image: 1"))
    assert broken.ports == ("8080:80",)


def test_a_rollout_that_the_file_overtook_is_ended_where_the_next_one_was_given_up() -> None:
    host = Host(images=dict(IMAGES), crashing={"_main"})
    host.settle(WANTED)
    assert [end.outcome for end in host.ended] == ["failed"]
    host.rollouts["web"] = OpenRollout(1, "web", "b" * 64, "test", host.now)
    host.carry_out(host.plan(WANTED).actions)
    assert not host.rollouts
    problem = host.ended[-1].problem
    assert problem and problem.reason == "Superseded"
