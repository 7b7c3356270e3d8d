"""What is taken down, what is not, and why."""

from dataclasses import replace

from tests.unit.core.sim import POLICY, Host, declared
from workloadd.core.actions import Note, WorkloadPlan
from workloadd.core.desired import Desired, Elsewhere
from workloadd.core.errors import Problem
from workloadd.core.observed import Image
from workloadd.core.plan import plan
from workloadd.core.world import World

WEB = declared("web", "image: localhost/app:1\n")


def planned(desired: Desired) -> WorkloadPlan:
    host = Host(images={"localhost/app:1": Image("img1", "sha256:one")})
    host.settle(WEB)
    return plan(World(desired, host.observed(), host.memory(), host.now), POLICY).workloads["web"]


def test_a_workload_whose_file_is_gone_is_removed() -> None:
    removal = planned(Desired())
    assert removal.why == "remove: its workload file is gone"
    assert Note("removed", "its workload file is gone") in removal.actions


def test_a_workload_that_is_not_for_this_host_any_more_is_removed_and_the_note_says_why() -> None:
    removal = planned(Desired(elsewhere=(Elsewhere("web", WEB.path, "SITE is not set"),)))
    assert Note("removed", "it is not for this host: SITE is not set") in removal.actions


def test_nothing_is_removed_while_its_file_does_not_say_what_it_declares() -> None:
    other = replace(WEB, name="other")
    held = planned(Desired({"other": other}, unsure=frozenset({WEB.path})))
    assert held.actions == ()
    assert held.why == f"not removed: {WEB.path} does not say what it declares"
    assert planned(Desired(unsure=frozenset({"/somewhere/else.yaml"}))).actions


def test_nothing_is_removed_while_a_root_is_out_of_sight() -> None:
    assert planned(Desired(unreadable=(Problem("RootUnreadable", "cannot read it"),))).actions == ()
