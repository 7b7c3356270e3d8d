"""`/v1/resources` and `/v1/workloads/NAME/resources`: what workloads use of the host."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from aiohttp import web

from workloadd.api.documents import Document
from workloadd.api.models import (
    ContainerUse,
    Resources,
    Series,
    Use,
    UseDetails,
    WorkloadResources,
    WorkloadUse,
)
from workloadd.core.names import unit_name
from workloadd.core.status import WorkloadStatus, moment
from workloadd.core.usage import COUNTERS, Meter, rates
from workloadd.core.usage_details import Details
from workloadd.slices import in_slices


class UsageView(Protocol):
    """What answering needs of what workloads use."""

    interval: float

    @property
    def meters(self) -> Mapping[str, Meter]: ...

    async def details(self, workload: str) -> Details: ...


class UsageApi:
    """The handlers; `find` gives the workload that a request names, or refuses."""

    def __init__(self, usage: UsageView, find: Callable[[web.Request], WorkloadStatus]) -> None:
        self._usage = usage
        self._find = find
        # The newest document of all, and what it was made of.
        self._told: tuple[Mapping[str, Meter] | None, Document] = (None, Document(b""))

    async def all(self, request: web.Request) -> web.Response:
        """`/v1/resources`: the newest of each workload that runs."""
        meters, document = self._usage.meters, self._told[1]
        if meters is not self._told[0]:
            document = await self._all(meters)
            self._told = (meters, document)
        return document.unless_known(request)

    async def _all(self, meters: Mapping[str, Meter]) -> Document:
        uses = (WorkloadUse(workload=name, **use(meter)) for name, meter in sorted(meters.items()))
        found = await in_slices(uses)
        return Document.of(Resources(interval=self._usage.interval, workloads=tuple(found)))

    async def one(self, request: web.Request) -> web.Response:
        """`/v1/workloads/NAME/resources`: the newest, its containers', and the last minutes."""
        workload = self._find(request)
        meter = self._usage.meters.get(workload.name, Meter())
        answer = WorkloadResources(
            workload=workload.name,
            interval=self._usage.interval,
            now=Use(**use(meter)),
            details=_details(await self._usage.details(workload.name)),
            containers=tuple(_containers(workload, meter)),
            series=_series(meter),
        )
        return Document.of(answer).unless_known(request)


def use(meter: Meter) -> dict[str, object]:
    """What a meter shows, as fields of `Use`."""
    total = meter.total
    return {
        "at": moment(total.at),
        "cpu": _rounded(meter.rate("cpu"), 4),
        "cpu_seconds": _rounded(total.cpu, 6),
        "memory": total.memory,
        "memory_limit": total.limit,
        "memory_helpers": total.helpers,
        "pids": total.pids,
        "read": _rounded(meter.rate("read"), 1),
        "read_bytes": total.read,
        "written": _rounded(meter.rate("written"), 1),
        "written_bytes": total.written,
        "received": _rounded(meter.rate("received"), 1),
        "received_bytes": total.received,
        "sent": _rounded(meter.rate("sent"), 1),
        "sent_bytes": total.sent,
        "loopback": _rounded(meter.rate("loopback"), 1),
        "loopback_bytes": total.loopback,
    }


def _details(found: Details) -> UseDetails:
    return UseDetails(
        cpu_user_seconds=found.user,
        cpu_system_seconds=found.system,
        cpu_throttled_seconds=found.throttled,
        memory_peak=found.peak,
        memory_anon=found.anon,
        memory_file=found.file,
        reads=found.reads,
        writes=found.writes,
        pressure_cpu=found.pressure_cpu,
        pressure_memory=found.pressure_memory,
        pressure_io=found.pressure_io,
    )


def _containers(workload: WorkloadStatus, meter: Meter) -> Iterable[ContainerUse]:
    for container in workload.containers:
        unit = unit_name(workload.name, container.name)
        group = meter.group(unit)
        yield ContainerUse(
            name=container.name,
            cpu=_rounded(meter.share(unit), 4),
            cpu_seconds=_rounded(group.cpu, 6),
            memory=group.memory,
            memory_limit=group.limit,
            pids=group.pids,
        )


def _series(meter: Meter) -> Series:
    """One value for each moment; a rate is that of the time since the one before."""
    found = meter.series
    grown = {
        name: tuple(_rounded(x, 4) for x in rates(found["at"], found[name])) for name in COUNTERS
    }
    memory = tuple(None if x is None else int(x) for x in found["memory"])
    at = tuple(round(x or 0.0, 3) for x in found["at"])
    return Series(at=at, memory=memory, **grown)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
