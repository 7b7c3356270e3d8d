"""What the tries of probes come to, by their thresholds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.health import Health, Outcome, ProbeStatus, Watch, tried, turned
from workloadd.core.probes import Probe, ProbeKind

BEGAN = 1000.0
STARTUP = Probe("startup", tcp=80, failure_threshold=3)
READINESS = Probe("readiness", tcp=80)
LIVENESS = Probe("liveness", tcp=80)


def outcome(ok: bool, at: float = BEGAN + 1) -> Outcome:
    return Outcome(ok, at) if ok else Outcome(False, at, "Refused", "connection refused")


def after(probe: Probe, oks: list[bool]) -> ProbeStatus:
    status = ProbeStatus(probe.kind)
    for i, ok in enumerate(oks):
        status = tried(status, probe, outcome(ok, BEGAN + i), BEGAN)
    return status


def watch(*probes: Probe) -> Watch:
    return Watch(probes, BEGAN)


def told(watched: Watch, *said: tuple[ProbeKind, bool]) -> Watch:
    for i, (kind, ok) in enumerate(said):
        watched = watched.after(kind, outcome(ok, BEGAN + i))
    return watched


THRESHOLDS = st.integers(1, 5)
OKS = st.lists(st.booleans(), max_size=30)


@given(OKS, st.integers(0, 5), THRESHOLDS)
def test_a_verdict_is_that_of_the_last_run_of_like_results_that_was_long_enough(
    oks: list[bool], failing: int, succeeding: int
) -> None:
    probe = replace(READINESS, failure_threshold=failing, success_threshold=succeeding)
    expected: bool | None = None
    for end in range(1, len(oks) + 1):
        last = oks[end - 1]
        needed = succeeding if last else failing
        if needed and oks[:end][-needed:] == [last] * needed:
            expected = last
    assert after(probe, oks).verdict is expected


@given(OKS.filter(bool))
def test_what_counts_in_a_row_is_what_came_last(oks: list[bool]) -> None:
    status = after(READINESS, oks)
    assert (status.failures == 0) is oks[-1]
    assert (status.successes == 0) is not oks[-1]
    assert status.ok is oks[-1]
    assert status.at == BEGAN + len(oks) - 1


@given(OKS.filter(bool))
def test_since_is_when_the_verdict_changed_last(oks: list[bool]) -> None:
    verdicts = [after(READINESS, oks[: i + 1]).verdict for i in range(len(oks))]
    status = after(READINESS, oks)
    before = [None, *verdicts]
    changes = [i for i in range(len(oks)) if before[i] is not before[i + 1]]
    assert status.since == (BEGAN + changes[-1] if changes else 0.0)


def test_failures_within_the_start_period_do_not_count() -> None:
    probe = replace(READINESS, start_period=2.0, failure_threshold=1)
    status = after(probe, [False, False])
    assert (status.verdict, status.failures, status.reason) == (None, 0, "Refused")
    assert after(probe, [False, False, False]).verdict is False


def test_who_has_succeeded_within_the_start_period_has_no_more_grace() -> None:
    probe = replace(READINESS, start_period=60.0, failure_threshold=1)
    assert after(probe, [True, False]).verdict is False


def test_a_threshold_of_0_never_comes_to_a_bad_end() -> None:
    assert after(replace(STARTUP, failure_threshold=0), [False] * 50).verdict is None


def test_startup_holds_the_others_back() -> None:
    watched = watch(STARTUP, READINESS, LIVENESS)
    assert watched.asked == (STARTUP,)
    assert (watched.health.started, watched.health.ready, watched.health.alive) == (None,) * 3
    assert told(watched, ("readiness", True), ("liveness", False)) == watched
    watched = told(watched, ("startup", True))
    assert watched.asked == (READINESS, LIVENESS)
    assert watched.health.started is True
    assert told(watched, ("readiness", True)).health.ready is True


def test_startup_that_fails_past_its_threshold_is_not_alive() -> None:
    health = told(watch(STARTUP, READINESS), *[("startup", False)] * 3).health
    assert (health.started, health.ready, health.alive) == (False, False, False)


def test_what_has_no_probe_is_fine() -> None:
    health = watch(READINESS).health
    assert (health.started, health.ready, health.alive) == (True, None, True)
    assert watch(LIVENESS).health.ready is True


def test_liveness_is_tried_on_after_it_has_failed() -> None:
    watched = told(watch(LIVENESS), *[("liveness", False)] * 3)
    assert watched.health.alive is False
    assert told(watched, ("liveness", True)).health.alive is True


@given(st.lists(st.tuples(st.sampled_from(["startup", "readiness", "liveness"]), st.booleans())))
def test_nothing_is_said_of_a_container_that_has_not_started(
    said: list[tuple[ProbeKind, bool]],
) -> None:
    health = told(watch(STARTUP, READINESS, LIVENESS), *said).health
    if health.started is not True:
        assert health.ready is health.started
        assert health.alive is health.started
    assert [one.kind for one in health.results] == ["startup", "readiness", "liveness"]


@pytest.mark.parametrize(
    ("before", "turns"),
    [
        (None, True),
        (Health(True, True, True, began=BEGAN), False),
        (Health(True, False, True, began=BEGAN), True),
        (Health(True, None, True, began=BEGAN), True),
        (Health(True, True, True, began=BEGAN - 1), True),
        (Health(True, True, True, (ProbeStatus("readiness", True, 5.0),), BEGAN), False),
    ],
)
def test_only_verdicts_are_news(before: Health | None, turns: bool) -> None:
    assert turned(before, Health(True, True, True, began=BEGAN)) is turns


def test_a_probe_of_a_kind() -> None:
    health = told(watch(READINESS), ("readiness", False)).health
    found = health.of("readiness")
    assert found is not None
    assert found.message == "connection refused"
    assert health.of("liveness") is None
