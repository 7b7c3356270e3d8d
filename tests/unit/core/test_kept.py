"""Several deployments kept behind the one that serves, and going back to any of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.sim import Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_by_hand import ask, resume
from tests.unit.core.test_plan_properties import IMAGE, IMAGES
from workloadd.core.deployment import current_deployment
from workloadd.core.desired import Declared
from workloadd.core.hands import Hand
from workloadd.core.revision import spec_key
from workloadd.spec.names import INFRA_CONTAINER


def file(user: str, keep: int = 3, order: str = "stop-first") -> Declared:
    """A version of the workload, by the user that it runs as."""
    update = f"update: {{keep: {keep}, order: {order}}}"
    return declared("web", f"image: {IMAGE}\nuser: {user}\n{update}\n")


def pod(side: str) -> Declared:
    """A version of a pod of which one container changes."""
    containers = f"  web: {{image: '{IMAGE}'}}\n  side: {{image: '{IMAGE}', user: {side}}}\n"
    return declared("web", f"containers:\n{containers}update: {{keep: 3}}\n")


def after(*files: Declared) -> Host:
    """A host on which these were deployed one after the other."""
    host = Host(images=dict(IMAGES))
    for one in files:
        host.settle(one)
    return host


def revisions(host: Host) -> list[str]:
    """What serves, and what may serve again, the newest first."""
    current = current_deployment("web", host.observed().workloads["web"])
    assert current
    return [current.revision, *(one.revision for one in current.behind)]


def hold(host: Host, revision: str, now: Declared) -> Hand:
    assert now.spec
    return ask(host, "hold", revision=revision, spec_key=spec_key(now.spec))


@pytest.mark.parametrize("order", ["stop-first", "start-first"])
def test_as_many_as_are_asked_for(order: str) -> None:
    files = [file(f"u{n}", order=order) for n in range(6)]
    host = after(*files[:3])
    first = revisions(host)
    assert len(first) == len(host.containers) == 3
    host.settle(files[3])
    assert revisions(host)[1:] == first
    host.settle(files[4])
    assert revisions(host)[2:] == first[:2]
    assert len(host.containers) == 4
    assert len([c for c in host.containers.values() if c.running]) == 1
    host.settle(file("u5", keep=1, order=order))
    assert len(revisions(host)) == len(host.containers) == 2


@pytest.mark.parametrize("order", ["stop-first", "start-first"])
def test_back_to_the_oldest_and_forward_again(order: str) -> None:
    files = [file(f"u{n}", order=order) for n in range(4)]
    host = after(*files)
    before, made = revisions(host), set(host.containers)
    hold(host, before[3], files[3])
    host.settle(files[3])
    assert revisions(host) == [before[3], *before[:3]]
    assert host.plan(files[3]).empty
    resume(host)
    host.settle(files[3])
    assert revisions(host) == [before[0], before[3], *before[1:3]]
    assert set(host.containers) == made, "all of them were here"


def test_a_failure_goes_back_by_one_and_loses_none() -> None:
    files = [file(f"u{n}") for n in range(5)]
    host = after(*files[:4])
    before = revisions(host)
    host.crashing.add(host.plan(files[4]).revision)
    host.settle(files[4])
    # The oldest made way for the one that failed.
    assert revisions(host) == before[:3]
    assert len(host.containers) == 3
    hold(host, before[2], files[4])
    host.settle(files[4])
    assert revisions(host) == [before[2], *before[:2]]


def test_a_failure_with_the_previous_one_gone_goes_back_further() -> None:
    files = [file(f"u{n}") for n in range(4)]
    host = after(*files[:3])
    before = revisions(host)
    host.crashing.add(host.plan(files[3]).revision)
    host.carry_out(host.plan(files[3]).actions)
    gone = next(c.id for c in host.containers.values() if c.revision == before[0])
    del host.containers[gone]
    host.settle(files[3])
    assert revisions(host) == before[1:]


def test_a_file_that_is_changed_back_takes_the_old_container() -> None:
    files = [file(f"u{n}") for n in range(4)]
    host = after(*files)
    before, made = revisions(host), set(host.containers)
    host.settle(files[1])
    assert revisions(host) == [before[2], before[0], before[1], before[3]]
    assert set(host.containers) == made


def test_what_somebody_removed_is_no_longer_there_to_go_back_to() -> None:
    files = [file(f"u{n}") for n in range(4)]
    host = after(*files)
    before = revisions(host)
    gone = next(c.id for c in host.containers.values() if c.revision == before[2])
    del host.containers[gone]
    host.settle(files[3])
    assert revisions(host) == [before[0], before[1], before[3]]
    hand = hold(host, before[2], files[3])
    host.settle(files[3])
    assert revisions(host)[0] == before[0]
    assert "hold" not in host.hands
    assert any(hand.where in note.message for note in host.notes)


def test_the_status_tells_of_them() -> None:
    files = [file(f"u{n}") for n in range(4)]
    host = after(*files)
    found = status(host, files[3])
    assert found.current and found.previous
    shown = [one.revision for one in (found.current, found.previous, *found.older)]
    assert shown == revisions(host)
    assert [one.state for one in found.older] == ["exited", "exited"]


def test_of_a_pod_what_changed_is_kept() -> None:
    pods = [pod(f"u{n}") for n in range(5)]
    host = after(*pods[:4])
    before = revisions(host)
    assert len(before) == 4
    assert len(host.containers) == 3 + 3
    stays = {c.container: c.id for c in host.containers.values() if c.running}
    hold(host, before[2], pods[3])
    host.settle(pods[3])
    assert revisions(host)[0] == before[2]
    now = {c.container: c.id for c in host.containers.values() if c.running}
    assert {k: now[k] for k in (INFRA_CONTAINER, "web")} == {
        k: stays[k] for k in (INFRA_CONTAINER, "web")
    }
    resume(host)
    host.settle(pods[4])
    assert len(revisions(host)) == 4
    assert len(host.containers) == 3 + 3


VERSIONS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 4), st.booleans()), min_size=1, max_size=8
)


@given(VERSIONS, st.sampled_from(["stop-first", "start-first"]))
def test_never_more_than_asked_for_and_never_the_same_twice(
    versions: list[tuple[int, int, bool]], order: str
) -> None:
    """Whatever is deployed one after the other, and whichever of it fails."""
    host = Host(images=dict(IMAGES))
    served = ""
    for number, keep, crashes in versions:
        wanted = file(f"u{number}", keep, order)
        host.bad.clear()
        host.crashing.clear()
        planned = host.plan(wanted)
        if crashes and served and planned.revision:
            host.crashing.add(planned.revision)
        host.settle(wanted)
        found = revisions(host)
        served = found[0]
        assert len(set(found)) == len(found) <= 1 + max(k for _, k, _ in versions)
        assert {c.revision for c in host.containers.values()} == set(found)
        assert host.serving().revision == served
        assert host.plan(wanted).empty


def test_a_record_that_names_a_revision_twice_keeps_it_once() -> None:
    """Nobody but a hand that edits units writes such a one; its names would clash."""
    files = [file(f"u{n}") for n in range(3)]
    host = after(*files)
    assert host.file and host.file.record
    twin = replace(host.containers[host.file.record.previous[0][1]], id="twin", name="stray")
    host.containers["twin"] = twin
    older = (((twin.container, "twin"),), *host.file.record.older)
    host.file = replace(host.file, record=replace(host.file.record, older=older))
    before = revisions(host)
    host.settle(files[2])
    assert revisions(host) == before
    assert "twin" not in host.containers


def test_of_what_is_kept_no_other_make_is_kept_ready() -> None:
    """It is wanted, but held back; and it has the name that the kept one is to get."""
    host = after(file("u0"), file("u1"))
    current, previous = host.serving(), next(c for c in host.containers.values() if not c.running)
    host.containers["twin"] = replace(previous, id="twin", state="created", started_at=0.0)
    host.containers[previous.id] = replace(previous, name="web")
    host.containers[current.id] = replace(current, name="stray")
    hold(host, current.revision, file("u0"))
    host.settle(file("u0"))
    assert host.serving().name == "web"
    assert "twin" not in host.containers
