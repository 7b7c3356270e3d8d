"""What the planner does with pods: several containers, each under a unit of its own."""

from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.revisions import revised
from tests.unit.core.sim import Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_plan_properties import IMAGE, IMAGES, WANTED
from workloadd.core.actions import CreateContainers, RestartUnit, StartUnit, WorkloadPlan
from workloadd.core.desired import Declared
from workloadd.core.names import pod_name, unit_part
from workloadd.spec.names import INFRA_CONTAINER


def pod(
    web: str = "a", side: str = "b", *, init: str = "", port: int = 80, more: str = ""
) -> Declared:
    """A workload file of two containers, and one before them where `init` is its command."""
    first = f"  wait: {{image: '{IMAGE}', command: {init}, init: true}}\n" if init else ""
    return declared(
        "web",
        f"ports: ['80{port}:80']\ncontainers:\n{first}"
        f"  web: {{image: '{IMAGE}', command: {web}}}\n"
        f"  side: {{image: '{IMAGE}', command: {side}}}\n",
    )


POD = pod()


@pytest.fixture
def host() -> Host:
    """A host on which the pod serves."""
    found = Host(images=dict(IMAGES))
    found.settle(POD)
    return found


def running(host: Host) -> dict[str, str]:
    """What runs, by part."""
    return {c.container: c.id for c in host.containers.values() if c.running}


def created(plan: WorkloadPlan) -> tuple[str, ...]:
    return next((a.parts for a in plan.actions if isinstance(a, CreateContainers)), ())


def test_a_first_deployment(host: Host) -> None:
    assert set(running(host)) == {INFRA_CONTAINER, "web", "side"}
    assert {c.name for c in host.containers.values()} == {"web__infra", "web_web", "web_side"}
    assert [e.outcome for e in host.ended] == ["stable"]
    assert host.plan(POD).empty


def test_a_changed_container_is_replaced_and_no_other(host: Host) -> None:
    before = running(host)
    changed = pod(side="c")
    planned = host.plan(changed)
    assert created(planned) == ("side",)
    assert [a for a in planned.actions if isinstance(a, RestartUnit)] == [RestartUnit("side")]
    host.settle(changed)
    after = running(host)
    assert {part for part in after if after[part] != before[part]} == {"side"}


def test_a_failing_container_is_undone_alone_and_named(host: Host) -> None:
    before = running(host)
    bad = pod(side="c")
    assert bad.spec
    revision = revised("web", bad.spec, "img1", "sha256:one")
    host.crashing.add(revision.part("side").digest)
    host.settle(bad)
    assert running(host) == before
    (ended,) = [e for e in host.ended if e.revision == revision.digest]
    assert ended.outcome == "rolled-back"
    assert ended.problem and "container side: " in ended.problem.message


def test_what_the_pod_itself_is_made_of_replaces_all(host: Host) -> None:
    before = running(host)
    host.settle(pod(port=81))
    assert not set(running(host).values()) & set(before.values())
    host.settle(POD)
    assert running(host) == before, "the previous pod is kept"


def test_an_init_container_runs_before_the_others_again_when_it_changes(host: Host) -> None:
    with_init = pod(init="x")
    host.settle(with_init)
    assert set(running(host)) == {INFRA_CONTAINER, "web", "side"}
    planned = host.plan(pod(init="y"))
    assert created(planned) == ("wait",)
    assert RestartUnit() in planned.actions


def test_a_failing_init_container_fails_the_deployment() -> None:
    host = Host(images=dict(IMAGES), crashing={"wait"})
    file = pod(init="x")
    host.settle(file)
    assert [e.outcome for e in host.ended] == ["failed"]
    found = status(host, file)
    assert found.state == "Failed" and "container wait: " in found.message


def test_the_order_of_init_containers_is_a_part_of_the_revision() -> None:
    def digest(*names: str) -> str:
        inits = "".join(f"  {n}: {{image: '{IMAGE}', init: true}}\n" for n in names)
        file = declared("web", f"containers:\n{inits}  web: {{image: '{IMAGE}'}}\n")
        assert file.spec
        return revised("web", file.spec).digest

    assert digest("a", "b") != digest("b", "a")
    assert digest("a", "b") == digest("a", "b")


def test_the_status_says_which_container_it_is(host: Host) -> None:
    host.stop("side")
    host.unit("side").active_state = "failed"
    found = status(host, POD)
    assert [(c.name, c.up) for c in found.containers] == [("web", True), ("side", False)]
    ready = found.condition("Ready")
    assert ready and "container side: " in ready.message


def test_a_member_that_was_stopped_is_started_and_nothing_else(host: Host) -> None:
    host.stop("side")
    actions = host.plan(POD).actions
    assert actions[-1] == StartUnit("side") and len(actions) == 2


@pytest.mark.parametrize("taken", ["web_side", "web__infra", "the pod"])
def test_a_name_that_another_thing_has_is_explained(taken: str) -> None:
    assert POD.spec
    infra = revised("web", POD.spec, "img1", "sha256:one").parts[0]
    name = pod_name("web", infra.digest) if taken == "the pod" else taken
    host = Host(images=dict(IMAGES), foreign=frozenset({name, "web", "web_other"}))
    assert host.plan(POD).empty
    found = status(host, POD)
    assert found.state == "Failed" and f"named {name} exists" in found.message


def test_names_like_those_of_its_parts_do_not_matter() -> None:
    host = Host(images=dict(IMAGES), foreign=frozenset({"web", "web_other"}))
    host.settle(POD)
    assert [e.outcome for e in host.ended] == ["stable"]


PODS = (POD, pod(side="c"), pod(port=81), pod(init="x"), pod(init="x", web="z"), WANTED)


@settings(max_examples=150)
@given(st.lists(st.sampled_from(PODS), min_size=1, max_size=4), st.data())
def test_whatever_happens_the_last_file_is_what_runs(
    files: list[Declared], data: st.DataObject
) -> None:
    host = Host(images=dict(IMAGES))
    for file in files:
        for _ in range(data.draw(st.integers(0, 4), label="kills")):
            actions = host.plan(file).actions
            host.carry_out(actions, data.draw(st.integers(0, len(actions)), label="steps"))
            host.now += data.draw(st.sampled_from([0.0, 1.0, 10.0]))
        if data.draw(st.booleans(), label="settle"):
            host.settle(file)
        _harm(host, data)
    file = files[-1]
    host.settle(file)
    assert host.plan(file).empty
    assert file.spec and host.file and host.file.record
    revision = revised("web", file.spec, "img1", "sha256:one")
    assert host.file.record.revision == revision.digest
    expected = {p.name for p in revision.parts if p.params.role != "init"}
    assert set(running(host)) == expected
    kept = {i for _, i in (*host.file.record.containers, *host.file.record.previous)}
    assert set(host.containers) <= kept, "nothing is left behind"


def _harm(host: Host, data: st.DataObject) -> None:
    """Something that a person or an accident does to what is there."""
    found = sorted(host.containers)
    if not found:
        return
    victim = host.containers[data.draw(st.sampled_from(found), label="victim")]
    match data.draw(st.sampled_from(["none", "end", "remove", "rename"]), label="harm"):
        case "end" if victim.running:
            part = unit_part(victim.container)
            host.stop(part)
            host.unit(part).active_state = "activating"
        case "remove" if victim.container == INFRA_CONTAINER:
            gone = {i: c for i, c in host.containers.items() if c.pod != victim.pod}
            host.containers = gone
        case "remove":
            del host.containers[victim.id]
        case "rename":
            host.containers[victim.id] = replace(victim, name=f"stray-{victim.id}")


@settings(max_examples=50)
@given(st.sampled_from(PODS), st.data())
def test_a_pod_is_removed_whole(file: Declared, data: st.DataObject) -> None:
    host = Host(images=dict(IMAGES))
    host.settle(file)
    _harm(host, data)
    host.settle()
    assert host.containers == {} and host.file is None


def test_one_that_fails_before_the_others_is_told_not_that_they_are_being_started() -> None:
    """They have a job of systemd's for as long as what has to run before them goes on failing."""
    file = pod(init="[check]")
    host = Host(images=dict(IMAGES))
    host.crashing.add("wait")
    host.settle(file)
    seen = host.seen()
    waiting = {part: replace(seen.unit_of(part), job="/job/1") for part in ("web", "side")}
    stuck = {**seen.units, **waiting}
    with patch.object(host, "seen", lambda: replace(seen, units=stuck)):
        found = status(host, file)
    assert found.state == "Failed"
    assert "container wait" in found.message
    calm = {part: replace(unit, restarts=0) for part, unit in stuck.items()}
    with patch.object(host, "seen", lambda: replace(seen, units=calm)):
        assert status(host, file).message == "it is being started"
