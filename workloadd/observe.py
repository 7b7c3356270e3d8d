"""One look at the host: systemd's units, Podman's containers and images, our unit files."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from workloadd.core.errors import Problem
from workloadd.core.given import live_name
from workloadd.core.names import UNIT_SUFFIX, WHOLE, parse_unit_name, unit_name, workload_of_unit
from workloadd.core.objects import Objects
from workloadd.core.observed import (
    Container,
    Observed,
    Seen,
    StoredFiles,
    UnitFile,
    UnitRecord,
    UnitState,
)
from workloadd.core.revision import Image, UnitParams
from workloadd.core.socket_units import SOCKET_SUFFIX
from workloadd.endings import Endings, RunsView
from workloadd.host.cgroups import delegated_controllers
from workloadd.host.podman import ContainerList, PodmanInfo
from workloadd.host.units import UnitDirectory, UnitsOnDisk
from workloadd.idleness import Idleness
from workloadd.render.record import parse_record
from workloadd.render.unit import render_units
from workloadd.slices import in_slices


class PodmanView(Protocol):
    """What observing needs of Podman."""

    async def containers(self) -> ContainerList: ...

    async def info(self) -> PodmanInfo: ...

    async def images(self, references: Collection[str]) -> dict[str, Image]: ...

    @property
    def runs(self) -> RunsView: ...


class KeeperView(Protocol):
    """What observing needs of what there is besides containers."""

    async def look(self, *, needed: bool) -> tuple[Objects, StoredFiles, Mapping[str, str]]: ...


class SystemdView(Protocol):
    """What observing needs of systemd."""

    async def units(self, refresh: Collection[str] = ()) -> dict[str, UnitState]: ...

    async def manager_started_at(self) -> float: ...


class Observer:
    """Looks at the host. Images and Podman's version are kept until `forget` is called."""

    def __init__(
        self,
        podman: PodmanView,
        systemd: SystemdView,
        units: UnitDirectory,
        keeper: KeeperView,
        controllers: Callable[[], frozenset[str] | None] = delegated_controllers,
        idleness: Idleness | None = None,
        unjoinable: Callable[[], Problem | None] = lambda: None,
    ) -> None:
        self._unjoinable = unjoinable
        self._podman = podman
        self._endings = Endings(podman.runs)
        self._systemd = systemd
        self._units = units
        self._keeper = keeper
        self._controllers = controllers
        self._idleness = idleness
        self._images: dict[str, Image] = {}
        self._version = ""

    def forget(self) -> None:
        """Look at images anew next time: one was pulled, tagged or removed, or it is time to."""
        # Another dict: a look that is on goes on by what it began with.
        self._images = {}
        self._version = ""

    async def _images_of(self, references: Collection[str]) -> dict[str, Image]:
        images = self._images
        images.update(await self._podman.images([r for r in references if r not in images]))
        return {r: images[r] for r in references if r in images}

    async def _podman_version(self) -> str:
        if not self._version:
            self._version = (await self._podman.info()).version
        return self._version

    async def observe(
        self, declared: Collection[str], references: Collection[str], *, objects: bool = True
    ) -> Observed:
        """The world as it is now.

        `declared` are the names of the declared workloads (only for these, and for what has our
        mark, does a unit matter), `references` the images they name, `objects` whether any of them
        needs a network, a volume or a secret. systemd is asked first: a
        unit that was active before its container was seen stopped has crashed in between, never
        the other way round.

        Raises:
            Transient: systemd or Podman could not be asked.
        """
        states = await self._systemd.units()
        started_at = await self._systemd.manager_started_at()
        containers = await self._podman.containers()
        serving = {container.image_id for container in containers.ours}
        images = await self._images_of({*references, *serving})
        found, kept, fates = await self._keeper.look(needed=objects)
        files, controllers = await asyncio.to_thread(
            lambda: (self._units.read(), self._controllers())
        )
        by_workload: dict[str, list[Container]] = {}
        for container in await self._endings.mark(containers.ours):
            name = live_name(container.workload, container.container, container.revision)
            if name in kept.live:
                container = replace(container, live=kept.live[name])
            by_workload.setdefault(container.workload, []).append(container)
        units, sockets = _by_workload(states), _listening(states)
        timers = {workload_of_unit(u): s for u, s in states.items() if u.endswith(".timer")}
        foreign = _foreign(containers.foreign_names)
        looks = (
            (
                name,
                _see(
                    name,
                    tuple(by_workload.get(name, ())),
                    files.get(name),
                    units.get(name, {}),
                    foreign.get(name, frozenset()),
                    timers.get(name, UnitState()),
                    sockets.get(name, {}),
                ),
            )
            for name in _names(declared, by_workload, files)
        )
        seen = dict(await in_slices(looks))
        if self._idleness:
            for name, since in (await asyncio.to_thread(self._idleness.look, seen)).items():
                seen[name] = replace(seen[name], idle_since=since)
        return Observed(
            seen,
            images,
            started_at,
            controllers,
            await self._podman_version(),
            replace(found, users=containers.in_networks),
            kept,
            fates,
            unjoinable=self._unjoinable(),
        )


def _by_workload(states: Mapping[str, UnitState]) -> dict[str, dict[str, UnitState]]:
    """The states of services by workload and part."""
    found: dict[str, dict[str, UnitState]] = {}
    for unit, state in states.items():
        if unit.endswith(UNIT_SUFFIX) and (parsed := parse_unit_name(unit)):
            found.setdefault(parsed[0], {})[parsed[1]] = state
    return found


def _foreign(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Names by the workload that may want them: that has no underscore in its own."""
    found: dict[str, set[str]] = {}
    for name in names:
        found.setdefault(name.partition("_")[0], set()).add(name)
    return {workload: frozenset(taken) for workload, taken in found.items()}


def _listening(states: Mapping[str, UnitState]) -> dict[str, dict[str, UnitState]]:
    """The states of the units that listen, by workload and unit."""
    found: dict[str, dict[str, UnitState]] = {}
    for unit, state in states.items():
        workload = workload_of_unit(unit)
        if workload and unit.endswith(SOCKET_SUFFIX):
            found.setdefault(workload, {})[unit] = state
    return found


def _names(
    declared: Collection[str],
    containers: Mapping[str, object],
    files: Mapping[str, UnitsOnDisk],
) -> set[str]:
    """Workloads to look at: a unit that merely has such a name, but no mark of ours, is not one."""
    names = set(declared) | set(containers)
    return names | {name for name, found in files.items() if _has_record(name, found)}


def _has_record(name: str, on_disk: UnitsOnDisk) -> bool:
    own = on_disk.units.get(unit_name(name))
    return own is not None and own.text is not None and _record(own.text) is not None


def _see(
    name: str,
    containers: tuple[Container, ...],
    on_disk: UnitsOnDisk | None,
    units: dict[str, UnitState],
    foreign: frozenset[str],
    timer: UnitState,
    sockets: dict[str, UnitState],
) -> Seen:
    seen = Seen(containers, None, units, foreign, timer, sockets)
    if on_disk is None:
        return seen
    if any(unit.masked for unit in on_disk.units.values()):
        own = replace(units.get(WHOLE, UnitState()), load_state="masked")
        return replace(seen, units={**units, WHOLE: own})
    return replace(seen, file=_unit_file(name, containers, on_disk))


def _unit_file(
    name: str, containers: tuple[Container, ...], on_disk: UnitsOnDisk
) -> UnitFile | None:
    own = on_disk.units.get(unit_name(name))
    if own is None:
        return None
    if foreign := next((u.foreign for u in on_disk.units.values() if u.foreign), ""):
        return _conflict(name, on_disk, foreign)
    record = _record(own.text or "")
    if record is None or record.workload != name:
        where = own.overriding or unit_name(name)
        return _conflict(name, on_disk, f"the header of {where} is not ours, or was edited")
    by_id = {c.id: c for c in containers}
    there = {part: by_id.get(container) for part, container in record.running}
    params = tuple((part, c.params or UnitParams()) for part, c in there.items() if c)
    # Units whose containers are gone cannot be compared, and are about to be replaced anyway.
    same = None in there.values() or _is_rendered(_texts(on_disk), record, params)
    overridden = any(unit.overriding for unit in on_disk.units.values())
    return UnitFile(record, same and not overridden, on_disk.enabled)


def _conflict(name: str, on_disk: UnitsOnDisk, why: str) -> UnitFile:
    hint = f"remove it or rename it, then workloadd writes {unit_name(name)} itself"
    problem = Problem("UnitConflict", f"cannot write the unit: {why}", hint)
    return UnitFile(None, intact=False, enabled=on_disk.enabled, problem=problem)


def _texts(on_disk: UnitsOnDisk) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, unit.text or "") for name, unit in on_disk.units.items()))


# Units hardly ever change between two passes: their text is parsed and rendered once.
@lru_cache(maxsize=2048)
def _record(text: str) -> UnitRecord | None:
    return parse_record(text)


@lru_cache(maxsize=2048)
def _is_rendered(
    texts: tuple[tuple[str, str], ...],
    record: UnitRecord,
    params: tuple[tuple[str, UnitParams], ...],
) -> bool:
    return texts == tuple(sorted(render_units(record, dict(params)).items()))
