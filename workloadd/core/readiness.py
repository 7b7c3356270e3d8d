"""What the probes of a container say of its current run: what it lacks to be ready, or alive."""

from collections.abc import Mapping
from dataclasses import dataclass

from workloadd.core.health import Health
from workloadd.core.observed import Container
from workloadd.core.probes import KINDS, ProbeKind

Healths = Mapping[str, Health]


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a container is not ready: a word for machines, and the end of a sentence."""

    reason: str
    message: str


def health_of(container: Container, healths: Healths) -> Health:
    """The health of a container's current run; of an earlier one, nothing is known of this."""
    found = healths.get(container.id)
    return found if found and found.began >= container.started_at else Health()


def asked(container: Container) -> tuple[ProbeKind, ...]:
    """The kinds of probes that a running container is asked with."""
    probes = container.params.probes if container.params and container.running else ()
    return tuple(kind for kind in KINDS if any(probe.kind == kind for probe in probes))


def lacks(container: Container, healths: Healths) -> Lack | None:
    """What a running container lacks to be ready; None where it lacks nothing."""
    kinds = asked(container)
    health = health_of(container, healths)
    if health.ready or not {"startup", "readiness"} & set(kinds):
        return None
    startup = "startup" in kinds and not (health.started and "readiness" in kinds)
    kind: ProbeKind = "startup" if startup else "readiness"
    status = health.of(kind)
    because = f": {status.message}" if status and status.message else ""
    if health.ready is None:
        return Lack("Starting", f"its {kind} probe has not succeeded yet{because}")
    return Lack("NotReady", f"its {kind} probe failed{because}")


def illness(container: Container, healths: Healths) -> str:
    """Why a running container is not alive; empty where it is, or there is no word yet."""
    kinds = asked(container)
    health = health_of(container, healths)
    if health.alive is not False or not {"startup", "liveness"} & set(kinds):
        return ""
    kind: ProbeKind = "startup" if health.started is False else "liveness"
    status = health.of(kind)
    return f"its {kind} probe failed" + (f": {status.message}" if status else "")


def ready_since(container: Container, healths: Healths) -> float:
    """Since when a container has been ready by its probes; 0.0 where it has none for that."""
    health = health_of(container, healths)
    return max((one.since for one in health.results if one.kind != "liveness"), default=0.0)
