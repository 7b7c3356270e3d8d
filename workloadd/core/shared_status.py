"""From one pass's knowledge to the status of what workloads share."""

from collections.abc import Iterator, Mapping

from workloadd.core.desired import Desired, Shared
from workloadd.core.errors import Problem
from workloadd.core.needs import network_problem, volume_problem
from workloadd.core.objects import NeededNetwork, NeededVolume
from workloadd.core.observed import Observed
from workloadd.core.status import FileError, SharedState, SharedStatus
from workloadd.core.upkeep import DropNetwork, DropVolume, EnsureNetwork, EnsureVolume
from workloadd.spec.network import NetworkSpec
from workloadd.spec.volume import VolumeSpec

_STATES: Mapping[str, SharedState] = {
    "NetworkDiffers": "Differs",
    "VolumeDiffers": "Differs",
    "NetworkTaken": "Taken",
    "VolumeTaken": "Taken",
}


def assess_networks(
    desired: Desired, observed: Observed, failures: Mapping[str, Problem]
) -> tuple[SharedStatus, ...]:
    """The status of each shared network; `failures` are those of steps, by what they are about."""
    objects = observed.objects
    found: list[SharedStatus] = []
    for shared in desired.networks.values():
        problem, there = None, objects.networks.get(shared.name)
        if isinstance(shared.spec, NetworkSpec):
            needed = NeededNetwork(shared.name, "", shared.spec)
            failed = failures.get(str(EnsureNetwork(needed)))
            problem = network_problem(needed, there, objects) or failed
        users = objects.users.get(shared.name, ())
        found.append(_status(shared, problem, there is not None, users))
    for name, network in objects.networks.items():
        if network.workload == "" and name not in desired.networks:
            problem = failures.get(str(DropNetwork(name)))
            found.append(_leftover(name, "network", problem, objects.users.get(name, ())))
    return tuple(sorted(found, key=lambda one: one.name))


def assess_volumes(
    desired: Desired, observed: Observed, failures: Mapping[str, Problem]
) -> tuple[SharedStatus, ...]:
    """The status of each shared volume, likewise; it is used by the workloads that name it."""
    objects = observed.objects
    users: dict[str, list[str]] = {}
    for name, declared in desired.workloads.items():
        for needed in declared.needs.volumes:
            users.setdefault(needed.name, []).append(name)
    found: list[SharedStatus] = []
    for shared in desired.volumes.values():
        problem, there = None, objects.volumes.get(shared.name)
        if isinstance(shared.spec, VolumeSpec):
            volume = NeededVolume(shared.name, "", shared.spec)
            problem = volume_problem(volume, there) or failures.get(str(EnsureVolume(volume)))
        of = tuple(sorted(users.get(shared.name, ())))
        found.append(_status(shared, problem, there is not None, of))
    for name, one in objects.volumes.items():
        if one.workload == "" and name not in desired.volumes:
            problem = failures.get(str(DropVolume(name)))
            found.append(_leftover(name, "volume", problem, ()))
    return tuple(sorted(found, key=lambda one: one.name))


def _status(
    shared: Shared, problem: Problem | None, there: bool, users: tuple[str, ...]
) -> SharedStatus:
    state: SharedState = "Ready" if there else "Making"
    if shared.spec is None:
        state = "Invalid"
    elif problem:
        state = _STATES.get(problem.reason, "Failed")
    return SharedStatus(
        name=shared.name,
        state=state,
        message=str(problem) if problem else "",
        source=shared.path,
        description=shared.spec.description if shared.spec else "",
        used_by=users,
        errors=tuple(_errors(shared)),
    )


def _leftover(
    name: str, kind: str, problem: Problem | None, users: tuple[str, ...]
) -> SharedStatus:
    said = f"no file declares it any more; podman {kind} rm {name} removes it"
    message = str(problem) if problem else said
    return SharedStatus(name=name, state="Leftover", message=message, used_by=users)


def _errors(shared: Shared) -> Iterator[FileError]:
    for e in shared.errors:
        yield FileError(
            file=e.file, line=e.line, column=e.column, reason=e.reason, message=e.message,
            text=e.text, hint=e.hint,
        )  # fmt: skip
