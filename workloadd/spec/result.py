"""What came of loading one workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workloadd.spec.errors import SpecError
from workloadd.spec.kinds import SERVICE, Spec
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.ports import HostPort
from workloadd.spec.positions import Positions
from workloadd.spec.problems import Path


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A spec, or at least one error, or why the workload is not for this host (``elsewhere``).

    Warnings come with a spec.  Errors are sorted by position.  ``host_paths`` says which entry of
    the file each port or socket of the host comes from, ``files`` which files made it up,
    ``kind`` what it is meant to declare, as far as that can be told.
    """

    spec: Spec | None
    errors: tuple[SpecError, ...]
    warnings: tuple[SpecError, ...]
    positions: Positions
    host_paths: Mapping[HostPort, Path] = field(default_factory=dict, repr=False)
    files: tuple[str, ...] = ()
    elsewhere: str = ""
    kind: str = SERVICE

    @property
    def workload(self) -> WorkloadSpec | None:
        """The spec, where it is that of a workload."""
        return self.spec if isinstance(self.spec, WorkloadSpec) else None
