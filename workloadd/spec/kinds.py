"""Which model a workload file's content is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from workloadd.spec.model import ServiceSpec
from workloadd.spec.translate import validated

Spec: TypeAlias = ServiceSpec
"""What a document of a workload file can come to."""


def spec_of(content: Mapping[str, object]) -> Spec:
    """The spec that ``content`` declares.

    Raises :class:`~workloadd.spec.problems.ProblemsError` with everything that is wrong with it.
    """
    return validated(ServiceSpec, content)
