"""What workloads of several files wait for of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workloadd.spec.container import ContainerSpec
from workloadd.spec.cycles import cycles, shown
from workloadd.spec.dependencies import never_ends
from workloadd.spec.errors import SpecError
from workloadd.spec.job import JobSpec
from workloadd.spec.problems import Path, Problem
from workloadd.spec.result import LoadResult


def cyclic_workloads(loaded: Mapping[str, LoadResult]) -> dict[str, tuple[SpecError, ...]]:
    """Errors by workload for those that wait for themselves over other ones."""
    needs = {
        name: tuple(result.workload.depends_on)
        for name, result in loaded.items()
        if result.workload and result.workload.enabled
    }
    return {name: (_cycle(loaded[name], way),) for name, way in cycles(needs).items()}


def _cycle(result: LoadResult, way: Sequence[str]) -> SpecError:
    if len(way) == 2:
        why, hint = "it waits for itself", "leave its own name out"
    else:
        why = f"it waits for itself: {shown(way)}"
        hint = "take one of them out of another one's depends_on"
    problem = Problem("DependencyCycle", why, hint, _place(result, way[1]), at_key=True)
    return result.positions.error(problem)


def vain_waits(loaded: Mapping[str, LoadResult]) -> dict[str, tuple[SpecError, ...]]:
    """Warnings by workload for what it waits for that never comes about."""
    return {name: found for name in loaded if (found := tuple(_vain(name, loaded)))}


def _vain(name: str, loaded: Mapping[str, LoadResult]) -> Iterator[SpecError]:
    result = loaded[name]
    for need, one in (result.workload.depends_on if result.workload else {}).items():
        other = loaded[need].workload if need in loaded else None
        if one.condition != "completed" or other is None or isinstance(other, JobSpec):
            continue
        if any(_lasts(container) for container in other.containers_by_name.values()):
            problem = never_ends(need, _place(result, need), "write kind: job")
            yield result.positions.warning(problem)


def _lasts(container: ContainerSpec) -> bool:
    return container.restart.policy == "always" and not getattr(container, "init", False)


def _place(result: LoadResult, need: str) -> Path:
    """Where a file names what it waits for: a key of a mapping, or an entry of a list."""
    node = result.positions.root.child("depends_on")
    written = node.value if node else None
    if isinstance(written, list) and need in written:
        return ("depends_on", written.index(need))
    return ("depends_on", need)
