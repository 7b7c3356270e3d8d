"""The status of a job at every turn."""

from tests.unit.core.job_sim import IMAGE, NAME, JobHost
from tests.unit.core.test_job import DAILY, ONCE, job
from workloadd.core.actions import Plan
from workloadd.core.assess import Knowledge, assess, restarted
from workloadd.core.desired import Declared, Desired
from workloadd.core.memory import Memory
from workloadd.core.observed import Observed
from workloadd.core.revision import Image
from workloadd.core.status import WorkloadStatus
from workloadd.core.world import World


def status(host: JobHost, declared: Declared, **busy: str) -> WorkloadStatus:
    images = {IMAGE: Image("img", "sha256:one")}
    world = World(
        Desired({NAME: declared}),
        Observed({NAME: host.seen()}, images, host.boot),
        Memory(rollouts=dict(host.rollouts), runs={NAME: tuple(reversed(host.runs))}),
        host.now,
    )
    (found,) = assess(Knowledge(world, Plan({NAME: host.plan(declared)}), busy), {})
    return found


def settled(declared: Declared) -> JobHost:
    host = JobHost()
    host.settle(declared)
    return host


def ready(found: WorkloadStatus) -> tuple[str, str]:
    condition = found.condition("Ready")
    assert condition
    return condition.status, condition.reason


def test_one_that_runs_once() -> None:
    host = JobHost()
    assert status(host, ONCE).state == "Waiting"
    host.settle(ONCE)
    found = status(host, ONCE)
    assert (found.state, ready(found)) == ("Running", ("True", "Running"))
    assert found.job and [run.outcome for run in found.job.runs] == [""]
    host.finish(3)
    host.settle(ONCE)
    found = status(host, ONCE)
    assert found.state == "Running"
    assert found.message == "it waits to be tried again; its run failed with exit code 3"
    host.retry()
    host.finish(0)
    host.settle(ONCE)
    found = status(host, ONCE)
    assert (found.state, ready(found)) == ("Completed", ("True", "Completed"))
    assert found.job and found.job.schedule == () and found.job.next_run is None
    host.reboot(in_order=True)
    assert status(host, ONCE).state == "Completed"


def test_one_that_failed() -> None:
    host = settled(job())
    host.finish(3)
    host.settle(job())
    found = status(host, job())
    assert (found.state, ready(found)) == ("Failed", ("False", "RunFailed"))
    assert "its run failed" in found.message


def test_one_with_a_schedule() -> None:
    host = settled(DAILY)
    found = status(host, DAILY)
    assert (found.state, ready(found)) == ("Scheduled", ("True", "Scheduled"))
    assert found.job and found.job.schedule == ("daily",)
    host.elapse()
    host.settle(DAILY)
    assert status(host, DAILY).state == "Running"
    host.finish(0)
    host.settle(DAILY)
    assert status(host, DAILY).state == "Scheduled"
    for end in (host.elapse, host.retry):
        end()
        host.finish(3)
        host.settle(DAILY)
    found = status(host, DAILY)
    assert (found.state, found.message) == ("Failed", "its last run failed with exit code 3")
    assert ready(found) == ("True", "Scheduled"), "a host is ready whose job failed last night"
    host.timer = False
    assert ready(status(host, DAILY)) == ("False", "NotScheduled")


def test_one_whose_new_file_has_to_wait_or_is_wrong() -> None:
    host = settled(DAILY)
    host.elapse()
    host.settle(DAILY)
    found = status(host, job(schedule="weekly"))
    assert found.state == "Running"
    deployed = found.condition("Deployed")
    assert deployed and deployed.message == "the run that is on ends first"
    assert found.job and found.job.schedule == ("daily",)


def test_being_disabled_and_a_retry_that_is_no_restart() -> None:
    host = settled(DAILY)
    off = job(schedule="daily", retries=1, enabled=False)
    host.settle(off)
    before = status(host, off)
    assert before.state == "Disabled"
    host.settle(DAILY)
    host.elapse()
    host.finish(3)
    host.retry()
    host.settle(DAILY)
    after = status(host, DAILY)
    assert after.restarts == 1
    assert restarted(before, after) == ""
