"""When probes are tried: at once, more often while something comes up, then spread out."""

from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.probe_times import counts, first_try, next_try, sooner
from workloadd.core.probes import Probe

PROBE = Probe("readiness", tcp=80, interval=10.0)
PHASES = st.floats(0, 0.999)
TIMES = st.floats(0, 2_000_000_000)


def test_the_first_try_waits_for_the_delay() -> None:
    late = Probe("readiness", tcp=80, initial_delay=5)
    assert first_try(late, 100.0, 101.0, 0.5) == 105.0


def test_what_is_there_already_is_asked_soon_but_not_all_at_once() -> None:
    assert [first_try(PROBE, 100.0, 500.0, phase) for phase in (0, 0.5)] == [500.0, 500.5]


@given(TIMES, PHASES, st.floats(0.1, 86400), st.floats(0, 3600))
def test_every_container_has_its_moment_in_each_interval(
    tried: float, phase: float, interval: float, took: float
) -> None:
    probe = Probe("readiness", tcp=80, interval=interval)
    now = tried + took
    at = next_try(probe, tried, now, phase)
    assert now < at <= max(tried + interval / 2, now + interval / 10) + interval * 1.001 + 1e-3
    assert abs((at / interval - phase) - round(at / interval - phase)) < 1e-4


def test_what_comes_up_is_asked_more_often_and_its_failures_do_not_count() -> None:
    now, tries = 100.0, []
    while not counts(PROBE, 100.0, now):
        tries.append(now)
        now = sooner(PROBE, 100.0, now)
    assert now == 110.0
    assert len(tries) < 15
    assert tries[1] - tries[0] < 0.2
