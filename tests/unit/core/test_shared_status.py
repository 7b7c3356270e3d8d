"""The status of what workloads share."""

from tests.unit.core.test_upkeep import declare, desired, invalid, network, objects, volume
from workloadd.core.errors import Problem
from workloadd.core.objects import Network, Volume, made_of
from workloadd.core.observed import Observed
from workloadd.core.shared_status import assess_networks, assess_volumes
from workloadd.spec.volume import VolumeSpec


def test_networks() -> None:
    wanted = desired(network("new"), network("shop", internal=True), network("his"),
                     network("ready"), invalid("bad", "network"))  # fmt: skip
    there = objects(
        Network("shop", ""), Network("his"), Network("ready", ""), Network("old", ""),
        Network("web_own", "web"), Network("other"),
        users={"shop": ("web",)},
    )  # fmt: skip
    found = {n.name: n for n in assess_networks(wanted, Observed(objects=there), {})}
    assert {name: one.state for name, one in found.items()} == {
        "bad": "Invalid", "his": "Taken", "new": "Making", "old": "Leftover", "ready": "Ready",
        "shop": "Differs",
    }  # fmt: skip
    assert found["shop"].used_by == ("web",)
    assert "podman network rm --force shop" in found["shop"].message
    assert found["bad"].errors
    assert "podman network rm old" in found["old"].message


def test_what_could_not_be_made_says_why() -> None:
    failures = {"make the network new": Problem("SubnetTaken", "cannot create network new")}
    (found,) = assess_networks(desired(network("new")), Observed(), failures)
    assert (found.state, found.message) == ("Failed", "cannot create network new")


def test_volumes_are_used_by_the_workloads_that_name_them() -> None:
    shared = volume(uid=7)
    assert isinstance(shared.spec, VolumeSpec)
    wanted = desired(shared, declared=declare(shared, volumes=["backup.volume:/b"]))
    there = objects(Volume("backup", "", made_of(shared.spec)), Volume("kept", ""), Volume("x"))
    found = assess_volumes(wanted, Observed(objects=there), {})
    assert [(v.name, v.state, v.used_by) for v in found] == [
        ("backup", "Ready", ("web",)), ("kept", "Leftover", ()),
    ]  # fmt: skip
