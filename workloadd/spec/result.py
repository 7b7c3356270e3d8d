"""What came of loading one workload file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workloadd.spec.errors import SpecError
from workloadd.spec.kinds import Spec
from workloadd.spec.ports import HostPort
from workloadd.spec.positions import Positions
from workloadd.spec.problems import Path


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Either a spec or at least one error; warnings with both.  Errors are sorted by position.

    ``host_paths`` says which entry of the file each port or socket of the host comes from.
    """

    spec: Spec | None
    errors: tuple[SpecError, ...]
    warnings: tuple[SpecError, ...]
    positions: Positions
    host_paths: Mapping[HostPort, Path] = field(default_factory=dict, repr=False)
