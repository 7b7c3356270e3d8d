"""The networks and volumes that a workload needs, and what keeps it from having them."""

from collections.abc import Iterator, Mapping

from workloadd.core.desired import Shared
from workloadd.core.errors import Problem
from workloadd.core.names import network_name, volume_name
from workloadd.core.objects import (
    NeededNetwork,
    NeededVolume,
    Needs,
    Network,
    Objects,
    Volume,
    made_of,
)
from workloadd.spec.attachments import shared_network
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.network import NetworkSpec
from workloadd.spec.volume import VolumeSpec
from workloadd.spec.volumes import NamedVolume, shared_volume


def needs_of(
    workload: str,
    spec: WorkloadSpec,
    networks: Mapping[str, Shared],
    volumes: Mapping[str, Shared],
) -> tuple[Needs, tuple[Problem, ...]]:
    """What a workload needs, `networks` and `volumes` being the shared ones that are declared."""
    problems: list[Problem] = []
    needed_networks: list[NeededNetwork] = []
    for name, attachment in spec.networks.items():
        shared = shared_network(name)
        if shared is None:
            needed_networks.append(
                NeededNetwork(network_name(workload, name), workload, attachment)
            )
        elif isinstance(found := _spec_of("network", shared, networks), NetworkSpec):
            needed_networks.append(NeededNetwork(shared, "", found))
        elif isinstance(found, Problem):
            problems.append(found)
    needed_volumes: dict[str, NeededVolume] = {}
    for volume in _volumes(spec):
        shared = shared_volume(volume.source)
        name = volume_name(workload, volume.source)
        if shared is None:
            needed_volumes[name] = NeededVolume(name, workload, volume)
        elif isinstance(found := _spec_of("volume", shared, volumes), VolumeSpec):
            needed_volumes[name] = NeededVolume(name, "", found)
        elif isinstance(found, Problem):
            problems.append(found)
    needs = Needs(tuple(needed_networks), tuple(needed_volumes.values()))
    return needs, tuple(dict.fromkeys(problems))


def _volumes(spec: WorkloadSpec) -> Iterator[NamedVolume]:
    for container in spec.containers_by_name.values():
        for volume in container.volumes:
            if isinstance(volume, NamedVolume):
                yield volume


def _spec_of(
    kind: str, name: str, declared: Mapping[str, Shared]
) -> NetworkSpec | VolumeSpec | Problem:
    """What a shared object is, or what the workload waits for."""
    reason = kind.capitalize()
    shared = declared.get(name)
    if shared is None:
        said = f"waits for the {kind} {name}: no file declares it"
        hint = f"write {name}.yaml with kind: {kind}"
        return Problem(f"{reason}Missing", said, hint)
    if shared.spec is None:
        said = f"waits for the {kind} {name}: {shared.path} is invalid"
        return Problem(f"{reason}Invalid", said, "put it right; its status says what is wrong")
    return shared.spec


def obstacle(needs: Needs, objects: Objects) -> Problem | None:
    """Why a workload cannot have what it needs, if anything is in the way."""
    for network in needs.networks:
        if problem := network_problem(network, objects.networks.get(network.name), objects):
            return problem
    for volume in needs.volumes:
        if problem := volume_problem(volume, objects.volumes.get(volume.name)):
            return problem
    return None


def network_problem(
    needed: NeededNetwork, found: Network | None, objects: Objects
) -> Problem | None:
    """Why the network that is there is not the one to have; one that nothing uses is replaced."""
    if found is None:
        return None
    if found.workload != needed.owner:
        return network_taken(needed.name)
    users = objects.users.get(needed.name, ())
    if found.made_of == made_of(needed.spec) or not users:
        return None
    return network_differs(needed.name, users)


def network_taken(name: str) -> Problem:
    """A network of that name is somebody else's."""
    said = f"cannot use the network {name}: there is one of that name that is not workloadd's"
    return Problem("NetworkTaken", said, f"choose another name, or podman network rm {name}")


def network_differs(name: str, users: tuple[str, ...]) -> Problem:
    """A network that is in use is not what the file says any more."""
    said = (
        f"cannot change the network {name} to what its file says: "
        f"{', '.join(users) or 'a container'} uses it"
    )
    hint = f"podman network rm --force {name}: it and these containers are then made anew"
    return Problem("NetworkDiffers", said, hint)


def volume_problem(needed: NeededVolume, found: Volume | None) -> Problem | None:
    """Why the volume that is there is not the one to have. None is deleted for that.

    A volume that somebody made beforehand under the name of a workload's own one is taken as it
    is: so data gets into it.
    """
    if found is None or (found.workload is None and needed.owner):
        return None
    if found.workload != needed.owner:
        return volume_taken(needed.name)
    return None if found.made_of == made_of(needed.spec) else volume_differs(needed.name)


def volume_taken(name: str) -> Problem:
    """A volume of that name is somebody else's."""
    said = f"cannot use the volume {name}: there is one of that name that is not workloadd's"
    return Problem("VolumeTaken", said, "choose another name")


def volume_differs(name: str) -> Problem:
    """A volume is not what the file says any more."""
    said = f"cannot change the volume {name} to what its file says: it was made otherwise"
    hint = (
        "put the options back, or move its content (podman volume export, podman volume rm, "
        "podman volume import)"
    )
    return Problem("VolumeDiffers", said, hint)
