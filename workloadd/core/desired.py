"""What the workload files ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workloadd.core.errors import Problem
from workloadd.core.objects import NO_NEEDS, Needs
from workloadd.core.revision import Inputs
from workloadd.spec.errors import SpecError
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.network import NetworkSpec
from workloadd.spec.volume import VolumeSpec


@dataclass(frozen=True, slots=True)
class Declared:
    """One workload as its file declares it.

    `spec` is None where the file is invalid: then `errors` says why and the last good deployment
    stays. Relative paths in `spec` are resolved against the file's directory already.
    `problems` are about files it refers to (an `env_file` that cannot be read): they keep a new
    revision from being made, as an error in the file itself does. `inputs` is what those files
    hold, by container. `files` are those that made it up, `path` and the drop-ins over it;
    `shadows` are the files of the same name in weaker roots.
    """

    name: str
    path: str
    spec: WorkloadSpec | None = None
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[SpecError, ...] = ()
    problems: tuple[Problem, ...] = ()
    inputs: Mapping[str, Inputs] = field(repr=False, default_factory=dict)
    shadows: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    needs: Needs = NO_NEEDS


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A workload that is not for this host, as its `when` says; `reason` is what does not match."""

    name: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shared:
    """A network or volume that a file of its own declares; `spec` is None where it is invalid."""

    name: str
    path: str
    kind: str
    spec: NetworkSpec | VolumeSpec | None = None
    errors: tuple[SpecError, ...] = ()
    shadows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desired:
    """All workloads declared, by name, and what they share (`networks`, `volumes`). A masked one
    (a link to /dev/null) is not in it.

    `unreadable` names roots that could not be read just now: while there is one, a workload that
    is missing here may only be out of sight, so none is removed. `unsure` are files of which not
    even the names of their workloads are known: none that came from one of them is removed.
    `problems` are about what belongs to no workload.
    """

    workloads: Mapping[str, Declared] = field(default_factory=dict)
    unreadable: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    unsure: frozenset[str] = frozenset()
    networks: Mapping[str, Shared] = field(default_factory=dict)
    volumes: Mapping[str, Shared] = field(default_factory=dict)
