"""Names and labels by which workloadd knows its own things on a host.

A workload's name never holds an underscore, nor does that of a part of it, so `WORKLOAD_SUFFIX`
names cannot collide between workloads: `a-b` with the volume `c` is `a-b_c`, `a` with the volume
`b-c` is `a_b-c`.
"""

from collections.abc import Iterable, Iterator

from workloadd.spec.attachments import shared_network
from workloadd.spec.names import INFRA_CONTAINER, MAIN_CONTAINER
from workloadd.spec.volumes import shared_volume

LABEL_PREFIX = "io.workloadd."
LABEL_WORKLOAD = LABEL_PREFIX + "workload"
LABEL_CONTAINER = LABEL_PREFIX + "container"
LABEL_REVISION = LABEL_PREFIX + "revision"
LABEL_USER = LABEL_PREFIX + "user"
# What the unit of this container needs to say (JSON of `revision.UnitParams`): a deployment
# describes itself, so the units of a previous one can be written again with no stored state.
LABEL_UNIT = LABEL_PREFIX + "unit"

# What a network or volume is made of: a digest of all that cannot be changed of it later.
LABEL_MADE_OF = LABEL_PREFIX + "made-of"

UNIT_PREFIX = "workload-"
UNIT_SUFFIX = ".service"
# A workload's own unit may have a timer and a socket beside it.
UNIT_SUFFIXES = (UNIT_SUFFIX, ".timer", ".socket")
TARGET = "workloads.target"
SLICE = "workloads.slice"
# Characters of a revision's digest shown to people and used in container names.
SHORT = 12
# The least that people have to write of one.
SHORTEST = 4
# The unit by which a job's timer begins a run, where it does not start the job's own.
TRIGGER = "trigger"
# The unit that stands for the whole workload, among those of its parts.
WHOLE = ""
# Where the only container of a workload runs that starts its next one before it stops this one:
# in one of two units, in turns. The workload's own unit then stands for whichever it is.
SLOTS = ("_a", "_b")


def unit_part(part: str) -> str:
    """Whose unit starts a part: the workload's own for its only container, or a pod's infra."""
    if part in SLOTS:
        return part.removeprefix("_")
    return WHOLE if part in (MAIN_CONTAINER, INFRA_CONTAINER) else part


def made_as(part: str) -> str:
    """The name of a part in its revision, which knows of no slots."""
    return MAIN_CONTAINER if part in SLOTS else part


def unit_name(workload: str, part: str = WHOLE, suffix: str = UNIT_SUFFIX) -> str:
    """A workload's systemd user unit: `workload-NAME.service`, `workload-NAME_PART.service`."""
    behind = unit_part(part)
    return f"{UNIT_PREFIX}{workload}{'_' if behind else ''}{behind}{suffix}"


def parse_unit_name(unit: str) -> tuple[str, str] | None:
    """The workload and the part (`WHOLE` for its own) of a unit, None where it is none of ours."""
    name, dot, suffix = unit.removeprefix(UNIT_PREFIX).rpartition(".")
    if not unit.startswith(UNIT_PREFIX) or f"{dot}{suffix}" not in UNIT_SUFFIXES:
        return None
    workload, _, part = name.partition("_")
    return (workload, part) if workload else None


def workload_of_unit(unit: str) -> str | None:
    """The workload a unit name belongs to, or None where it is not such a name."""
    found = parse_unit_name(unit)
    return found[0] if found else None


def plain_name(workload: str, part: str) -> str:
    """The name of a container that has proved itself and serves."""
    return workload if made_as(part) == MAIN_CONTAINER else f"{workload}_{part}"


def candidate_name(workload: str, part: str, revision: str) -> str:
    """The name of a container that has not proved itself, or no longer serves."""
    return f"{plain_name(workload, part)}_{revision[:SHORT]}"


def pod_name(workload: str, revision: str) -> str:
    """The name of a pod, which Podman cannot change later; `revision` is its infra container's."""
    return f"{workload}_{revision[:SHORT]}"


def names_taken_by(workload: str, parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The names that a deployment needs to serve; `parts` are their names and digests.

    Containers and pods share one space of names.
    """
    for part, digest in parts:
        yield plain_name(workload, part)
        if part == INFRA_CONTAINER:
            yield pod_name(workload, digest)


def volume_name(workload: str, volume: str) -> str:
    """The Podman volume behind a volume that a workload names; a shared one has its file's name."""
    return shared_volume(volume) or f"{workload}_{volume}"


def network_name(workload: str, network: str) -> str:
    """The Podman network behind a network that a workload names, likewise."""
    return shared_network(network) or f"{workload}_{network}"


def secret_name(workload: str, secret: str, digest: str) -> str:
    """The Podman secret with one content of a workload's secret."""
    return f"{workload}_{secret}_{digest[:SHORT]}"
