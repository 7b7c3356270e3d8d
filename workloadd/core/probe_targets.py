"""Which containers are probed, and what is known of each that a probe needs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from workloadd.core.observed import Container, Observed
from workloadd.core.probes import Probe
from workloadd.core.revision import UnitParams
from workloadd.spec.ports import Port, parse_port

# Where to connect to what listens on all addresses.
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only
Published = Mapping[int, tuple[str, int]]
"""By TCP port of a container: the address and the port of the host that lead there."""


@dataclass(frozen=True, slots=True)
class Target:
    """One run of a container: a process of it, and when it began (seconds since the epoch)."""

    workload: str
    container: str
    id: str
    pid: int
    began: float
    probes: tuple[Probe, ...] = ()
    published: Published = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What it is called in the log."""
        return f"{self.workload}: {self.container}"


def targets(observed: Observed) -> tuple[Target, ...]:
    """What there is to probe: every container of ours that runs and says how."""
    return tuple(
        Target(
            one.workload,
            one.container,
            one.id,
            one.pid,
            one.started_at,
            one.params.probes,
            published(_ports(one, seen.containers)),
        )
        for seen in observed.workloads.values()
        for one in seen.containers
        if one.state == "running" and one.pid and one.params and one.params.probes
    )


def published(ports: Iterable[Port]) -> Published:
    """Where each TCP port of a container is to be found on the host."""
    return {
        port.container_port: (_LOOPBACK.get(port.host_ip, port.host_ip), port.host_port)
        for port in ports
        if port.protocol == "tcp"
    }


def _ports(container: Container, beside: Iterable[Container]) -> Iterator[Port]:
    """What is published of it; of a pod by its infra container."""
    pod = [one for one in beside if one.pod and one.pod == container.pod]
    for one in pod or [container]:
        for text in (one.params or UnitParams()).ports:
            yield from parse_port(text)
