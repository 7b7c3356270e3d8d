"""What stops first where several workloads are to stop: what was started after the others."""

from collections.abc import Mapping

from workloadd.core.desired import Desired
from workloadd.core.observed import Observed, Seen
from workloadd.core.revision import Need, UnitParams


def dependents(name: str, observed: Observed) -> tuple[str, ...]:
    """The workloads whose current deployment runs and waits for this one when it starts."""
    found = []
    for other, seen in observed.workloads.items():
        running = [c for c in seen.containers if c.running and c.params]
        if other != name and any(
            need.name == name for c in running if c.params for need in _over_workloads(c.params)
        ):
            found.append(other)
    return tuple(sorted(found))


def _over_workloads(params: UnitParams) -> tuple[Need, ...]:
    return params.depends_on if params.role in ("main", "infra") else ()


def stops_after(name: str, desired: Desired, observed: Observed) -> str:
    """A workload that is to stop before this one does, as it was started after it; else empty.

    Only those count that are to stop as well, and that this one does not itself wait for.
    """
    needs = _observed_needs(observed)
    for other in dependents(name, observed):
        if _is_going(other, desired, observed) and other not in _reach(name, needs):
            return other
    return ""


def _is_going(name: str, desired: Desired, observed: Observed) -> bool:
    """Whether a workload that runs is about to be stopped."""
    seen, declared = observed.workloads.get(name, Seen()), desired.workloads.get(name)
    if seen.unit.masked or (seen.file and seen.file.problem):
        return False
    if declared is None:
        record = seen.file.record if seen.file else None
        return not desired.unreadable and not (record and record.source in desired.unsure)
    return declared.spec is not None and not declared.spec.enabled


def _observed_needs(observed: Observed) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(
            need.name
            for container in seen.containers
            if container.running and container.params
            for need in _over_workloads(container.params)
        )
        for name, seen in observed.workloads.items()
    }


def _reach(start: str, needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Everything that something waits for, over others as well."""
    reached: set[str] = set()
    edge = [start]
    while edge:
        for name in needs.get(edge.pop(), ()):
            if name not in reached:
                reached.add(name)
                edge.append(name)
    return reached
