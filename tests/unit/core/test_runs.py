"""How a run ended, from what Podman and systemd tell of it."""

from dataclasses import replace

import pytest

from workloadd.core.observed import Container
from workloadd.core.runs import Circumstances, Ending, Run, outcome_of, run_of

BOOT = 1_000.0


@pytest.mark.parametrize(
    ("ending", "around", "outcome"),
    [
        (Ending(1100, 1103, 0), Circumstances(), "succeeded"),
        (Ending(1100, 1103, 3), Circumstances(), "failed"),
        (Ending(1100, 1103, 137), Circumstances(), "failed"),
        (Ending(1100, 1103, 143, stopped=True), Circumstances(), "interrupted"),
        (Ending(1100, 1103, 137, stopped=True), Circumstances(), "interrupted"),
        # It ended well just as it was asked to.
        (Ending(1100, 1103, 0, stopped=True), Circumstances(), "succeeded"),
        (Ending(1100, 1110.2, 143, stopped=True), Circumstances(timeout=10), "timeout"),
        (Ending(1100, 1110.2, 0, stopped=True), Circumstances(timeout=10), "timeout"),
        (Ending(1100, 1109.9, 1), Circumstances(timeout=10), "failed"),
        # The host went down in order, and forgot that it was Podman that stopped it.
        (Ending(900, 950, 143), Circumstances(boot=BOOT), "interrupted"),
        (Ending(900, 950, 3), Circumstances(boot=BOOT), "failed"),
        (Ending(900, 950, 0), Circumstances(boot=BOOT), "succeeded"),
        # It ended at once, as a coarser clock has it: before it began.
        (Ending(1100.01, 1100.005, 0), Circumstances(), "succeeded"),
        # The power went: exited with code 0, says Podman.
        (Ending(900, 0, 0), Circumstances(boot=BOOT), "interrupted"),
        (Ending(900, 850, 0), Circumstances(boot=BOOT), "interrupted"),
        (Ending(1100, 1103, 143, stopped=True), Circumstances(triggered_at=1101), "replaced"),
        (Ending(1100, 1103, 143, stopped=True), Circumstances(triggered_at=1099), "interrupted"),
    ],
)
def test_how_a_run_ended(ending: Ending, around: Circumstances, outcome: str) -> None:
    assert outcome_of(ending, around) == outcome


def run(started_at: float, attempt: int = 1, revision: str = "r1", container: str = "c1") -> Run:
    return Run(1, "backup", revision, container, "schedule", attempt, started_at)


def test_a_container_s_run_is_that_of_the_same_second() -> None:
    container = Container("c1", "backup", "backup", "_main", "r1", "i", "i:1", "exited")
    started = replace(container, started_at=1100.0)
    runs = [run(1130.5), run(1100.7), run(1100.2, container="c2")]
    assert run_of(runs, started) is runs[1]
    assert run_of(runs[2:], started) is None
