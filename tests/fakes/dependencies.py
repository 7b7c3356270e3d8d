"""Units of the fake systemd that depend on each other: pulled in, waited for, stopped along."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.manager import FakeUnit, Job, Manager

_DOWN = ("inactive", "failed")
_NEEDS = ("Requires", "BindsTo")


def named(unit: "FakeUnit", *keys: str) -> list[str]:
    """The workloads' units that some keys of a unit name."""
    return [n for n in unit.file.words(*keys) if n.startswith("workload-")]


def kept(manager: "Manager", wanted: set[str]) -> set[str]:
    """The units that stay loaded: what is up or busy, what a target wants, and what those name."""
    found: set[str] = set()
    queue = [u.name for u in manager.units.values() if u.active_state != "inactive" or u.job]
    queue += wanted
    while queue:
        name = queue.pop()
        if name in manager.units and name not in found:
            found.add(name)
            queue += named(manager.units[name], "Wants", "After", "Service", *_NEEDS)
    return found


async def pull_in(manager: "Manager", unit: "FakeUnit", job: "Job") -> bool:
    """Start what a unit needs or wants and wait for what comes before it; False where a need is
    not met."""
    from tests.fakes.manager import ManagerError

    for name in named(unit, "Wants", *_NEEDS):
        with suppress(ManagerError):
            if manager.load(name).active_state in _DOWN:
                manager.dispatch("start", name)
    await _wait(manager, named(unit, "After"), job)
    needs = (manager.units.get(name) for name in named(unit, *_NEEDS))
    return all(one is not None and one.active_state == "active" for one in needs)


async def stop_dependents(manager: "Manager", unit: "FakeUnit", job: "Job") -> list[str]:
    """Stop what needs a unit, before it; returns what that was."""
    dependents = _dependents(manager, unit, *_NEEDS)
    for name in dependents:
        manager.dispatch("stop", name)
    await _wait(manager, dependents, job)
    return dependents


def gone_down(manager: "Manager", unit: "FakeUnit") -> None:
    """A unit ended by itself: what is bound to it is stopped."""
    for name in _dependents(manager, unit, "BindsTo"):
        manager.dispatch("stop", name)


def _dependents(manager: "Manager", unit: "FakeUnit", *keys: str) -> list[str]:
    return [
        other.name
        for other in manager.units.values()
        if unit.name in other.file.words(*keys) and (other.job or other.active_state not in _DOWN)
    ]


async def _wait(manager: "Manager", names: list[str], job: "Job") -> None:
    """Wait until none of some units has a job, or this job is canceled."""
    while not job.done.is_set():
        units = (manager.units.get(name) for name in names)
        busy = [unit.job.done for unit in units if unit and unit.job]
        if not busy:
            return
        waits = [asyncio.create_task(event.wait()) for event in (job.done, busy[0])]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
