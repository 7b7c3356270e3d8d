"""Which files in the roots declare workloads, before any of them is read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workloadd.core.errors import Problem
from workloadd.sources.files import shown, why

SUFFIXES = (".yaml", ".yml")
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """The file of one workload. `rivals` are others of the same name in the same root."""

    path: Path
    rivals: tuple[Path, ...] = ()
    shadows: tuple[Path, ...] = ()


def is_workload_file(name: str) -> bool:
    """Whether a directory entry of this name declares a workload.

    Hidden files and everything with another suffix is somebody's draft, backup or lock: `.web.swp`,
    `web.yaml~`, `web.yaml.bak`, `web.yaml.tmp`, `4913`.
    """
    return name.endswith(SUFFIXES) and not name.startswith(".")


def scan(roots: Iterable[Path]) -> tuple[dict[str, Found], tuple[Problem, ...]]:
    """Files by workload name, later roots over earlier ones, and the roots out of sight."""
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    for root in roots:
        listed, problem = _list(root)
        if problem:
            problems.append(problem)
        for name, paths in listed.items():
            weaker = found.pop(name, None)
            if len(paths) == 1 and is_mask(paths[0]):
                continue
            shadows = (*weaker.shadows, weaker.path) if weaker else ()
            found[name] = Found(paths[0], tuple(paths[1:]), shadows)
    return found, tuple(problems)


def is_mask(path: Path) -> bool:
    """Whether the entry is a link to /dev/null."""
    return path.is_symlink() and os.path.realpath(path) == os.devnull


def _list(root: Path) -> tuple[dict[str, list[Path]], Problem | None]:
    try:
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries if is_workload_file(entry.name))
    except FileNotFoundError as error:
        # Where a link leads nowhere the root is away for a moment; it does exist.
        return {}, _out_of_sight(root, error) if root.is_symlink() else None
    except OSError as error:
        return {}, _out_of_sight(root, error)
    problem = None
    if len(names) > MAX_FILES:
        message = f"cannot read all of {shown(root)}: it has {len(names)} files"
        problem = Problem("TooManyFiles", message, f"{MAX_FILES} are read; split them over hosts")
    listed: dict[str, list[Path]] = {}
    for name in names[:MAX_FILES]:
        listed.setdefault(name.rpartition(".")[0], []).append(root / name)
    return listed, problem


def _out_of_sight(root: Path, error: OSError) -> Problem:
    return Problem(
        "RootUnreadable",
        f"cannot read {shown(root)}: {why(error)}",
        "until it can be read no workload is removed",
    )
