"""The containers of a pod as plain text. Pure: `now` is a parameter."""

from collections.abc import Sequence
from datetime import datetime

from workloadd.api.words import Column, columns, since
from workloadd.core.status import ContainerStatus, ProbeResult

_CONTAINERS = (
    Column("CONTAINER"),
    Column("STATE"),
    Column("FOR"),
    Column("RESTARTS"),
    Column("IMAGE", 14, end=True),
)

_PROBES = (
    Column("PROBE"),
    Column("ASKS", 12),
    Column("SAYS"),
    Column("AGO"),
    Column("LAST TRY", 20),
)


def containers(found: Sequence[ContainerStatus], now: datetime) -> list[str]:
    """A row for each container; nothing for a workload of one."""
    if not found:
        return []
    return columns(_CONTAINERS, [_row(one, now) for one in found])


def more_images(found: Sequence[ContainerStatus]) -> str:
    """What to say beside the image that stands for a pod."""
    others = len([one for one in found if not one.init]) - 1
    return f" (+{others})" if others > 0 else ""


def probes(found: Sequence[ProbeResult], now: datetime) -> list[str]:
    """A row for each probe; nothing where nobody asks."""
    return columns(_PROBES, [_probe(one, now) for one in found]) if found else []


def _probe(one: ProbeResult, now: datetime) -> tuple[str, ...]:
    said = "well" if one.ok else one.message or one.reason
    if one.failures > 1:
        said += f" ({one.failures} in a row)"
    return (
        f"{one.container} {one.kind}".strip(),
        one.asks,
        {True: "yes", False: "no", None: "-"}[one.verdict],
        since(one.time, now),
        "-" if one.ok is None else said,
    )


def _row(one: ContainerStatus, now: datetime) -> tuple[str, ...]:
    name = f"{one.name} (init)" if one.init else one.name
    state = one.state if one.exit_code is None else f"{one.state} ({one.exit_code})"
    return (
        name,
        state if one.up else f"{state}, {one.unit.active_state}",
        since(one.unit.active_since or one.started, now),
        str(one.unit.restarts),
        one.image,
    )
