"""What must hold of jobs, step by step and whatever happens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.core.job_sim import IMAGE, NAME, JobHost
from workloadd.core import actions as a
from workloadd.core.desired import Declared
from workloadd.core.observed import UnitState
from workloadd.core.revision import Image, make_revision
from workloadd.spec.job import JobSpec
from workloadd.spec.translate import validated


def job(**content: object) -> Declared:
    spec = validated(JobSpec, {"kind": "job", "image": IMAGE, **content})
    return Declared(NAME, f"/etc/workloadd/workloads.d/{NAME}.yaml", spec)


def digest(declared: Declared) -> str:
    assert declared.spec
    return make_revision(NAME, declared.spec, {IMAGE: Image("img", "sha256:one")}).digest


ONCE = job(retries=1)
DAILY = job(schedule="daily", retries=1)


def outcomes(host: JobHost) -> list[str]:
    return [run.outcome for run in host.runs]


def test_it_runs_once_for_each_revision() -> None:
    host = JobHost()
    host.settle(ONCE)
    assert host.running and not host.timer
    assert [(run.trigger, run.attempt) for run in host.runs] == [("revision", 1)]
    assert host.rollouts, "the run decides how the rollout ended"
    host.finish(0)
    host.settle(ONCE)
    assert outcomes(host) == ["succeeded"]
    assert [end.outcome for end in host.ended] == ["stable"]
    host.reboot(in_order=True)
    host.settle(ONCE)
    assert len(host.began) == 1
    other = job(command="other")
    host.settle(other)
    host.finish(0)
    host.settle(other)
    assert outcomes(host) == ["succeeded", "succeeded"]
    assert len(host.containers) == 1, "nothing is kept to go back to"
    host.settle(ONCE)
    assert len(host.began) == 3, "an earlier revision is a change as well"


def test_a_failed_one_is_tried_again_by_systemd_and_then_has_failed() -> None:
    host = JobHost()
    host.settle(ONCE)
    host.finish(3)
    host.settle(ONCE)
    assert not host.ended, "it may yet succeed"
    host.retry()
    host.settle(ONCE)
    host.finish(3)
    host.settle(ONCE)
    assert [(r.attempt, r.outcome) for r in host.runs] == [(1, "failed"), (2, "failed")]
    (end,) = host.ended
    assert end.outcome == "failed" and end.problem and end.problem.reason == "RunFailed"
    host.settle(ONCE)
    assert len(host.began) == 2


@pytest.mark.parametrize("in_order", [True, False])
def test_what_goes_down_with_the_host_is_tried_again_as_often_as_it_may(in_order: bool) -> None:
    host = JobHost()
    host.settle(ONCE)
    for _ in range(3):
        host.reboot(in_order=in_order)
        host.settle(ONCE)
    assert outcomes(host) == ["interrupted", "interrupted"]
    assert [run.attempt for run in host.runs] == [1, 2]
    assert len(set(host.began)) == 2, "each in a container of its own"
    assert [end.outcome for end in host.ended] == ["failed"]


def test_one_that_was_stopped_by_hand_stays_so() -> None:
    host = JobHost()
    host.settle(ONCE)
    host.stop()
    host.settle(ONCE)
    assert outcomes(host) == ["interrupted"]


def test_a_pruned_container_is_no_reason_to_run_again() -> None:
    host = JobHost()
    host.settle(ONCE)
    host.finish(0)
    host.settle(ONCE)
    host.containers.clear()
    host.settle(ONCE)
    assert len(host.began) == 1


def test_a_scheduled_one_waits_for_its_time_and_gets_a_new_container_for_each_run() -> None:
    host = JobHost()
    host.settle(DAILY)
    assert host.timer and not host.running
    assert [end.outcome for end in host.ended] == ["stable"]
    for code in (0, 3, 0):
        host.elapse()
        host.settle(DAILY)
        host.finish(code)
        host.settle(DAILY)
        host.retry()
        host.settle(DAILY)
        host.finish(0)
        host.settle(DAILY)
    assert outcomes(host) == ["succeeded", "failed", "succeeded", "succeeded"]
    assert [run.attempt for run in host.runs] == [1, 1, 2, 1]
    assert len(set(host.began)) == 3, "a retry is part of its run"
    assert len(host.containers) == 1
    (container,) = host.containers.values()
    assert (container.name, container.started_at) == (NAME, 0.0)


def test_the_timer_does_without_the_daemon() -> None:
    host = JobHost()
    host.settle(DAILY)
    host.elapse()
    host.finish(0)
    host.elapse()
    host.finish(0)
    assert len(set(host.began)) == 1
    host.settle(DAILY)
    assert outcomes(host) == ["succeeded"], "what Podman still knows of"


def test_a_new_revision_waits_for_the_run_that_is_on() -> None:
    host = JobHost()
    host.settle(DAILY)
    host.elapse()
    host.settle(DAILY)
    changed = job(schedule="daily", command="other")
    host.settle(changed)
    assert host.running and host.running.revision == digest(DAILY)
    assert host.plan(changed).why == "the run that is on ends first"
    host.finish(0)
    host.settle(changed)
    assert [c.revision for c in host.containers.values()] == [digest(changed)]


@pytest.mark.parametrize("schedule", [{}, {"schedule": "daily"}])
def test_one_that_may_be_replaced_makes_way_for_a_new_revision(schedule: dict[str, str]) -> None:
    host = JobHost()
    first = job(**schedule, overlap="replace")
    host.settle(first)
    host.elapse()
    host.settle(first)
    changed = job(**schedule, overlap="replace", command="other")
    host.settle(changed)
    assert host.running and host.running.revision == digest(changed)
    assert outcomes(host) == ["interrupted", ""]


def test_one_that_its_own_next_run_replaced_says_so() -> None:
    host = JobHost()
    declared = job(schedule="daily", overlap="replace")
    host.settle(declared)
    host.elapse()
    host.settle(declared)
    host.elapse()
    host.settle(declared)
    host.elapse()
    host.settle(declared)
    assert outcomes(host) == ["replaced", "replaced", ""]
    assert len(set(host.began)) == 3, "each in a container of its own"


def test_a_person_may_run_it_at_any_time() -> None:
    for declared in (ONCE, DAILY):
        host = JobHost()
        host.settle(declared)
        host.finish(0)
        host.settle(declared)
        host.run_now.add(NAME)
        host.settle(declared)
        assert host.running and host.runs[-1].trigger == "manual"
        host.finish(0)
        host.settle(declared)
        assert outcomes(host)[-1] == "succeeded"
        assert len(set(host.began)) == len(host.began)


def test_schedules_come_go_and_change() -> None:
    host = JobHost()
    host.settle(DAILY)
    host.settle(job(schedule="weekly"))
    assert host.timer and host.loaded and host.loaded[1].calendar == ("weekly",)
    host.settle(ONCE)
    assert not host.timer and host.running
    host.finish(0)
    host.settle(DAILY)
    assert host.timer and not host.running


def test_one_that_runs_once_is_disabled() -> None:
    host = JobHost()
    host.settle(ONCE)
    off = job(retries=1, enabled=False)
    host.settle(off)
    assert not host.running
    assert host.plan(off).empty
    host.settle(ONCE)
    assert outcomes(host) == ["interrupted"], "stopped by whoever wrote the file"


def test_disabled_and_enabled_again() -> None:
    host = JobHost()
    host.settle(DAILY)
    host.elapse()
    host.settle(DAILY)
    host.settle(job(schedule="daily", retries=1, enabled=False))
    assert not host.timer and not host.running
    host.settle(DAILY)
    assert host.timer and not host.running


def test_all_of_it_goes_with_its_file() -> None:
    host = JobHost()
    host.settle(DAILY)
    host.elapse()
    host.settle(DAILY)
    actions = host.plan().actions
    assert actions[:2] == (a.StopTimer(forget=True), a.StopUnit())
    host.settle()
    assert not host.containers and not host.file and not host.timer


def test_a_start_that_failed_is_a_run_without_a_beginning() -> None:
    host = JobHost()
    host.settle(DAILY)
    for number in (1, 2):
        host.triggered_at = host.now = host.now + 100
        host.unit = UnitState(active_state="failed")
        host.settle(DAILY)
        assert outcomes(host) == ["failed"] * number
    assert host.runs[-1].exit_code is None
    assert len(host.containers) == 1


def test_a_unit_that_is_still_failed_is_no_other_run() -> None:
    host = JobHost()
    host.settle(job(schedule="daily"))
    host.elapse()
    host.finish(3)
    host.settle(job(schedule="daily"))
    assert outcomes(host) == ["failed"]
    assert host.unit.active_state == "failed"


EVENTS = st.sampled_from(["elapse", "finish", "fail", "retry", "stop", "reboot", "cut", "run"])
FILES = (
    DAILY,
    ONCE,
    job(schedule="daily", overlap="replace"),
    job(schedule="weekly", command="other", retries=2),
    job(command="other"),
)


def happen(host: JobHost, event: str) -> None:
    match event:
        case "elapse":
            host.elapse()
        case "finish" | "fail":
            host.finish(3 if event == "fail" else 0)
        case "retry":
            host.retry()
        case "stop":
            host.stop()
        case "reboot" | "cut":
            host.reboot(in_order=event == "reboot")
        case "run":
            host.run_now.add(NAME)


@settings(max_examples=300)
@given(st.data())
def test_whatever_happens_it_comes_to_what_its_file_says(data: st.DataObject) -> None:
    host, declared = JobHost(), DAILY
    for _ in range(data.draw(st.integers(0, 25), label="length")):
        kind = data.draw(st.sampled_from(["event", "pass", "killed", "file"]), label="kind")
        if kind == "event":
            happen(host, data.draw(EVENTS, label="event"))
        elif kind == "file":
            declared = data.draw(st.sampled_from(FILES), label="file")
        else:
            actions = host.plan(declared).actions
            steps = data.draw(st.integers(0, len(actions))) if kind == "killed" else None
            host.carry_out(actions, steps)
    for _ in range(4):
        host.settle(declared)
        host.retry()
        host.settle(declared)
        host.finish(0)
    host.settle(declared)
    assert host.plan(declared).empty, "a plan after its execution is empty"
    assert not host.rollouts
    assert all(run.outcome for run in host.runs), "the end of each run is noted"
    (container,) = host.containers.values()
    assert container.revision == digest(declared) and container.name == NAME
    spec = declared.spec
    assert isinstance(spec, JobSpec)
    assert host.timer == bool(spec.schedule)
    if spec.schedule:
        assert not container.started_at, "the next run has a container of its own"
    else:
        assert host.runs and host.runs[-1].revision == digest(declared)


def test_what_a_timer_began_before_a_commit_was_read_makes_way_for_its_own_revision() -> None:
    """Killed between a commit and the reload; then the file says again what runs."""
    host, replacing = JobHost(), job(schedule="daily", overlap="replace")
    host.carry_out(host.plan(replacing).actions)
    writes = next(
        i for i, action in enumerate(host.plan(DAILY).actions) if isinstance(action, a.WriteUnits)
    )
    host.carry_out(host.plan(DAILY).actions, writes + 1)
    host.elapse()
    assert host.running and host.running.name != NAME
    host.settle(replacing)
    host.finish(0)
    host.settle(replacing)
    assert [c.name for c in host.containers.values()] == [NAME]
