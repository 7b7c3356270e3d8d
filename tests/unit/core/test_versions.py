"""Newer versions of an image, where a workload lets its tag go on within a range."""

from dataclasses import replace

import pytest

from tests.unit.core.sim import Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_updates import told
from workloadd.core.desired import Declared
from workloadd.core.hands import Hand
from workloadd.core.memory import Latest, Pull, Question
from workloadd.core.revision import Image
from workloadd.core.updates import finish_update, outdated, to_check
from workloadd.core.versions import references

NAME = "registry.example/app"
OLD, NEW = f"{NAME}:1.2.0", f"{NAME}:1.2.7"
ONE, TWO = Image("img1", "sha256:one"), Image("img2", "sha256:two")
QUESTION = Question(OLD, "1.2.x")


def file(policy: str = "auto", image: str = OLD, version: str = "1.2.x", *more: str) -> Declared:
    update = f"update: {{policy: {policy}, version: {version}}}"
    return declared("web", "\n".join((f"image: {image}", update, *more)) + "\n")


AUTO, NOTIFY, MANUAL = file(), file("notify"), file("manual")


@pytest.fixture
def host() -> Host:
    """A host that runs the version in the file, and the registry has a newer one."""
    found = Host(images={OLD: ONE, ONE.id: ONE})
    found.settle(AUTO)
    found.registry[QUESTION] = Latest(NEW, TWO.digest, checked_at=1.0)
    return found


def pulled(host: Host) -> None:
    host.images |= {NEW: TWO, TWO.id: TWO}


def serves(host: Host) -> str:
    params = host.serving().params
    assert params
    return params.image


def test_it_is_pulled_before_anything_else(host: Host) -> None:
    planned = host.plan(AUTO)
    assert [(pull.reference, pull.policy) for pull in planned.pulls] == [(NEW, "always")]
    assert not planned.actions
    condition = told(host, host.registry, AUTO)
    assert (condition.reason, condition.message) == (
        "Updating",
        f"{NEW} (sha256:two) is newer than 1.2.0",
    )
    assert references({"web": AUTO.spec}, host.observed(), host.registry) == {OLD, NEW}  # type: ignore[dict-item]


def test_it_is_rolled_out_and_stays(host: Host) -> None:
    pulled(host)
    host.settle(AUTO)
    assert serves(host) == NEW
    found = status(host, AUTO)
    assert found.image and found.image.reference == NEW
    # What is remembered of the registry goes with the daemon; and the policy may change.
    host.registry.clear()
    host.settle(MANUAL)
    assert serves(host) == NEW
    host.settle(file("manual", OLD, "1.2.x", "user: nobody"))
    assert serves(host) == NEW
    assert NEW in references({"web": MANUAL.spec}, host.observed(), {})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "other",
    [
        declared("web", f"image: {OLD}\n"),
        file(image=f"{NAME}:1.2.9"),
        file(image=f"{NAME}:1.3.0", version="1.3.x"),
        file(image="other.example/app:1.2.0"),
        file(version='"<=1.2.5"'),
    ],
)
def test_a_file_that_rules_it_out_counts(host: Host, other: Declared) -> None:
    pulled(host)
    host.settle(AUTO)
    spec = other.spec
    assert spec
    (image,) = (one.image for one in spec.containers_by_name.values())
    third = Image("img3", "sha256:three")
    host.images |= {image: host.images.get(image, third), third.id: third}
    host.settle(other)
    assert serves(host) == image


def test_a_bad_one_is_tried_once_and_the_next_one_again(host: Host) -> None:
    pulled(host)
    host.crashing.add(host.plan(AUTO).revision)
    host.settle(AUTO)
    assert serves(host) == OLD
    assert host.plan(AUTO).empty
    assert told(host, host.registry, AUTO).reason == "RolledBack"
    newer, three = f"{NAME}:1.2.8", Image("img3", "sha256:three")
    host.registry[QUESTION] = Latest(newer, three.digest, checked_at=2.0)
    host.images |= {newer: three, three.id: three}
    host.settle(AUTO)
    assert serves(host) == newer


def test_a_version_that_is_withdrawn_goes_on(host: Host) -> None:
    pulled(host)
    host.settle(AUTO)
    host.registry[QUESTION] = Latest(OLD, ONE.digest, checked_at=2.0)
    assert host.plan(AUTO).empty
    assert not host.plan(AUTO).pulls
    assert told(host, host.registry, AUTO).reason == "Newest"


def test_the_same_image_under_a_newer_tag_is_no_change(host: Host) -> None:
    host.registry[QUESTION] = Latest(NEW, ONE.digest, checked_at=2.0)
    host.images[NEW] = ONE
    assert host.plan(AUTO).empty
    assert told(host, host.registry, AUTO).reason == "Newest"


def test_a_tag_that_moves_is_newer_as_well(host: Host) -> None:
    host.registry[QUESTION] = Latest(OLD, TWO.digest, checked_at=2.0)
    assert [pull.reference for pull in host.plan(AUTO).pulls] == [OLD]
    host.images |= {OLD: TWO, TWO.id: TWO}
    host.settle(AUTO)
    assert (serves(host), host.serving().image_id) == (OLD, TWO.id)


def test_notify_only_tells(host: Host) -> None:
    pulled(host)
    assert host.plan(NOTIFY).empty
    assert not host.plan(NOTIFY).pulls
    assert told(host, host.registry, NOTIFY).reason == "Outdated"
    assert NOTIFY.spec
    (told_of,) = outdated({"web": NOTIFY.spec}, host.observed(), host.memory())
    assert told_of.newer == (f"{NEW} (sha256:two) is newer than 1.2.0",)


def test_asked_for_by_hand(host: Host) -> None:
    asked = Hand("web", "update", "me", host.now)
    host.hands["update"] = asked
    assert MANUAL.spec
    assert to_check({"web": MANUAL.spec}, host.memory()) == {QUESTION: asked.at}
    host.registry[QUESTION] = replace(host.registry[QUESTION], checked_at=host.now)
    assert [pull.reference for pull in host.plan(MANUAL).pulls] == [NEW]
    pulled(host)
    # A pull that is done is not asked for again.
    memory = replace(host.memory(), pulls={NEW: Pull(done_for=frozenset({"update sha256:two"}))})
    assert finish_update(asked, MANUAL.spec, host.observed(), memory, host.now + 1)
    host.settle(MANUAL)
    assert serves(host) == NEW
    # With the newest one withdrawn there is nothing left to pull.
    host.registry[QUESTION] = Latest(OLD, ONE.digest, checked_at=host.now)
    assert finish_update(asked, MANUAL.spec, host.observed(), host.memory(), host.now)


def test_a_pod_has_a_range_for_each_container() -> None:
    text = (
        f"containers:\n  a: {{image: {OLD}}}\n  b: {{image: {OLD}}}\n"
        "update: {policy: auto, version: {a: 1.2.x}}\n"
    )
    pod = declared("web", text)
    assert pod.spec
    assert set(to_check({"web": pod.spec}, Host().memory())) == {QUESTION, Question(OLD)}
    host = Host(images={OLD: ONE, ONE.id: ONE})
    host.settle(pod)
    stays = [c.id for c in host.containers.values() if c.container == "b"]
    host.registry[QUESTION] = Latest(NEW, TWO.digest, checked_at=1.0)
    pulled(host)
    host.settle(pod)
    runs = {c.container: c for c in host.containers.values() if c.running and c.params}
    assert {name: c.params.image for name, c in runs.items() if c.params and c.params.image} == {
        "a": NEW,
        "b": OLD,
    }
    assert [runs["b"].id] == stays
