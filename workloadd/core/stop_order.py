"""What stops first where several workloads are to stop: what was started after the others."""

from collections.abc import Mapping

from workloadd.core.observed import Observed, Seen
from workloadd.core.revision import Need, UnitParams
from workloadd.core.world import World


def dependents(name: str, observed: Observed) -> tuple[str, ...]:
    """The workloads whose current deployment runs and waits for this one when it starts."""
    found = []
    for other, seen in observed.workloads.items():
        # A unit that stops outlives its container, which it has to clear away.
        stopping = any(unit.active_state == "deactivating" for unit in seen.units.values())
        there = [c.params for c in seen.containers if c.params and (c.running or stopping)]
        if other != name and any(
            need.name == name for params in there for need in _over_workloads(params)
        ):
            found.append(other)
    return tuple(sorted(found))


def _over_workloads(params: UnitParams) -> tuple[Need, ...]:
    return params.depends_on if params.role in ("main", "infra") else ()


def stops_after(name: str, world: World) -> str:
    """A workload that is to stop before this one does, as it was started after it; else empty.

    Only where this one is to stop; and only those count that are to stop as well, and that this one
    does not itself wait for.
    """
    if not _is_going(name, world):
        return ""
    needs = _observed_needs(world.observed)
    for other in dependents(name, world.observed):
        if _is_going(other, world) and other not in _reach(name, needs):
            return other
    return ""


def _is_going(name: str, world: World) -> bool:
    """Whether what runs is about to be stopped: by its file, by hand, or for a reboot."""
    seen, desired = world.observed.workloads.get(name, Seen()), world.desired
    declared, memory = desired.workloads.get(name), world.memory
    if seen.unit.masked or (seen.file and seen.file.problem):
        return False
    if declared and memory.hand(name, "stop"):
        return True
    if memory.hand(name, "pause"):
        return False
    if declared is None:
        record = seen.file.record if seen.file else None
        return not desired.unreadable and not (record and record.source in desired.unsure)
    off = declared.spec is not None and not declared.spec.enabled
    return off or memory.lock.drains


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
