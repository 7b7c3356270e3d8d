"""Alive and ready: the two questions of `/healthz` and `/readyz`. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from workloadd.api.words import duration
from workloadd.core.status import Status, WorkloadStatus

# Seconds without progress after which the loop counts as stuck: more than a look at the host that
# runs into its time limit, and less than systemd's watchdog waits.
SILENCE_LIMIT = 50.0
# Not serving is what these are meant to do.
_EXCUSED = frozenset({"Paused", "Stopped", "Disabled", "Removing"})


@dataclass(frozen=True, slots=True)
class Unready:
    """What is not ready, and why. `workload` is empty for the daemon itself."""

    workload: str
    why: str

    def __str__(self) -> str:
        return f"{self.workload}: {self.why}" if self.workload else self.why


def silence_problem(silence: float) -> str:
    """Why the loop is not alive after `silence` seconds without progress; empty if it is."""
    if silence <= SILENCE_LIMIT:
        return ""
    return f"the loop has made no progress for {duration(silence)}"


def unready(status: Status, grace: float, now: float) -> tuple[Unready, ...]:
    """Everything that is not ready; a workload gets `grace` seconds to become so."""
    if status.passes.count == 0:
        problem = status.passes.problem
        return (Unready("", f"the first pass is not done yet{f': {problem}' if problem else ''}"),)
    return tuple(_unready(status, grace, now))


def _unready(status: Status, grace: float, now: float) -> Iterator[Unready]:
    since = status.passes.failing_since
    if since and now - since.timestamp() > grace:
        yield Unready("", status.passes.problem)
    for workload in status.workloads:
        if workload.state not in _EXCUSED and _overdue(workload, grace, now):
            ready = workload.condition("Ready")
            yield Unready(workload.name, workload.message or (ready.message if ready else ""))


def _overdue(workload: WorkloadStatus, grace: float, now: float) -> bool:
    ready = workload.condition("Ready")
    if ready is None or ready.status == "True":
        return False
    return now - ready.since.timestamp() > grace
