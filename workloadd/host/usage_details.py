"""What control groups say of workloads beyond what is looked at all the time (cgroup v2)."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workloadd.core.names import SLICE
from workloadd.core.usage import Target
from workloadd.core.usage_details import Details, together
from workloadd.host.cgroups import manager_group
from workloadd.host.usage import attempt, numbers, payload_of

_SOME = re.compile(r"^some avg10=(\d{1,3}\.\d+) ", re.ASCII | re.MULTILINE)


def details(target: Target, group: Path | None = None) -> Details:
    """What is known of a workload just now; `group` is the user manager's. Blocks."""
    with suppress(OSError):
        return together(_all(target, (group or manager_group()) / SLICE))
    return Details()


def _all(target: Target, directory: Path) -> Iterator[Details]:
    for unit in target.units:
        yield _unit(directory / unit)
    for process in target.processes:
        yield _container(payload_of(directory / process.unit, process.container))


def _unit(directory: Path) -> Details:
    used = numbers(attempt(directory / "cpu.stat"))
    text = attempt(directory / "io.stat")
    return Details(
        user=_seconds(used.get("user_usec")),
        system=_seconds(used.get("system_usec")),
        reads=_operations(text, "rios"),
        writes=_operations(text, "wios"),
        pressure_cpu=_pressure(directory / "cpu.pressure"),
        pressure_memory=_pressure(directory / "memory.pressure"),
        pressure_io=_pressure(directory / "io.pressure"),
    )


def _container(directory: Path) -> Details:
    """Of what limits are set on, and count."""
    memory = numbers(attempt(directory / "memory.stat"))
    peak = (attempt(directory / "memory.peak") or "").strip()
    return Details(
        throttled=_seconds(numbers(attempt(directory / "cpu.stat")).get("throttled_usec")),
        peak=int(peak) if peak.isdecimal() else None,
        anon=memory.get("anon"),
        file=memory.get("file"),
    )


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1_000_000


def _operations(text: str | None, kind: str) -> int | None:
    """How often, of all devices."""
    if text is None:
        return None
    return sum(int(count) for count in re.findall(rf"\b{kind}=(\d{{1,19}})", text, re.ASCII))


def _pressure(path: Path) -> float | None:
    found = _SOME.search(attempt(path) or "")
    return float(found[1]) / 100 if found else None
