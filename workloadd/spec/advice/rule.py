"""What a rule is, and what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from workloadd.spec.container import ContainerSpec
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.nodes import Node
from workloadd.spec.problems import Path, Problem
from workloadd.spec.scope import Limits

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class ContainerView:
    """One container, and the part of the document that says it."""

    spec: ContainerSpec
    node: Node
    limits: Limits

    def written(self, key: str) -> object:
        """The value of a key as it was written: entries in the order that they have there."""
        node = self.node.child(key)
        return node.value if node else None


@dataclass(frozen=True, slots=True)
class WorkloadView:
    """What the containers of a workload share, and the document that says it."""

    spec: WorkloadSpec
    node: Node
    limits: Limits
    host_paths: Mapping[tuple[str, int, str], Path] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rule(Generic[View]):
    """``reason`` is that of all its warnings, ``about`` says when it speaks up."""

    reason: str
    about: str
    check: Callable[[View], Iterator[Problem]]
