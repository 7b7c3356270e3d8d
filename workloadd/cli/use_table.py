"""What workloads use, as rows for a terminal. Pure: it is made of what the API answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workloadd.api.words import Column, columns

Use = Mapping[str, Any]
_HEADS = (
    Column("NAME", 12),
    Column("CPU%"),
    Column("MEMORY"),
    Column("LIMIT"),
    Column("NET IN/s"),
    Column("OUT/s"),
    Column("READ/s"),
    Column("WRITE/s"),
    Column("PIDS"),
)
_UNITS = "BKMGTPE"
_UNKNOWN = "-"
_ORDERS: Mapping[str, Callable[[Use], float | None]] = {
    "cpu": lambda use: use["cpu"],
    "memory": lambda use: use["memory"],
    "network": lambda use: _both(use["received"], use["sent"]),
    "io": lambda use: _both(use["read"], use["written"]),
    "pids": lambda use: use["pids"],
}
ORDERS = (*_ORDERS, "name")
"""What workloads can be sorted by."""


def table(uses: Sequence[Use], width: int) -> list[str]:
    """A row for each; what is not known is a dash."""
    return columns(_HEADS, map(_row, uses), width)


def ordered(uses: Sequence[Use], by: str) -> list[Use]:
    """Those that use most first, of the same by their names; what is not known last."""
    named = sorted(uses, key=lambda use: use["workload"])
    if by == "name":
        return named
    get = _ORDERS[by]
    return sorted(named, key=lambda use: -1.0 if (value := get(use)) is None else value,
                  reverse=True)  # fmt: skip


def together(uses: Sequence[Use], interval: float) -> str:
    """One line about all of them."""
    if not interval:
        return "nobody looks at what workloads use: [usage] interval is 0"
    if not uses:
        return "no workload runs, or none was looked at yet"
    memory = [use["memory"] for use in uses if use["memory"] is not None]
    cpu = [use["cpu"] for use in uses if use["cpu"] is not None]
    said = [
        f"{percent(sum(cpu))} % of a processor" if cpu else "",
        f"{size(sum(memory))} of memory" if memory else "",
    ]
    known = " and ".join(filter(None, said)) or "nothing that is known yet"
    count = f"{len(uses)} workload{' uses' if len(uses) == 1 else 's use'}"
    return f"{count} {known}; looked at every {interval:g} s"


def parts(one: Use) -> Iterator[Use]:
    """A workload, and below it the containers of its pod."""
    yield {"workload": one["workload"], **one["now"]}
    for part in one["containers"]:
        yield {**dict.fromkeys(one["now"]), **part, "workload": f"└ {part['name']}"}


def size(count: float) -> str:
    """Bytes in at most five characters: `999B`, `1.5K`, `123M`."""
    power = 0
    while round(count, 1 if power else None) >= 1000 and power < len(_UNITS) - 1:
        count, power = count / 1024, power + 1
    exact = power and round(count, 1) < 10
    return f"{count:.1f}{_UNITS[power]}" if exact else f"{count:.0f}{_UNITS[power]}"


def percent(processors: float) -> str:
    """Processors in percent of one."""
    return f"{processors * 100:.1f}"


def _row(use: Use) -> tuple[str, ...]:
    sizes = (use[key] for key in ("memory", "memory_limit", "received", "sent", "read", "written"))
    cpu = _UNKNOWN if use["cpu"] is None else percent(use["cpu"])
    pids = _UNKNOWN if use["pids"] is None else str(use["pids"])
    return (use["workload"], cpu, *(_UNKNOWN if s is None else size(s) for s in sizes), pids)


def _both(one: float | None, other: float | None) -> float | None:
    return None if one is None and other is None else (one or 0.0) + (other or 0.0)
