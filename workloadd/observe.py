"""One look at the host: systemd's units, Podman's containers and images, our unit files."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from workloadd.core.errors import Problem
from workloadd.core.names import unit_name
from workloadd.core.observed import (
    Container,
    Image,
    Observed,
    Seen,
    UnitFile,
    UnitRecord,
    UnitState,
)
from workloadd.core.revision import UnitParams
from workloadd.host.cgroups import delegated_controllers
from workloadd.host.podman import ContainerList
from workloadd.host.units import UnitDirectory, UnitOnDisk
from workloadd.render.unit import parse_record, render_unit


class PodmanView(Protocol):
    """What observing needs of Podman."""

    async def containers(self) -> ContainerList: ...

    async def images(self, references: Collection[str]) -> dict[str, Image]: ...


class SystemdView(Protocol):
    """What observing needs of systemd."""

    async def units(self, refresh: Collection[str] = ()) -> dict[str, UnitState]: ...

    async def manager_started_at(self) -> float: ...


class Observer:
    """Looks at the host. Images alone are kept between two looks, until `forget` is called."""

    def __init__(
        self,
        podman: PodmanView,
        systemd: SystemdView,
        units: UnitDirectory,
        controllers: Callable[[], frozenset[str] | None] = delegated_controllers,
    ) -> None:
        self._podman = podman
        self._systemd = systemd
        self._units = units
        self._controllers = controllers
        self._images: dict[str, Image] = {}

    def forget(self) -> None:
        """Look at images anew next time: one was pulled, tagged or removed, or it is time to."""
        self._images.clear()

    async def _images_of(self, references: Collection[str]) -> dict[str, Image]:
        images = self._images
        images.update(await self._podman.images([r for r in references if r not in images]))
        return {r: images[r] for r in references if r in images}

    async def observe(self, declared: Collection[str], references: Collection[str]) -> Observed:
        """The world as it is now.

        `declared` are the names of the declared workloads (only for these, and for what has our
        mark, does a unit matter), `references` the images they name. systemd is asked first: a
        unit that was active before its container was seen stopped has crashed in between, never
        the other way round.

        Raises:
            Transient: systemd or Podman could not be asked.
        """
        states = await self._systemd.units()
        started_at = await self._systemd.manager_started_at()
        containers = await self._podman.containers()
        images = await self._images_of(references)
        files, controllers = await asyncio.to_thread(
            lambda: (self._units.read(), self._controllers())
        )
        by_workload: dict[str, list[Container]] = {}
        for container in containers.ours:
            by_workload.setdefault(container.workload, []).append(container)
        seen = {
            name: _see(
                name,
                tuple(by_workload.get(name, ())),
                files.get(name),
                states.get(unit_name(name), UnitState()),
                name in containers.foreign_names,
            )
            for name in _names(declared, by_workload, files)
        }
        return Observed(seen, images, started_at, controllers)


def _names(
    declared: Collection[str],
    containers: Mapping[str, object],
    files: Mapping[str, UnitOnDisk],
) -> set[str]:
    """Workloads to look at: a unit that merely has such a name, but no mark of ours, is not one."""
    names = set(declared) | set(containers)
    return names | {n for n, f in files.items() if f.text is not None and _record(f.text)}


def _see(
    name: str,
    containers: tuple[Container, ...],
    on_disk: UnitOnDisk | None,
    state: UnitState,
    name_taken: bool,
) -> Seen:
    if on_disk is None:
        return Seen(containers, None, state, name_taken)
    if on_disk.masked:
        return Seen(containers, None, replace(state, load_state="masked"), name_taken)
    return Seen(containers, _unit_file(name, containers, on_disk), state, name_taken)


def _unit_file(name: str, containers: tuple[Container, ...], on_disk: UnitOnDisk) -> UnitFile:
    hint = f"remove it or rename it, then workloadd writes {unit_name(name)} itself"
    if on_disk.text is None:
        problem = Problem("UnitConflict", f"cannot write the unit: {on_disk.foreign}", hint)
        return UnitFile(None, intact=False, enabled=on_disk.enabled, problem=problem)
    record = _record(on_disk.text)
    if record is None or record.workload != name:
        where = on_disk.overriding or unit_name(name)
        message = f"cannot write the unit: the header of {where} is not ours, or was edited"
        problem = Problem("UnitConflict", message, hint)
        return UnitFile(None, intact=False, enabled=on_disk.enabled, problem=problem)
    container = next((c for c in containers if c.id == record.container), None)
    params = (container.params if container else None) or UnitParams()
    # A unit whose container is gone cannot be compared, and is about to be replaced anyway.
    same = container is None or _is_rendered(on_disk.text, record, params)
    intact = same and on_disk.overriding is None
    return UnitFile(record, intact, on_disk.enabled)


# Units hardly ever change between two passes: their text is parsed and rendered once.
@lru_cache(maxsize=2048)
def _record(text: str) -> UnitRecord | None:
    return parse_record(text)


@lru_cache(maxsize=2048)
def _is_rendered(text: str, record: UnitRecord, params: UnitParams) -> bool:
    return text == render_unit(record, params)
