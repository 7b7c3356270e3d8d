"""What a person is told about a workload."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.revisions import revised
from tests.unit.core.sim import BOOT, POLICY, Host, declared
from tests.unit.core.test_plan_properties import IMAGE, IMAGES, WANTED, hosts
from workloadd.core.assess import Knowledge, assess
from workloadd.core.desired import Declared, Desired
from workloadd.core.errors import Problem
from workloadd.core.memory import Attempt, Memory, Pull
from workloadd.core.observed import Observed, UnitFile
from workloadd.core.plan import plan
from workloadd.core.status import Status as FullStatus
from workloadd.core.status import WorkloadStatus, summary
from workloadd.core.world import World


def status(
    host: Host,
    *files: Declared,
    memory: Memory | None = None,
    busy: str | None = None,
    before: WorkloadStatus | None = None,
) -> WorkloadStatus:
    desired, observed = Desired({f.name: f for f in files}), host.observed()
    memory = memory or host.memory()
    world = World(desired, observed, memory, host.now)
    steps = {host.name: busy} if busy else {}
    knowledge = Knowledge(world, plan(world, POLICY), steps)
    (found,) = assess(knowledge, {before.name: before} if before else {})
    return found


@pytest.fixture
def host() -> Host:
    """A host on which the wanted workload serves."""
    found = Host(images=dict(IMAGES))
    found.settle(WANTED)
    return found


def test_ready(host: Host) -> None:
    found = status(host, WANTED)
    assert (found.state, found.message, found.last_error) == ("Ready", "", "")
    assert [c.status for c in found.conditions] == ["True"] * 5
    assert found.current and found.current.container_name == "web"
    assert (found.previous, found.next) == (None, None)
    assert found.ports == ("8080:80",)


def test_an_invalid_file_leaves_it_serving(host: Host) -> None:
    found = status(host, declared("web", "image: [1]\nprots: []\n"))
    assert found.state == "Degraded"
    assert len(found.errors) == 2
    loaded = found.condition("Loaded")
    assert loaded and loaded.reason == "InvalidFile"
    assert "web.yaml:1:" in loaded.message and "(and 1 more)" in loaded.message


def test_an_invalid_file_and_nothing_to_serve() -> None:
    assert status(Host(), declared("web", "image: 1")).state == "Invalid"


def test_after_a_rollback(host: Host) -> None:
    bad = declared("web", f"image: {IMAGE}\ncommand: crash\n")
    assert bad.spec
    host.crashing.add(revised("web", bad.spec, "img1", "sha256:one").digest)
    host.settle(bad)
    found = status(host, bad)
    assert found.state == "Degraded"
    deployed = found.condition("Deployed")
    assert deployed and deployed.reason == "RolledBack"
    assert "restarted" in found.message


def test_a_first_deployment_that_fails() -> None:
    host = Host(images=dict(IMAGES))
    assert WANTED.spec
    host.crashing.add(revised("web", WANTED.spec, "img1", "sha256:one").digest)
    host.settle(WANTED)
    found = status(host, WANTED)
    assert found.state == "Failed"
    assert [e.outcome for e in host.ended] == ["failed"]
    assert "exit code 1" in found.message


def test_paused_disabled_and_on_its_way_out(host: Host) -> None:
    off = declared("web", f"image: {IMAGE}\nenabled: false\n")
    assert status(host, off).state == "Disabled"
    assert status(host).state == "Removing"
    host.masked = True
    assert status(host, WANTED).state == "Paused"


def test_a_conflict_is_explained() -> None:
    problem = Problem("UnitConflict", "cannot write the unit", "remove it")
    host = Host(images=dict(IMAGES), file=UnitFile(None, False, False, problem))
    found = status(host, WANTED)
    assert found.state == "Failed"
    assert "cannot write the unit (remove it)" in found.message


def test_a_taken_name_is_explained() -> None:
    found = status(Host(images=dict(IMAGES), foreign=frozenset({"web"})), WANTED)
    assert found.state == "Failed"
    assert "podman rename web" in found.message


@pytest.mark.parametrize(
    ("pull", "state"),
    [
        (Pull(running=True, progress="Copying blob"), "Pulling"),
        (Pull(problem=Problem("ImageNotFound", "cannot pull"), next_at=9e9), "Failed"),
    ],
)
def test_an_image_that_is_not_there_yet(pull: Pull, state: str) -> None:
    found = status(Host(), WANTED, memory=Memory(pulls={IMAGE: pull}))
    assert found.state == state


def test_pulling_for_an_update_is_not_yet_as_declared(host: Host) -> None:
    update = declared("web", "image: localhost:5000/nginx:2\n")
    found = status(host, update)
    assert found.state == "RollingOut"
    assert "pull" in found.message


def test_what_podman_rejected_is_said(host: Host) -> None:
    update = declared("web", f"image: {IMAGE}\nuser: nobody\n")
    assert update.spec
    digest = revised("web", update.spec, "img1", "sha256:one").digest
    problem = Problem("PodmanRejected", "cannot create container")
    memory = Memory(attempts={"web": Attempt(digest, 1, problem, 9e9)})
    found = status(host, update, memory=memory)
    assert (found.state, found.message) == ("Degraded", "cannot create container")


def test_a_limit_that_cannot_be_set_is_said(host: Host) -> None:
    update = declared("web", f"image: {IMAGE}\nresources: {{memory: 64m}}\n")
    observed = Observed({"web": host.seen()}, host.images, BOOT, frozenset())
    desired = Desired({"web": update})
    world = World(desired, observed, host.memory(), host.now)
    planned = plan(world, POLICY)
    assert planned.empty, "what serves goes on"
    (found,) = assess(Knowledge(world, planned, {}), {})
    assert found.state == "Degraded"
    assert "cannot limit memory" in found.message


def test_since_is_carried_on_while_the_status_stays(host: Host) -> None:
    first = status(host, WANTED)
    host.now += 100
    later = status(host, WANTED, before=first)
    assert later.conditions == first.conditions
    broken = status(host, declared("web", "image: 1"), before=later)
    before, after = first.condition("Loaded"), broken.condition("Loaded")
    assert before and after and after.since > before.since


def test_a_step_that_is_being_done_is_said(host: Host) -> None:
    found = status(host, WANTED, busy="prepared")
    assert (found.state, found.message) == ("RollingOut", "prepared")


@given(hosts(), st.sampled_from([WANTED, None, declared("web", "image: 1")]))
def test_any_state_of_a_host_has_a_status(host: Host, file: Declared | None) -> None:
    found = status(host, *([file] if file else []))
    assert found.name == "web"
    whole = FullStatus(version="0", user="u", started=found.conditions[0].since, workloads=(found,))
    assert summary(whole)


def test_no_environment_value_is_in_a_status(host: Host) -> None:
    secret = declared("web", f"image: {IMAGE}\nenvironment: {{TOKEN: hunter2}}\n")
    host.settle(secret)
    assert "hunter2" not in status(host, secret).model_dump_json()
    refused = replace(secret, problems=(Problem("EnvFileInvalid", "cannot read /a.env:1"),))
    assert status(host, refused).state == "Degraded"


def test_after_a_boot_it_is_being_started_and_not_failed(host: Host) -> None:
    """In the pass that has it started, nothing is busy with it yet."""
    host.stop()
    container = next(iter(host.containers.values()))
    host.containers[container.id] = replace(
        container, state="exited", exit_code=255, exited_at=BOOT - 5, started_at=BOOT - 50
    )
    found = status(host, WANTED)
    assert (found.state, found.message) == ("RollingOut", "it is being started")
