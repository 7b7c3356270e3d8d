"""The probes in the status: what each container is asked, and how that went last."""

from collections.abc import Iterator

from workloadd.core.deployment import DeployedPart
from workloadd.core.health import ProbeStatus
from workloadd.core.names import made_as
from workloadd.core.readiness import Healths, health_of
from workloadd.core.status import ProbeResult, moment
from workloadd.core.view import View
from workloadd.spec.names import MAIN_CONTAINER


def probe_results(view: View) -> tuple[ProbeResult, ...]:
    """The probes of all containers of the current deployment that run."""
    parts = view.current.parts if view.current else ()
    return tuple(one for part in parts for one in _of_part(part, view.memory.health))


def _of_part(part: DeployedPart, healths: Healths) -> Iterator[ProbeResult]:
    container = part.container
    if container is None or container.params is None or not container.running:
        return
    health, name = health_of(container, healths), made_as(part.name)
    for probe in container.params.probes:
        status = health.of(probe.kind) or ProbeStatus(probe.kind)
        yield ProbeResult(
            container="" if name == MAIN_CONTAINER else name,
            kind=probe.kind,
            asks=probe.asks,
            ok=status.ok,
            verdict=status.verdict,
            time=moment(status.at),
            reason=status.reason,
            message=status.message,
            failures=status.failures,
        )
