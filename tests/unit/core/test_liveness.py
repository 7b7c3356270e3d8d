"""What follows from probes: Ready goes by readiness, a restart by liveness, a rollout by all."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.sim import POLICY, Host, declared
from tests.unit.core.test_assess import status
from tests.unit.core.test_plan_properties import IMAGES, WANTED
from workloadd.core import actions as a
from workloadd.core.assess import restarted
from workloadd.core.backoff import STEADY
from workloadd.core.liveness import SEVERAL, due_at, in_a_row
from workloadd.core.status import WorkloadStatus

IMAGE = "image: localhost:5000/nginx:1\n"
PROBES = "probes: {startup: {tcp: 1}, readiness: {tcp: 1}, liveness: {tcp: 1}}\n"
ASKED = declared("web", f"{IMAGE}{PROBES}")
OTHER = declared("web", f"{IMAGE}{PROBES}hostname: other\n")
POD = declared(
    "web",
    "containers:\n"
    "  app: {image: localhost:5000/nginx:1, probes: {liveness: {tcp: 1}}}\n"
    "  side: {image: localhost:5000/nginx:1}\n",
)


@pytest.fixture
def host() -> Host:
    """A host on which a workload with probes serves."""
    found = Host(images=dict(IMAGES))
    found.answer(startup=True, readiness=True, liveness=True)
    found.settle(ASKED)
    assert status(found, ASKED).state == "Ready"
    return found


def ready(found: WorkloadStatus) -> tuple[str, str, str]:
    condition = found.condition("Ready")
    assert condition
    return condition.status, condition.reason, condition.message


def test_readiness_moves_ready_and_nothing_else(host: Host) -> None:
    host.answer(readiness=False)
    assert host.plan(ASKED).empty
    found = status(host, ASKED)
    assert found.state == "NotReady"
    assert ready(found) == ("False", "NotReady", "its readiness probe failed: refused")
    host.answer(readiness=True)
    assert status(host, ASKED).state == "Ready"


@pytest.mark.parametrize(
    ("verdicts", "kind"),
    [({"startup": None}, "startup"), ({"readiness": None}, "readiness")],
)
def test_before_there_is_a_word_it_starts(
    host: Host, verdicts: dict[str, bool | None], kind: str
) -> None:
    host.answer(**verdicts)
    found = status(host, ASKED)
    assert found.state == "Waiting"
    assert ready(found)[:2] == ("False", "Starting")
    assert f"its {kind} probe has not succeeded yet" in ready(found)[2]


def test_what_an_earlier_run_said_says_nothing_of_this_one(host: Host) -> None:
    memory = host.memory()
    (container,) = host.containers.values()
    host.start()
    assert host.containers[container.id].started_at > container.started_at
    assert ready(status(host, ASKED, memory=memory))[1] == "Starting"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("liveness", "its liveness probe failed: refused"),
        ("startup", "its startup probe failed: refused"),
    ],
)
def test_what_is_not_alive_is_started_again(host: Host, kind: str, said: str) -> None:
    host.answer(**{kind: False})
    assert host.plan(ASKED).actions == (a.Note("liveness", said), a.RestartUnit())
    alive = status(host, ASKED).condition("Alive")
    assert alive and (alive.status, alive.reason, alive.message) == ("False", "NotAlive", said)


def test_of_a_pod_only_the_container_that_is_not_alive_is_started_again() -> None:
    host = Host(images=dict(IMAGES))
    host.answer(liveness=True)
    host.settle(POD)
    host.answer(liveness=False)
    assert host.plan(POD).actions == (
        a.Note("liveness", "container app: its liveness probe failed: refused"),
        a.RestartUnit("app"),
    )


def restarts(host: Host, seconds: float) -> list[float]:
    """When it is restarted within that time, by passes as the plan asks for them."""
    until, times = host.now + seconds, []
    while host.now < until:
        planned = host.plan(ASKED)
        if a.RestartUnit() in planned.actions:
            times.append(host.now)
            host.carry_out(planned.actions)
        host.now = max(host.now + 1.0, planned.wake_at or 0.0)
    return times


def test_ever_later_up_to_a_ceiling(host: Host) -> None:
    host.answer(liveness=False)
    times = restarts(host, 3000.0)
    waits = [round(later - earlier) for earlier, later in pairwise(times)]
    assert waits[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert set(waits[6:]) == {300}


def test_several_in_a_row_are_degraded_until_it_holds(host: Host) -> None:
    host.answer(liveness=False)
    restarts(host, 100.0)
    found = status(host, ASKED)
    assert found.state == "Degraded"
    assert "it was started again 5 times in a row, as it was not alive" in found.message
    assert found.last_error == found.message
    host.answer(liveness=True)
    assert status(host, ASKED).state == "Degraded", "it has to hold"
    host.now += STEADY
    assert status(host, ASKED).state == "Ready"
    assert in_a_row(host.relapses, host.now) == 0


@given(st.lists(st.floats(0, 2000), max_size=20), st.floats(0, 2000))
def test_the_count_and_the_delay_keep_their_bounds(gaps: list[float], since: float) -> None:
    now, times = 10_000.0, []
    at = now - since
    for gap in gaps:
        times.append(at)
        at -= gap
    count = in_a_row(times, now)
    assert count <= len(times)
    assert (count == 0) == (not times or since >= STEADY)
    assert due_at(times, now) <= now + 300.0
    assert SEVERAL > 1


def test_what_has_nothing_to_go_back_to_is_given_up_and_started_again() -> None:
    host = Host(images=dict(IMAGES))
    host.answer(startup=True, readiness=True, liveness=False)
    for _ in range(5):
        host.carry_out(host.plan(ASKED).actions)
    (ended,) = host.ended
    assert ended.outcome == "failed" and ended.problem and ended.problem.reason == "ProbeFailed"
    assert len(restarts(host, 100.0)) >= 3
    host.answer(liveness=True)
    host.settle(ASKED)
    assert host.serving()


def failing(**verdicts: bool | None) -> Host:
    """A host on which another version failed to prove itself beside a good one."""
    host = Host(images=dict(IMAGES))
    host.settle(WANTED)
    host.answer(startup=True, readiness=True, liveness=True)
    host.answer(**verdicts)
    host.settle(OTHER)
    return host


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"liveness": False}, "its liveness probe failed: refused"),
        ({"startup": False}, "its startup probe failed: refused"),
        ({"readiness": False}, "it was not ready in time: its readiness probe failed: refused"),
        ({"readiness": None}, "it was not ready in time: its readiness probe has not succeeded"),
    ],
)
def test_a_rollout_whose_probes_fail_is_undone(verdicts: dict[str, bool | None], said: str) -> None:
    host = failing(**verdicts)
    (ended,) = [one for one in host.ended if one.outcome == "rolled-back"]
    assert ended.problem
    assert ended.problem.reason == "ProbeFailed"
    assert said in ended.problem.message
    assert not [note for note in host.notes if note.kind == "liveness"]
    assert not host.serving().params.probes  # type: ignore[union-attr]


def test_a_rollout_is_proven_when_it_was_ready_all_through_its_soak() -> None:
    host = Host(images=dict(IMAGES))
    host.answer(startup=True, readiness=None, liveness=True)
    for _ in range(3):
        host.carry_out(host.plan(ASKED).actions)
    assert host.serving()
    host.now += POLICY.soak * 2
    assert not host.plan(ASKED).actions, "up for long, and not ready yet"
    host.answer(readiness=True)
    planned = host.plan(ASKED)
    assert not planned.actions
    assert planned.wake_at == host.now + POLICY.soak
    host.now += POLICY.soak
    assert any(isinstance(action, a.EndRollout) for action in host.plan(ASKED).actions)


def test_the_status_has_each_probe(host: Host) -> None:
    host.answer(liveness=False)
    found = status(host, ASKED).probes
    assert [(one.kind, one.asks, one.ok, one.verdict) for one in found] == [
        ("startup", "tcp 1", True, True),
        ("readiness", "tcp 1", True, True),
        ("liveness", "tcp 1", False, False),
    ]
    assert (found[2].reason, found[2].message) == ("Refused", "refused")


def test_what_is_killed_for_memory_says_so() -> None:
    host = Host(images=dict(IMAGES))
    host.settle(WANTED)
    one = host.serving()
    host.end(one.id, 137)
    host.containers[one.id] = replace(host.containers[one.id], oom=True)
    host.unit().active_state = "activating"
    found = status(host, WANTED)
    assert ready(found)[:2] == ("False", "OOMKilled")
    assert found.last_error.startswith("it was killed, as it needed more memory than it may have")
    host.start()
    host.unit().restarts = 1
    assert "killed" in restarted(found, status(host, WANTED))


def test_a_rollout_that_is_killed_for_memory_is_undone() -> None:
    host = Host(images=dict(IMAGES))
    host.settle(WANTED)
    host.answer(startup=True, readiness=True, liveness=True)
    while not [c for c in host.containers.values() if c.running and c.params and c.params.probes]:
        host.carry_out(host.plan(OTHER).actions)
    one = host.serving()
    host.end(one.id, 137)
    host.containers[one.id] = replace(host.containers[one.id], oom=True)
    host.unit().active_state = "activating"
    host.carry_out(host.plan(OTHER).actions)
    (ended,) = [end for end in host.ended if end.outcome == "rolled-back"]
    assert ended.problem and ended.problem.reason == "OOMKilled"
