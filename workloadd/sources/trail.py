"""Which directory entries decide what a path leads to, and so have to be watched."""

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from workloadd.core.names import workload_of_unit
from workloadd.sources.facts import is_facts_file
from workloadd.sources.scan import is_dropin_directory, is_workload_file

# As the kernel's own bound for one path (path_resolution(7)).
_MAX_LINKS = 40

# Stand for many entries of a directory: its workload files and directories of drop-ins, its
# workloads' units, its facts, or all there is. No entry is ever named so. A plan is as short for a
# thousand of them as for one.
_WORKLOAD_FILES, _UNITS, _FACTS, _ALL = "", "/", "//", "///"
# Directories below one that is watched with all that is in it, at the most.
_MAX_BELOW = 128

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
    roots: Iterable[Path],
    extra: Iterable[Path],
    unit_directories: Iterable[Path] = (),
    facts: Iterable[Path] = (),
) -> Plan:
    """What to watch for `roots` (their workload files and drop-ins, and where links among them
    lead), for the files and whole directories `extra`, for the units of workloads in
    `unit_directories`, and for the directories `facts`. Blocks."""
    entries: dict[Path, set[str]] = {}
    paths = list(extra)
    watched = [(root, _WORKLOAD_FILES) for root in roots]
    watched += [(directory, _FACTS) for directory in facts]
    for directory, mark in watched:
        leads_to = _follow(directory, entries)
        if leads_to is not None:
            entries.setdefault(leads_to, set()).add(mark)
            links, dropins = _look(leads_to)
            paths += links
            # They are appended to what is being gone through.
            watched += [(inner, mark) for inner in dropins if mark == _WORKLOAD_FILES]
    for directory in unit_directories:
        leads_to = _follow(directory, entries)
        if leads_to is not None:
            entries.setdefault(leads_to, set()).add(_UNITS)
    for path in paths:
        leads_to = _follow(path, entries)
        for directory in _tree(leads_to) if leads_to and leads_to.is_dir() else ():
            entries.setdefault(directory, set()).add(_ALL)
    return {directory: frozenset(names) for directory, names in entries.items()}


def _follow(path: Path, entries: dict[Path, set[str]]) -> Path | None:
    lookups, leads_to = trail(path)
    for directory, name in lookups:
        entries.setdefault(directory, set()).add(name)
    return leads_to


def _tree(top: Path) -> list[Path]:
    """A directory and those below it, no links followed."""
    found = [top]
    for directory in found:
        with suppress(OSError), os.scandir(directory) as entries:
            found += [directory / e.name for e in entries if e.is_dir(follow_symlinks=False)]
        if len(found) > _MAX_BELOW:
            break
    return found[:_MAX_BELOW]


def _look(directory: Path) -> tuple[list[Path], list[Path]]:
    """The links among the files in a directory, and the directories of drop-ins in it."""
    try:
        with os.scandir(directory) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".")]
            links = [e for e in found if e.is_symlink() and _is_file(e.name)]
            dropins = [e for e in found if is_dropin_directory(e.name)]
    except OSError:
        return [], []
    return [directory / e.name for e in links], [directory / e.name for e in dropins]


def _is_file(name: str) -> bool:
    return is_workload_file(name) or is_facts_file(name)


def concerns(names: frozenset[str], name: str) -> bool:
    """Whether a change of the entry `name` matters to a directory watched for `names`."""
    return leads_on(names, name) or (_UNITS in names and workload_of_unit(name) is not None)


def leads_on(names: frozenset[str], name: str) -> bool:
    """Whether a change of the entry `name` may also change what has to be watched."""
    if name in names or _ALL in names:
        return True
    if _FACTS in names and is_facts_file(name):
        return True
    return _WORKLOAD_FILES in names and (is_workload_file(name) or is_dropin_directory(name))
