"""Advice on what containers of a pod wait for."""

from __future__ import annotations

from collections.abc import Iterator

from workloadd.spec.advice.rule import WorkloadView
from workloadd.spec.dependencies import never_ends
from workloadd.spec.model import PodSpec
from workloadd.spec.problems import Problem


def never_completed(view: WorkloadView) -> Iterator[Problem]:
    """Between workloads the same is told where all files are known."""
    containers = view.spec.containers if isinstance(view.spec, PodSpec) else {}
    for name, container in containers.items():
        for need, one in container.depends_on.items():
            if one.condition == "completed" and containers[need].restart.policy == "always":
                path = ("containers", name, "depends_on", need)
                yield never_ends(need, path, "write restart: on-failure")
