"""Keeping up what workloads share, and clearing away what nothing refers to any more.

Pure, as the planning of workloads is. What a workload needs is also made when its containers are
created; here it is made because its file is there, or made again because somebody removed it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from workloadd.core.desired import Desired, Shared
from workloadd.core.given import live_name
from workloadd.core.needs import network_problem
from workloadd.core.objects import NO_OBJECTS, NeededNetwork, NeededVolume, Objects, made_of
from workloadd.core.observed import NO_FILES, Observed, StoredFiles
from workloadd.spec.network import NetworkSpec
from workloadd.spec.volume import VolumeSpec

Fates = Mapping[str, str]
"""What becomes of a shared object when its file goes, where that is not as by default; by
`KIND:NAME`. It outlives the file, and so is kept by the daemon."""

_DEFAULTS = {"network": "delete", "volume": "retain"}


@dataclass(frozen=True, slots=True)
class EnsureNetwork:
    """Make a network that is missing, or anew where it differs and nothing uses it."""

    needed: NeededNetwork

    def __str__(self) -> str:
        return f"make the network {self.needed.name}"


@dataclass(frozen=True, slots=True)
class EnsureVolume:
    """Make a volume that is missing."""

    needed: NeededVolume

    def __str__(self) -> str:
        return f"make the volume {self.needed.name}"


@dataclass(frozen=True, slots=True)
class DropNetwork:
    """Remove a network of ours that nothing declares and nothing uses."""

    name: str

    def __str__(self) -> str:
        return f"remove the network {self.name}"


@dataclass(frozen=True, slots=True)
class DropVolume:
    """Remove a shared volume whose file is gone, as the file had said."""

    name: str

    def __str__(self) -> str:
        return f"remove the volume {self.name}"


@dataclass(frozen=True, slots=True)
class DropSecrets:
    """Remove secrets of ours that no container refers to."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"remove the secrets {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class DropFiles:
    """Remove kept files that no container refers to."""

    stored: frozenset[str]
    live: frozenset[str]

    def __str__(self) -> str:
        return f"remove {len(self.stored) + len(self.live)} files that nothing uses"


@dataclass(frozen=True, slots=True)
class KeepFates:
    """Remember what becomes of shared objects when their files go."""

    fates: Fates

    def __str__(self) -> str:
        return "remember what becomes of what is shared"


Upkeep = (
    EnsureNetwork | EnsureVolume | DropNetwork | DropVolume | DropSecrets | DropFiles | KeepFates
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What there is to keep up, and who refers to it.

    `secrets`, `stored` and `live` are what containers refer to; `deployed` are the workloads that
    have containers.
    """

    objects: Objects = NO_OBJECTS
    files: StoredFiles = NO_FILES
    fates: Fates = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    stored: frozenset[str] = frozenset()
    live: frozenset[str] = frozenset()
    deployed: frozenset[str] = frozenset()


def kept_of(observed: Observed) -> Kept:
    """What one look at the host found."""
    containers = [c for seen in observed.workloads.values() for c in seen.containers]
    params = [c.params for c in containers if c.params]
    return Kept(
        objects=observed.objects,
        files=observed.files,
        fates=observed.fates,
        secrets=frozenset(name for p in params for name in p.secrets),
        stored=frozenset(name for p in params for name in p.files),
        live=frozenset(live_name(c.workload, c.container, c.revision) for c in containers),
        deployed=frozenset(name for name, seen in observed.workloads.items() if seen.containers),
    )


def plan_upkeep(desired: Desired, kept: Kept, active: Collection[str]) -> tuple[Upkeep, ...]:
    """What to do now for what is shared, and about litter.

    `active` are the workloads for which something is being done: of these a container may be about
    to be made. Nothing is removed while a directory of workload files is out of sight.
    """
    actions: list[Upkeep] = []
    fates = fates_of(desired, kept)
    if fates != kept.fates:
        actions.append(KeepFates(fates))
    actions += _missing(desired, kept, active)
    if not desired.unreadable and not desired.unsure:
        actions += _gone(desired, kept, fates, active)
        actions += _unreferenced(kept, active)
    return tuple(actions)


def fates_of(desired: Desired, kept: Kept) -> dict[str, str]:
    """The fates to remember: those of the files, and of what is there and has none any more."""
    said: dict[str, str] = {}
    for kind, shared, there in (
        ("network", desired.networks, kept.objects.networks),
        ("volume", desired.volumes, kept.objects.volumes),
    ):
        for name, one in shared.items():
            if one.spec is not None and one.spec.reclaim != _DEFAULTS[kind]:
                said[f"{kind}:{name}"] = one.spec.reclaim
        for key, fate in kept.fates.items():
            of, _, name = key.partition(":")
            valid = name in shared and shared[name].spec is not None
            if of == kind and not valid and name in there:
                said[key] = fate
    return said


def _missing(desired: Desired, kept: Kept, active: Collection[str]) -> Iterator[Upkeep]:
    objects = kept.objects
    for name, shared in sorted(desired.networks.items()):
        if isinstance(shared.spec, NetworkSpec):
            yield from _network(NeededNetwork(name, "", shared.spec), objects)
    for name, shared in sorted(desired.volumes.items()):
        if isinstance(shared.spec, VolumeSpec) and name not in objects.volumes:
            yield EnsureVolume(NeededVolume(name, "", shared.spec))
    for workload in sorted(kept.deployed & desired.workloads.keys() - set(active)):
        # What has no container yet gets its networks with it.
        declared = desired.workloads[workload]
        if declared.spec and declared.spec.enabled:
            for network in declared.needs.networks:
                if network.owner and network.name not in objects.networks:
                    yield EnsureNetwork(network)


def _network(needed: NeededNetwork, objects: Objects) -> Iterator[Upkeep]:
    found = objects.networks.get(needed.name)
    as_it_is = found is not None and found.made_of == made_of(needed.spec)
    if not as_it_is and not network_problem(needed, found, objects):
        yield EnsureNetwork(needed)


def _gone(desired: Desired, kept: Kept, fates: Fates, active: Collection[str]) -> Iterator[Upkeep]:
    """What is ours and no file declares any more, as far as nothing uses it."""
    objects = kept.objects
    for name, network in sorted(objects.networks.items()):
        unused = not objects.users.get(name)
        if network.workload is None or not unused:
            continue
        if network.workload == "":
            if _declared(name, desired.networks, desired) or fates.get(f"network:{name}"):
                continue
        elif network.workload in active or not _own_is_gone(name, network.workload, desired, kept):
            continue
        yield DropNetwork(name)
    for name, volume in sorted(objects.volumes.items()):
        deletes = fates.get(f"volume:{name}") == "delete"
        if volume.workload == "" and deletes and not _declared(name, desired.volumes, desired):
            yield DropVolume(name)


def _declared(name: str, shared: Mapping[str, Shared], desired: Desired) -> bool:
    """Whether a file declares it, or one that cannot be read may."""
    return name in shared or name in desired.workloads


def _own_is_gone(name: str, workload: str, desired: Desired, kept: Kept) -> bool:
    """Whether a workload's own network is one that it does not ask for any more."""
    declared = desired.workloads.get(workload)
    if declared is None:
        return workload not in kept.deployed
    if declared.spec is None or declared.problems:
        return False
    return name not in {needed.name for needed in declared.needs.networks}


def _unreferenced(kept: Kept, active: Collection[str]) -> Iterator[Upkeep]:
    unused = kept.objects.secrets - kept.secrets
    if idle := tuple(sorted(name for name in unused if _owner(name) not in active)):
        yield DropSecrets(idle)
    # What is kept by content may be wanted by anybody.
    stored = frozenset() if active else kept.files.stored - kept.stored
    live = frozenset(n for n in kept.files.live.keys() - kept.live if _owner(n) not in active)
    if stored or live:
        yield DropFiles(stored, live)


def _owner(name: str) -> str:
    """The workload in `WORKLOAD_NAME_DIGEST`: no workload's name has an underscore."""
    return name.partition("_")[0]
