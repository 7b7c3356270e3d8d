"""Which directory entries decide what a path leads to, and so have to be watched."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from workloadd.core.names import workload_of_unit
from workloadd.sources.scan import is_workload_file

# As the kernel's own bound for one path (path_resolution(7)).
_MAX_LINKS = 40

# Stand for many entries of a directory: its workload files, its workloads' units. No entry is
# ever named so. A plan is as short for a thousand of them as for one.
_WORKLOAD_FILES, _UNITS = "", "/"

# Directories to watch, and the entries in each that matter.
Plan = Mapping[Path, frozenset[str]]


def trail(path: Path) -> tuple[list[tuple[Path, str]], Path | None]:
    """The look-ups that resolving `path` takes, and where it leads, None for nowhere.

    Each is (directory, entry), the directory free of links. When none of these entries changes,
    the path goes on leading to the same place. It ends at the first entry that is missing.
    """
    todo = list(reversed(path.parts[1:]))
    lookups: list[tuple[Path, str]] = []
    here, links = Path("/"), 0
    while todo:
        name = todo.pop()
        if name == "..":
            here = here.parent
            continue
        lookups.append((here, name))
        entry = here / name
        try:
            mode = entry.lstat().st_mode
            target = entry.readlink() if stat.S_ISLNK(mode) else None
        except OSError:
            return lookups, None
        if target is None:
            here = entry
            continue
        links += 1
        if links > _MAX_LINKS:
            return lookups, None
        if target.is_absolute():
            here = Path("/")
        todo += [part for part in reversed(target.parts) if part != "/"]
    return lookups, here


def make_plan(
    roots: Iterable[Path], extra: Iterable[Path], unit_directories: Iterable[Path] = ()
) -> Plan:
    """What to watch for `roots` (their workload files, and where links among them lead), for the
    files `extra`, and for the units of workloads in `unit_directories`. Blocks."""
    entries: dict[Path, set[str]] = {}
    paths = list(extra)
    for root in roots:
        leads_to = _follow(root, entries)
        if leads_to is not None:
            entries.setdefault(leads_to, set()).add(_WORKLOAD_FILES)
            paths += _links(leads_to)
    for directory in unit_directories:
        leads_to = _follow(directory, entries)
        if leads_to is not None:
            entries.setdefault(leads_to, set()).add(_UNITS)
    for path in paths:
        _follow(path, entries)
    return {directory: frozenset(names) for directory, names in entries.items()}


def _follow(path: Path, entries: dict[Path, set[str]]) -> Path | None:
    lookups, leads_to = trail(path)
    for directory, name in lookups:
        entries.setdefault(directory, set()).add(name)
    return leads_to


def _links(root: Path) -> list[Path]:
    try:
        with os.scandir(root) as entries:
            return [
                root / entry.name
                for entry in entries
                if is_workload_file(entry.name) and entry.is_symlink()
            ]
    except OSError:
        return []


def concerns(names: frozenset[str], name: str) -> bool:
    """Whether a change of the entry `name` matters to a directory watched for `names`."""
    return leads_on(names, name) or (_UNITS in names and workload_of_unit(name) is not None)


def leads_on(names: frozenset[str], name: str) -> bool:
    """Whether a change of the entry `name` may also change what has to be watched."""
    return name in names or (_WORKLOAD_FILES in names and is_workload_file(name))
