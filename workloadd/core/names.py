"""Names and labels by which workloadd knows its own things on a host.

A workload's name never holds an underscore, so `WORKLOAD_SUFFIX` names cannot collide between
workloads: `a-b` with the volume `c` is `a-b_c`, `a` with the volume `b-c` is `a_b-c`.
"""

from workloadd.spec.attachments import shared_network
from workloadd.spec.volumes import shared_volume

LABEL_PREFIX = "io.workloadd."
LABEL_WORKLOAD = LABEL_PREFIX + "workload"
LABEL_CONTAINER = LABEL_PREFIX + "container"
LABEL_REVISION = LABEL_PREFIX + "revision"
LABEL_USER = LABEL_PREFIX + "user"
# What the unit of this container needs to say (JSON of `revision.UnitParams`): a deployment
# describes itself, so the unit of a previous one can be written again with no stored state.
LABEL_UNIT = LABEL_PREFIX + "unit"

# What a network or volume is made of: a digest of all that cannot be changed of it later.
LABEL_MADE_OF = LABEL_PREFIX + "made-of"

UNIT_PREFIX = "workload-"
UNIT_SUFFIX = ".service"
TARGET = "workloads.target"
SLICE = "workloads.slice"
# Characters of a revision's digest shown to people and used in container names.
SHORT = 12


def unit_name(workload: str) -> str:
    """The systemd user unit of a workload: `workload-NAME.service`."""
    return f"{UNIT_PREFIX}{workload}{UNIT_SUFFIX}"


def workload_of_unit(unit: str) -> str | None:
    """The workload a unit name belongs to, or None where it is not such a name."""
    if unit.startswith(UNIT_PREFIX) and unit.endswith(UNIT_SUFFIX):
        return unit[len(UNIT_PREFIX) : -len(UNIT_SUFFIX)] or None
    return None


def candidate_name(workload: str, revision: str) -> str:
    """The name of a container that has not proved itself, or no longer serves."""
    return f"{workload}_{revision[:SHORT]}"


def volume_name(workload: str, volume: str) -> str:
    """The Podman volume behind a volume that a workload names; a shared one has its file's name."""
    return shared_volume(volume) or f"{workload}_{volume}"


def network_name(workload: str, network: str) -> str:
    """The Podman network behind a network that a workload names, likewise."""
    return shared_network(network) or f"{workload}_{network}"


def secret_name(workload: str, secret: str, digest: str) -> str:
    """The Podman secret with one content of a workload's secret."""
    return f"{workload}_{secret}_{digest[:SHORT]}"
