"""What is looked up of a workload only when somebody asks: it costs more than it tells. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

_MOST = ("pressure_cpu", "pressure_memory", "pressure_io")


@dataclass(frozen=True, slots=True)
class Details:
    """Of one control group, or of all of a workload; None where its controller is not there.

    Times are seconds and, as the counts, go back to the start of the unit or the container. What
    was `throttled` wanted more processor time than `cpus` allows. Pressure is the share of the last
    ten seconds in which some process had to wait for it.
    """

    user: float | None = None
    system: float | None = None
    throttled: float | None = None
    peak: int | None = None
    anon: int | None = None
    file: int | None = None
    reads: int | None = None
    writes: int | None = None
    pressure_cpu: float | None = None
    pressure_memory: float | None = None
    pressure_io: float | None = None


def together(found: Iterable[Details]) -> Details:
    """All of a workload: the sums, and of pressure the most."""
    all_ = list(found)
    values: dict[str, float] = {}
    for field in fields(Details):
        known = [value for one in all_ if (value := getattr(one, field.name)) is not None]
        if known:
            values[field.name] = max(known) if field.name in _MOST else sum(known)
    return Details(**values)  # type: ignore[arg-type]
