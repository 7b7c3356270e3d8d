"""Workloads of several files that wait for each other in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workloadd.spec.cycles import cycles, shown
from workloadd.spec.errors import SpecError
from workloadd.spec.problems import Problem
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
    return result.positions.error(
        Problem("DependencyCycle", why, hint, ("depends_on",), at_key=True)
    )
