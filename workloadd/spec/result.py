"""What came of loading one workload file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workloadd.spec.errors import SpecError
from workloadd.spec.kinds import Spec
from workloadd.spec.ports import Port
from workloadd.spec.positions import Positions
from workloadd.spec.problems import Path


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Either a spec or at least one error; warnings with both.  Errors are sorted by position.

    ``port_paths`` says which entry of the file each port of the spec comes from.
    """

    spec: Spec | None
    errors: tuple[SpecError, ...]
    warnings: tuple[SpecError, ...]
    positions: Positions
    port_paths: Mapping[Port, Path] = field(default_factory=dict, repr=False)
