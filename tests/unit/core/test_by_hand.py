"""What people ask for by hand, from the planner's side."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.revisions import revised
from tests.unit.core.job_sim import NAME as JOB_NAME
from tests.unit.core.job_sim import JobHost
from tests.unit.core.sim import BOOT, Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_beside import FIRST, NEXT
from tests.unit.core.test_job import DAILY, job
from tests.unit.core.test_plan_properties import IMAGE, IMAGES, OLD, REVISION, WANTED, hosts
from tests.unit.core.test_pods import pod
from workloadd.core import actions as a
from workloadd.core.desired import Declared
from workloadd.core.hands import Hand
from workloadd.core.revision import Image, spec_key
from workloadd.spec.names import INFRA_CONTAINER

NEWER = declared("web", f"image: {IMAGE}\nports: ['8080:80']\ncommand: newer\n")
NEWEST = declared("web", f"image: {IMAGE}\nports: ['8080:80']\ncommand: newest\n")


def revision(file: Declared) -> str:
    assert file.spec
    return revised("web", file.spec, "img1", "sha256:one").digest


def ask(host: Host, kind: str, reason: str = "", **fields: str) -> Hand:
    """Somebody asks for something now."""
    hand = Hand("web", kind, "ann", host.now, reason, **fields)  # type: ignore[arg-type]
    host.hands[kind] = hand
    host.now += 1
    return hand


def hold(host: Host, at: Declared, file: Declared) -> Hand:
    """Somebody has it held at what one file says, while the other one is there."""
    assert file.spec
    return ask(host, "hold", "slow", revision=revision(at), spec_key=spec_key(file.spec))


def resume(host: Host) -> None:
    host.hands.clear()
    host.bad.clear()


@pytest.fixture
def host() -> Host:
    """A host on which a workload was changed once, and the change has proved itself."""
    found = Host(images=dict(IMAGES))
    found.settle(WANTED)
    found.settle(NEWER)
    found.ended.clear()
    found.notes.clear()
    return found


class TestPause:
    def test_neither_rollout_nor_repair(self, host: Host) -> None:
        before = host.serving()
        ask(host, "pause", "debugging")
        host.stop()
        for file in (NEWER, NEWEST):
            assert host.plan(file).empty
        found = status(host, NEWEST)
        assert found.state == "Paused"
        assert "by ann: debugging" in found.message and "unit inactive" in found.message
        assert found.by_hand[0].kind == "pause"
        resume(host)
        host.settle(NEWER)
        assert host.serving().id == before.id

    def test_not_even_removal(self, host: Host) -> None:
        ask(host, "pause")
        assert host.plan().empty
        assert status(host).state == "Paused"
        resume(host)
        host.settle()
        assert host.containers == {}

    @pytest.mark.parametrize("kind", ["service", "pod", "socket"])
    def test_after_a_reboot_it_is_started(self, kind: str) -> None:
        file = {
            "service": WANTED,
            "pod": pod(),
            "socket": declared("web", f"image: {IMAGE}\nsockets: ['8080']\n"),
        }[kind]
        host = Host(images=dict(IMAGES))
        host.settle(file)
        ask(host, "pause")
        for container in host.containers.values():
            host.containers[container.id] = replace(
                container, state="exited", started_at=BOOT - 50, exited_at=BOOT - 10
            )
        for unit in host.units.values():
            unit.active_state = "inactive"
        host.listening = {}
        host.settle(file)
        if kind == "socket":
            assert host.listening == host.to_listen() != {}
        else:
            assert all(c.running for c in host.containers.values())
        assert not host.notes


class TestStop:
    @given(hosts())
    def test_whatever_it_was_like_it_stops_and_stays_so(self, host: Host) -> None:
        ask(host, "stop")
        host.settle(WANTED)
        assert host.unit().active_state in ("inactive", "failed")
        assert host.plan(WANTED).empty
        assert host.file is None or not host.file.enabled or not host.file.record
        assert status(host, WANTED).state == "Stopped"

    def test_started_again_it_is_the_same(self, host: Host) -> None:
        before = host.serving()
        ask(host, "stop", "moving house")
        host.settle(NEWER)
        assert "by ann: moving house" in status(host, NEWER).message
        host.settle(NEWEST)
        assert not host.serving_any(), "a change does not start it"
        del host.hands["stop"]
        ask(host, "start")
        host.settle(NEWER)
        assert host.serving().id == before.id
        assert host.file and host.file.enabled and not host.ended

    def test_what_had_to_prove_itself_gets_its_time_again(self, host: Host) -> None:
        host.carry_out(host.plan(NEWEST).actions)
        ask(host, "stop")
        host.settle(NEWEST)
        host.now += 10_000
        del host.hands["stop"]
        ask(host, "start")
        host.settle(NEWEST)
        assert host.serving().revision == revision(NEWEST)
        assert [end.outcome for end in host.ended] == ["stable"]

    def test_its_file_goes_and_so_does_the_wish(self, host: Host) -> None:
        ask(host, "stop")
        host.settle(NEWER)
        host.settle()
        assert host.containers == {} and host.hands == {}

    def test_what_was_never_deployed_leaves_no_wish(self) -> None:
        host = Host(images=dict(IMAGES))
        ask(host, "stop")
        host.settle()
        assert host.hands == {}

    def test_what_is_on_trial_ends_first(self) -> None:
        host = Host(images=dict(IMAGES))
        host.settle(FIRST)
        old = host.serving().id
        host.carry_out(host.plan(NEXT).actions)
        ask(host, "stop")
        host.settle(NEXT)
        assert not host.serving_any() and set(host.containers) == {old}
        assert all(unit.active_state == "inactive" for unit in host.units.values())

    def test_pods_and_sockets(self) -> None:
        for file in (pod(), declared("web", f"image: {IMAGE}\nsockets: ['8080']\n")):
            host = Host(images=dict(IMAGES))
            host.settle(file)
            ask(host, "stop")
            host.settle(file)
            assert not host.serving_any() and not host.listening
            assert status(host, file).state == "Stopped"
            host.hands.clear()
            host.settle(file)
            assert status(host, file).state == "Ready"


class TestRestart:
    def test_once(self, host: Host) -> None:
        before = host.serving()
        ask(host, "restart", "it hangs")
        host.settle(NEWER)
        assert host.serving().id == before.id
        assert host.serving().started_at > before.started_at
        assert [note.message for note in host.notes] == ["restarted by ann: it hangs"]
        assert host.hands == {}

    @pytest.mark.parametrize("steps", range(4))
    def test_killed_meanwhile_it_is_still_once(self, host: Host, steps: int) -> None:
        ask(host, "restart")
        host.carry_out(host.plan(NEWER).actions, steps)
        restarted = host.serving().started_at if steps else 0.0
        host.settle(NEWER)
        assert host.hands == {}
        assert steps == 0 or host.serving().started_at == restarted
        assert len(host.notes) in (1, 2)

    def test_it_is_done_when_all_of_it_is_up_again(self) -> None:
        host = Host(images=dict(IMAGES))
        host.settle(pod())
        ask(host, "restart")
        host.carry_out(host.plan(pod()).actions, 1)
        host.unit("side").active_state = "activating"
        assert not host.plan(pod()).actions
        assert status(host, pod()).state == "RollingOut"
        host.unit("side").restarts = 1
        assert [type(action) for action in host.plan(pod()).actions] == [a.Note, a.ClearHand]
        assert status(host, pod()).state == "Failed"

    def test_what_is_paused_too(self, host: Host) -> None:
        before = host.serving().started_at
        ask(host, "pause")
        ask(host, "restart")
        host.settle(NEWEST)
        assert host.serving().started_at > before
        assert set(host.hands) == {"pause"}

    def test_what_sleeps_need_not_be(self) -> None:
        host, file = Host(images=dict(IMAGES)), declared("web", f"image: {IMAGE}\nsockets: [80]\n")
        host.settle(file)
        host.stop()
        ask(host, "restart")
        host.settle(file)
        assert host.hands == {} and not host.serving_any()


class TestRollback:
    def test_the_previous_one_serves_and_the_one_that_served_is_kept(self, host: Host) -> None:
        newer = host.serving()
        hold(host, WANTED, NEWER)
        host.settle(NEWER)
        assert host.serving().revision == REVISION and host.serving().name == "web"
        assert newer.id in host.containers
        assert [(e.revision, e.outcome) for e in host.ended] == [(REVISION, "stable")]
        found = status(host, NEWER)
        assert found.state == "Ready"
        assert found.message.startswith(f"held at {REVISION[:12]} by ann: slow")
        assert "workloadctl resume web" in found.message
        assert found.condition("Deployed").reason == "Held"  # type: ignore[union-attr]
        assert found.condition("Converged").status == "True"  # type: ignore[union-attr]
        resume(host)
        host.settle(NEWER)
        assert host.serving().id == newer.id

    def test_until_its_file_changes(self, host: Host) -> None:
        hold(host, WANTED, NEWER)
        host.settle(NEWER)
        host.settle(replace(NEWER, path="/run/workloadd/workloads.d/web.yaml"))
        assert host.serving().revision == REVISION
        host.settle(NEWEST)
        assert host.serving().revision == revision(NEWEST)
        assert host.hands == {}
        assert "its file changed" in host.notes[-1].message

    def test_an_image_that_changes_is_not_taken(self, host: Host) -> None:
        hold(host, WANTED, NEWER)
        host.settle(NEWER)
        host.images = {IMAGE: Image("img2", "sha256:two")}
        host.settle(NEWER)
        assert host.serving().revision == REVISION

    def test_one_that_does_not_work_any_more(self, host: Host) -> None:
        newer = host.serving()
        host.crashing.add(REVISION)
        hold(host, WANTED, NEWER)
        host.settle(NEWER)
        assert host.serving().id == newer.id, "forward again"
        assert host.hands == {} and ("web", REVISION) in host.bad
        assert "no longer held" in host.notes[-1].message
        assert status(host, NEWER).state == "Ready"

    def test_in_mid_verification(self, host: Host) -> None:
        host.carry_out(host.plan(NEWEST).actions)
        assert host.serving().revision == revision(NEWEST)
        hold(host, NEWER, NEWEST)
        host.settle(NEWEST)
        assert host.serving().revision == revision(NEWER)
        assert [(e.revision, e.outcome) for e in host.ended] == [
            (revision(NEWEST), "rolled-back"),
            (revision(NEWER), "stable"),
        ]
        resume(host)
        host.settle(NEWEST)
        assert host.serving().revision == revision(NEWEST)

    def test_held_where_it_is(self, host: Host) -> None:
        hold(host, NEWER, NEWER)
        host.settle(NEWER)
        assert not host.ended
        assert status(host, NEWER).message.startswith("held at")

    def test_what_cannot_be_gone_back_to_any_more(self, host: Host) -> None:
        hold(host, NEWEST, NEWER)
        host.settle(NEWER)
        assert host.serving().revision == revision(NEWER)
        assert host.hands == {} and "is gone" in host.notes[-1].message

    def test_a_pod_goes_back_as_a_whole(self) -> None:
        host, newer = Host(images=dict(IMAGES)), pod(web="changed")
        host.settle(pod())
        before = {c.id for c in host.containers.values() if c.running}
        host.settle(newer)
        previous = status(host, newer).previous
        assert previous and newer.spec
        ask(host, "hold", revision=previous.revision, spec_key=spec_key(newer.spec))
        host.settle(newer)
        assert {c.id for c in host.containers.values() if c.running} == before
        assert {c.container for c in host.containers.values()} == {INFRA_CONTAINER, "web", "side"}
        found = status(host, newer)
        assert found.message.startswith("held at") and found.previous
        resume(host)
        host.settle(newer)
        assert status(host, newer).message == ""

    def test_what_starts_first_goes_back_as_well(self) -> None:
        host = Host(images=dict(IMAGES))
        host.settle(FIRST)
        old = host.serving().id
        host.settle(NEXT)
        assert FIRST.spec and host.file and host.file.record
        at = host.containers[old].revision
        ask(host, "hold", revision=at, spec_key=spec_key(NEXT.spec))  # type: ignore[arg-type]
        host.settle(NEXT)
        assert [c.id for c in host.containers.values() if c.running] == [old]
        assert host.containers[old].name == "web"
        assert status(host, NEXT).message.startswith("held at")
        resume(host)
        host.settle(NEXT)
        assert len([c for c in host.containers.values() if c.running]) == 1
        assert status(host, NEXT).state == "Ready" and not status(host, NEXT).message

    @given(st.data(), st.booleans())
    def test_killed_anywhere_it_ends_the_same(self, data: st.DataObject, fails: bool) -> None:
        host = Host(images=dict(IMAGES))
        host.settle(WANTED)
        host.settle(NEWER)
        newer = host.serving().id
        host.crashing = {REVISION} if fails else set()
        hold(host, WANTED, NEWER)
        for _ in range(data.draw(st.integers(1, 4))):
            actions = host.plan(NEWER).actions
            host.carry_out(actions, data.draw(st.integers(0, len(actions))))
        host.settle(NEWER)
        assert (host.serving().id == newer) == fails
        assert host.serving().name == "web"
        assert len(host.containers) == (1 if fails else 2)
        assert not host.rollouts


class TestJobs:
    def test_what_is_stopped_neither_runs_nor_waits(self) -> None:
        host, file = JobHost(), job(schedule="daily", overlap="replace")
        host.settle(file)
        host.elapse()
        assert host.running
        host.hands["stop"] = Hand(JOB_NAME, "stop", "ann", host.now)
        host.settle(file)
        assert not host.running and not host.timer
        assert host.file and host.file.enabled is False
        assert [run.outcome for run in host.runs] == ["interrupted"]
        host.reboot(in_order=True)
        host.settle(file)
        assert not host.timer
        del host.hands["stop"]
        host.settle(file)
        assert host.timer and not host.running

    def test_what_is_paused_runs_at_its_times_as_it_is(self) -> None:
        host = JobHost()
        host.settle(DAILY)
        before = host.file and host.file.record and host.file.record.revision
        host.hands["pause"] = Hand(JOB_NAME, "pause", "ann", host.now)
        for _ in range(2):
            host.elapse()
            host.settle(DAILY)
            host.finish(0)
            host.settle(DAILY)
        assert [run.outcome for run in host.runs] == ["succeeded", "succeeded"]
        assert len(set(host.began)) == 2, "each in a container of its own"
        host.settle(job(schedule="daily", command="other"))
        assert host.file and host.file.record and host.file.record.revision == before
        host.reboot(in_order=True)
        host.settle(DAILY)
        assert host.timer and not host.running


@given(hosts(), st.sets(st.sampled_from(["pause", "stop", "restart", "hold", "start"])), st.data())
def test_any_wishes_on_any_host_come_to_an_end(
    host: Host, kinds: set[str], data: st.DataObject
) -> None:
    for kind in sorted(kinds):
        at = data.draw(st.sampled_from([REVISION, OLD]))
        key = data.draw(st.sampled_from([spec_key(WANTED.spec), "other"]))  # type: ignore[arg-type]
        ask(host, kind, revision=at, spec_key=key)
    host.settle(WANTED)
    planned = host.plan(WANTED)
    assert planned.empty
    assert not {"stop", "pause"} & kinds or not any(
        isinstance(action, a.BeginRollout) for action in planned.actions
    )
    assert status(host, WANTED).state
