"""Workload files in directories: what the host is asked to run."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes

from workloadd.core.desired import Declared, Desired, Elsewhere, Shared
from workloadd.core.needs import needs_of
from workloadd.host.calendar import Calendars
from workloadd.sources.facts import Facts
from workloadd.sources.files import shown
from workloadd.sources.given import Sources, paths_of
from workloadd.sources.loader import Loaded, Loader, Workload
from workloadd.sources.scan import Found, scan
from workloadd.sources.secrets import SecretPlaces, Secrets
from workloadd.spec.errors import SpecError
from workloadd.spec.job import JobSpec
from workloadd.spec.load import LoadResult, duplicate_host_ports
from workloadd.spec.network import NetworkSpec
from workloadd.spec.ports import HostPort
from workloadd.spec.problems import Problem as SpecProblem
from workloadd.spec.text import quote
from workloadd.spec.volume import VolumeSpec
from workloadd.spec.waiting import cyclic_workloads, vain_waits

_SHARED = ("network", "volume")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A workload under the name that it is known by, and the file that declares it."""

    workload: Workload
    found: Found


class Directories:
    """Loads workload files from `roots`, the weakest first; `~/` in a file is below `home`.

    Blocks, so it is called in a thread (one at a time); what has not changed is not read again.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        home: Path | None = None,
        facts: Facts | None = None,
        secrets: Secrets | None = None,
        calendars: Calendars | None = None,
    ) -> None:
        self._roots = tuple(roots)
        self._home = home or Path.home()
        self._facts = facts or Facts()
        self._calendars = calendars or Calendars()
        self._loader = Loader(lambda written, directory: self.resolve(written, directory))
        # Without a key that is kept, digests of secrets are compared with none of another time.
        passing = token_bytes(32)
        places = SecretPlaces.of_this_process()
        self._sources = Sources(secrets or Secrets(places, lambda: passing))
        self._paths: frozenset[str] = frozenset()

    def load(
        self,
        holders: Mapping[HostPort, str] | None = None,
        running: Mapping[str, str] | None = None,
    ) -> Desired:
        """Everything declared now; `holders` are the host ports of the current deployments, and
        `running` says from which file each workload that runs came."""
        scanned = scan(self._roots)
        scope, problems = self._facts.load()
        read = [self._loader.load(shown(n), found, scope) for n, found in scanned.found.items()]
        # What vanished between the listing and the reading was never there.
        files = [loaded for loaded in read if loaded]
        placed = _placed(self._in_order(files, running or {}))
        results = {name: one.workload.result for name, one in placed.items()}
        refused = _together(duplicate_host_ports(results, holders), cyclic_workloads(results))
        advice = vain_waits(results)
        networks, volumes = (_shared(placed, kind) for kind in _SHARED)
        workloads = {
            name: _having(
                self._declare(name, one, refused.get(name, ()), advice.get(name, ())),
                networks,
                volumes,
            )
            for name, one in placed.items()
            if one.workload.result.kind not in _SHARED
        }
        self._paths = frozenset(_paths(one.workload for one in placed.values()))
        self._loader.sweep()
        self._sources.sweep()
        return Desired(
            workloads,
            scanned.unreadable,
            (*scanned.problems, *problems),
            tuple(_elsewhere(files)),
            frozenset(_unsure(files)),
            networks,
            volumes,
        )

    def known_as(self, path: Path) -> str:
        """What a file is called in the status, and by the unit that came from it."""
        return shown(path)

    def _in_order(
        self, files: Iterable[Loaded], running: Mapping[str, str]
    ) -> list[tuple[Workload, Found]]:
        """The workloads for this host, those first that came from where what runs did."""
        found = [
            (one, loaded.found)
            for loaded in files
            for one in loaded.workloads
            if not one.result.elsewhere
        ]

        def is_new(pair: tuple[Workload, Found]) -> bool:
            one, file = pair
            places = map(self.known_as, (file.path, *file.shadows))
            return one.name not in running or running[one.name] not in places

        return sorted(found, key=is_new)

    def resolve(self, written: str, directory: Path) -> str:
        """The absolute path that `written` in a file of `directory` means.

        As Compose does: relative to the file as it is named in its root, links not followed.
        """
        if written == "~" or written.startswith("~/"):
            return os.path.normpath(self._home / written[2:])
        return os.path.normpath(directory / written)

    def _declare(
        self,
        name: str,
        one: _Placed,
        clashes: tuple[SpecError, ...],
        advice: tuple[SpecError, ...],
    ) -> Declared:
        result = one.workload.result
        errors = (*result.errors, *clashes, *self._schedule_errors(result))
        spec = None if errors else one.workload.spec
        containers = spec.containers_by_name if spec else {}
        read = {part: self._sources.read(container) for part, container in containers.items()}
        return Declared(
            name=name,
            path=shown(one.found.path),
            spec=spec,
            errors=errors,
            warnings=(*result.warnings, *advice),
            problems=tuple(problem for _, problems in read.values() for problem in problems),
            inputs={part: inputs for part, (inputs, _) in read.items()},
            shadows=tuple(shown(path) for path in one.found.shadows),
            files=result.files,
        )

    def _schedule_errors(self, result: LoadResult) -> Iterator[SpecError]:
        """What systemd refuses of a job's schedule: above all time zones that do not exist."""
        spec = result.spec
        for index, expression in enumerate(spec.calendar if isinstance(spec, JobSpec) else ()):
            if said := self._calendars.refusal(expression):
                why = f"systemd refuses {quote(expression)}: {said}"
                hint = "timedatectl list-timezones lists the time zones; see systemd.time(7)"
                problem = SpecProblem("BadSchedule", why, hint, ("schedule", index))
                yield result.positions.error(problem)

    @property
    def read_paths(self) -> frozenset[Path]:
        """The files and directories that the workloads named at the last load, there or not."""
        return frozenset(map(Path, self._paths))


def _together(*found: Mapping[str, tuple[SpecError, ...]]) -> dict[str, tuple[SpecError, ...]]:
    """What several looks at all workloads refuse, by workload."""
    names = {name for errors in found for name in errors}
    return {n: tuple(e for errors in found for e in errors.get(n, ())) for n in names}


def _shared(placed: Mapping[str, _Placed], kind: str) -> dict[str, Shared]:
    """The networks, or the volumes, that files of their own declare."""
    found: dict[str, Shared] = {}
    for name, one in placed.items():
        result = one.workload.result
        if result.kind == kind:
            found[name] = Shared(
                name=name,
                path=shown(one.found.path),
                kind=kind,
                spec=result.spec if isinstance(result.spec, NetworkSpec | VolumeSpec) else None,
                errors=result.errors,
                shadows=tuple(shown(path) for path in one.found.shadows),
            )
    return found


def _having(
    declared: Declared, networks: Mapping[str, Shared], volumes: Mapping[str, Shared]
) -> Declared:
    """A workload with the networks and volumes that it needs, or what of them it waits for."""
    if declared.spec is None:
        return declared
    needs, problems = needs_of(declared.name, declared.spec, networks, volumes)
    return replace(declared, needs=needs, problems=(*declared.problems, *problems))


def _paths(workloads: Iterable[Workload]) -> Iterator[str]:
    for one in workloads:
        for container in one.spec.containers_by_name.values() if one.spec else ():
            yield from paths_of(container)


def _placed(workloads: Iterable[tuple[Workload, Found]]) -> dict[str, _Placed]:
    """The workloads by name. One name may be declared once: the first has it, and every other one
    is there under a name that nothing can be called by."""
    placed: dict[str, _Placed] = {}
    for one, found in workloads:
        first = placed.get(one.name)
        workload = _second(one, first.workload) if first else one
        name, number = workload.name, 1
        while name in placed:
            number += 1
            name = f"{workload.name}#{number}"
        placed[name] = _Placed(replace(workload, name=name), found)
    return placed


def _second(one: Workload, first: Workload) -> Workload:
    """A workload whose name is taken: it has this one error."""
    positions, named = one.result.positions, first.result.positions
    path = next((p for p in (("name",), ("instances",)) if positions.root.child(p[0])), ())
    line, column = named.at_key(path)
    why = f"the name {one.name} is taken by {named.file_of(path)}:{line}:{column}"
    hint = "give one of them another name; until then that one has it"
    error = positions.error(SpecProblem("DuplicateName", why, hint, path))
    result = LoadResult(None, (error,), (), positions, files=one.result.files)
    return Workload(one.name, result, None)


def _elsewhere(files: Iterable[Loaded]) -> Iterator[Elsewhere]:
    for loaded in files:
        for one in loaded.workloads:
            if one.result.elsewhere:
                yield Elsewhere(one.name, shown(loaded.found.path), one.result.elsewhere)


def _unsure(files: Iterable[Loaded]) -> Iterator[str]:
    for loaded in files:
        if not loaded.complete:
            found = loaded.found
            yield from map(shown, (found.path, *found.rivals, *found.shadows))
