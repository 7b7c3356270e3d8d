"""What must hold of the planner whatever the host looks like."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.revisions import revised
from tests.unit.core.sim import BOOT, POLICY, Host, declared
from workloadd.core.actions import (
    CreateContainers,
    RemoveContainer,
    RenameContainer,
    StopContainer,
    WriteUnits,
)
from workloadd.core.desired import Declared, Desired
from workloadd.core.errors import Problem
from workloadd.core.memory import Attempt, OpenRollout
from workloadd.core.names import candidate_name
from workloadd.core.observed import Container, Observed, UnitFile, UnitRecord
from workloadd.core.plan import plan
from workloadd.core.revision import Image, UnitParams
from workloadd.core.world import World
from workloadd.spec.names import MAIN_CONTAINER

IMAGE = "localhost:5000/nginx:1"
IMAGES = {IMAGE: Image("img1", "sha256:one")}
WANTED = declared("web", f"image: {IMAGE}\nports: ['8080:80']\n")
assert WANTED.spec
REVISION = revised("web", WANTED.spec, "img1", "sha256:one").digest
OLD, OLDER = "b" * 64, "c" * 64

RESTARTS = st.sampled_from(["always", "on-failure", "no"])


@st.composite
def containers(draw: st.DrawFn) -> dict[str, Container]:
    """Up to four containers of the workload, in any state, with names that do not clash."""
    found: dict[str, Container] = {}
    names: set[str] = set()
    for number in range(draw(st.integers(0, 4))):
        revision = draw(st.sampled_from([REVISION, OLD, OLDER]))
        choices = ["web", candidate_name("web", MAIN_CONTAINER, revision), f"stray{number}"]
        name = draw(st.sampled_from([c for c in choices if c not in names]))
        names.add(name)
        started = draw(st.sampled_from([0.0, BOOT - 100, BOOT + 100, BOOT + 200]))
        state = draw(st.sampled_from(["exited", "running"])) if started else "created"
        found[f"c{number}"] = Container(
            id=f"c{number}",
            name=name,
            workload="web",
            container=MAIN_CONTAINER,
            revision=revision,
            image_id="img1",
            image=IMAGE,
            state=state,
            exit_code=draw(st.sampled_from([0, 1, 137])) if started else 0,
            created_at=BOOT - 200 + number,
            started_at=started,
            exited_at=started + 10 if state == "exited" else 0.0,
            params=draw(st.one_of(st.none(), RESTARTS.map(lambda r: UnitParams(restart=r)))),
        )
    return found


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """A workload's corner of a host, however strange."""
    found = draw(containers())
    ids = st.sampled_from([*found, "gone"])
    host = Host(containers=found, images=dict(IMAGES))
    if draw(st.booleans()):
        container = draw(ids)
        revision = found[container].revision if container in found else REVISION
        previous = draw(st.one_of(st.just(""), ids))
        record = UnitRecord(
            "web",
            revision,
            ((MAIN_CONTAINER, container),),
            () if previous in ("", container) else ((MAIN_CONTAINER, previous),),
            draw(st.sampled_from([WANTED.path, "/run/workloadd/workloads.d/web.yaml"])),
            older=tuple(((MAIN_CONTAINER, one),) for one in draw(st.lists(ids, max_size=2))),
        )
        host.file = UnitFile(record, draw(st.booleans()), draw(st.booleans()))
    if host.file and draw(st.booleans()):
        host.loaded = replace(
            host.file.record or UnitRecord("web", "", ()), containers=((MAIN_CONTAINER, draw(ids)),)
        )
        host.unit().active_state = draw(st.sampled_from(["inactive", "failed", "active"]))
        host.unit().active_since = BOOT + 200
    if draw(st.booleans()):
        host.rollouts["web"] = OpenRollout(
            1, "web", draw(st.sampled_from([REVISION, OLD])), "test", BOOT + 50, BOOT + 60
        )
    return host


@given(hosts())
def test_converges_from_any_state_to_what_the_file_says(host: Host) -> None:
    host.settle(WANTED)
    assert host.plan(WANTED).empty, "a plan after its execution is empty"
    assert host.file and host.file.record and host.file.intact and host.file.enabled
    assert host.file.record.source == WANTED.path
    current = host.containers[host.file.record.containers[0][1]]
    assert current.revision == REVISION or ("web", REVISION) in host.bad
    if _ended_by_itself(host):
        return
    assert host.serving().id == current.id
    assert current.name == "web"
    kept = 2 + len(host.file.record.older)
    assert len(host.containers) <= kept, "nothing is kept but what the record names"


def _ended_by_itself(host: Host) -> bool:
    """Whether the service has ended, and its file says that this is its end."""
    assert host.file and host.file.record
    container = host.containers[host.file.record.containers[0][1]]
    once = container.params is not None and container.params.restart != "always"
    ended_well = container.exit_code == 0 and host.unit().active_state == "active"
    return once and container.state == "exited" and (container.started_at >= BOOT or ended_well)


@settings(max_examples=200)
@given(hosts(), st.data())
def test_a_daemon_killed_between_any_two_steps_is_carried_on(
    host: Host, data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(1, 6), label="kills")):
        actions = host.plan(WANTED).actions
        host.carry_out(actions, data.draw(st.integers(0, len(actions)), label="steps"))
        host.now += data.draw(st.sampled_from([0.0, 1.0, 10.0]))
    host.settle(WANTED)
    assert host.plan(WANTED).empty
    assert host.file and host.file.record
    assert not host.rollouts
    if not _ended_by_itself(host):
        assert host.containers[host.file.record.containers[0][1]].name == "web"


@settings(max_examples=200)
@given(hosts(), st.data())
def test_a_bad_update_ends_with_the_old_one_serving(host: Host, data: st.DataObject) -> None:
    host.settle(WANTED)
    if _ended_by_itself(host):
        return
    before = host.serving()
    bad = declared("web", f"image: {IMAGE}\ncommand: crash\n")
    assert bad.spec
    revision = revised("web", bad.spec, "img1", "sha256:one")
    host.crashing.add(revision.digest)
    for _ in range(data.draw(st.integers(0, 4), label="kills")):
        actions = host.plan(bad).actions
        host.carry_out(actions, data.draw(st.integers(0, len(actions)), label="steps"))
    host.settle(bad)
    assert host.serving().id == before.id
    assert host.serving().name == "web"
    assert ("web", revision.digest) in host.bad
    assert revision.digest not in {c.revision for c in host.containers.values()}
    assert [e.outcome for e in host.ended if e.revision == revision.digest] == ["rolled-back"]
    assert host.plan(bad).empty, "a bad revision is not tried again"


@given(hosts())
def test_removal_leaves_nothing(host: Host) -> None:
    host.settle()
    assert host.containers == {}
    assert host.file is None
    assert host.unit().active_state == "inactive"


@given(hosts(), st.sampled_from(["masked", "conflict", "unreadable"]))
def test_hands_off(host: Host, why: str) -> None:
    desired = Desired({"web": WANTED})
    if why == "masked":
        host.masked = True
    elif why == "conflict":
        host.file = UnitFile(None, False, False, Problem("UnitConflict", "not ours"))
    else:
        desired = Desired({}, unreadable=(Problem("RootUnreadable", "cannot read"),))
    planned = plan(World(desired, host.observed(), host.memory(), host.now), POLICY)
    assert planned.empty


@given(hosts())
def test_planning_is_pure(host: Host) -> None:
    desired, observed, memory = Desired({"web": WANTED}), host.observed(), host.memory()
    first = plan(World(desired, observed, memory, host.now), POLICY)
    assert plan(World(desired, observed, memory, host.now), POLICY) == first
    assert observed == host.observed()
    assert memory == host.memory()


@given(hosts(), hosts())
def test_workloads_do_not_see_each_other(host: Host, other: Host) -> None:
    world = World(Desired({"web": WANTED}), host.observed(), host.memory(), host.now)
    alone = plan(world, POLICY)
    stranger = Declared("api", "/etc/workloadd/workloads.d/api.yaml")
    both = World(
        Desired({"web": WANTED, "api": stranger}),
        Observed({"web": host.seen(), "api": other.seen()}, host.images, BOOT),
        host.memory(),
        host.now,
    )
    assert plan(both, POLICY).workloads["web"] == alone.workloads["web"]


@given(hosts(), st.booleans())
def test_only_containers_of_the_workload_are_touched(host: Host, wanted: bool) -> None:
    planned = host.plan(*([WANTED] if wanted else []))
    ours = set(host.containers)
    for action in planned.actions:
        match action:
            case RemoveContainer() | RenameContainer() | StopContainer():
                assert action.container in ours
            case CreateContainers():
                assert action.revision.workload == "web"
            case WriteUnits():
                assert action.record.workload == "web"
                assert {id for _, id in action.record.containers} <= {"", *ours}


@given(hosts())
def test_at_most_one_reload_in_a_plan(host: Host) -> None:
    from workloadd.core.actions import DaemonReload

    actions = host.plan(WANTED).actions
    assert sum(isinstance(action, DaemonReload) for action in actions) <= 1


def test_a_first_deployment_needs_no_reload() -> None:
    host = Host(images=dict(IMAGES))
    host.settle(WANTED)
    assert host.reloads == 0
    assert host.serving().name == "web"
    assert [e.outcome for e in host.ended] == ["stable"]
    assert not host.rollouts


@given(hosts(), st.booleans())
def test_a_plan_that_failed_waits_and_another_does_not(host: Host, wanted: bool) -> None:
    files = [WANTED] if wanted else []
    planned = host.plan(*files)
    problem = Problem("PodmanUnavailable", "cannot reach Podman")
    host.attempts["web"] = Attempt(planned.revision, 1, problem, host.now + 9, planned.kind)
    held = host.plan(*files)
    assert not held.actions or held.kind != planned.kind
    if planned.actions and not held.actions:
        assert held.wake_at and held.wake_at <= host.now + 9
    host.attempts["web"] = Attempt("another", 1, problem, host.now + 9, frozenset({"Note"}))
    assert host.plan(*files) == planned
    host.now += 10
    assert host.plan(*files).kind == planned.kind
