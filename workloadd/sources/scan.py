"""Which files in the roots declare workloads, before any of them is read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from workloadd.core.errors import Problem
from workloadd.sources.files import shown, why
from workloadd.sources.layers import MAX_LAYERS, has_suffix, is_mask, layers
from workloadd.spec.errors import SpecError

SUFFIXES = (".yaml", ".yml")
DROPINS = tuple(f"{suffix}.d" for suffix in SUFFIXES)
MAX_FILES = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """The file of one or several workloads, and the drop-ins that go over it, the weakest first.

    `rivals` are others of the same name in the same root. `errors` are about drop-ins that are
    there and cannot be listed.
    """

    path: Path
    rivals: tuple[Path, ...] = ()
    shadows: tuple[Path, ...] = ()
    dropins: tuple[Path, ...] = ()
    errors: tuple[SpecError, ...] = ()


@dataclass(frozen=True, slots=True)
class Scanned:
    """Files by the name that they give to a workload.

    `unreadable` are about roots out of sight, `problems` about what is without effect.
    """

    found: dict[str, Found]
    unreadable: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


def is_workload_file(name: str) -> bool:
    """Whether a directory entry of this name declares a workload."""
    return has_suffix(name, SUFFIXES)


def is_dropin_directory(name: str) -> bool:
    """Whether a directory entry of this name is to have drop-ins in it."""
    return has_suffix(name, DROPINS)


def scan(roots: Iterable[Path]) -> Scanned:
    """What is in the roots, later ones over earlier ones."""
    found: dict[str, Found] = {}
    masked: set[str] = set()
    directories: dict[str, list[Path]] = {}
    problems: list[Problem] = []
    for root in roots:
        listed, dropins, problem = _list(root)
        if problem:
            problems.append(problem)
        for name in dropins:
            directories.setdefault(_stem(name), []).append(root / name)
        for name, paths in listed.items():
            weaker = found.pop(name, None)
            masked.discard(name)
            if len(paths) == 1 and is_mask(paths[0]):
                masked.add(name)
                continue
            shadows = (*weaker.shadows, weaker.path) if weaker else ()
            found[name] = Found(paths[0], tuple(paths[1:]), shadows)
    stray: list[Problem] = []
    for name, places in directories.items():
        if name in found:
            found[name] = _with_dropins(found[name], places)
        elif name not in masked:
            stray.append(_stray(name, places[0]))
    return Scanned(found, tuple(problems), tuple(stray))


def _stem(name: str) -> str:
    """`web` for `web.yaml.d`."""
    return name.removesuffix(".d").rpartition(".")[0]


def _with_dropins(found: Found, directories: list[Path]) -> Found:
    files, out_of_sight = layers(directories, SUFFIXES)
    errors = [
        SpecError(
            shown(directory), 1, 1, "Unreadable", f"cannot read the drop-ins: {why(error)}",
            hint="it must be a directory that the user of the workloads may read",
        )
        for directory, error in out_of_sight
    ]  # fmt: skip
    if len(files) > MAX_LAYERS:
        message = f"cannot read the drop-ins: there are {len(files)}, more than {MAX_LAYERS}"
        errors.append(SpecError(shown(directories[-1]), 1, 1, "TooManyFiles", message))
    return replace(found, dropins=files[:MAX_LAYERS], errors=tuple(errors))


def _stray(name: str, directory: Path) -> Problem:
    return Problem(
        "DropInWithoutFile",
        f"{shown(directory)} is without effect: there is no {shown(name)}.yaml for it",
        "put that file into one of the roots, or remove the directory",
    )


def _list(root: Path) -> tuple[dict[str, list[Path]], list[str], Problem | None]:
    """The files by stem, and the names of directories of drop-ins."""
    names: list[str] = []
    dropins: list[str] = []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if is_workload_file(entry.name):
                    names.append(entry.name)
                elif is_dropin_directory(entry.name):
                    dropins.append(entry.name)
    except FileNotFoundError as error:
        # Where a link leads nowhere the root is away for a moment; it does exist.
        return {}, [], _out_of_sight(root, error) if root.is_symlink() else None
    except OSError as error:
        return {}, [], _out_of_sight(root, error)
    # By stem: web.yaml comes before web-2.yaml.
    names.sort(key=lambda name: name.rpartition(".")[::2])
    problem = None
    if len(names) > MAX_FILES:
        message = f"cannot read all of {shown(root)}: it has {len(names)} files"
        problem = Problem("TooManyFiles", message, f"{MAX_FILES} are read; split them over hosts")
    listed: dict[str, list[Path]] = {}
    for name in names[:MAX_FILES]:
        listed.setdefault(name.rpartition(".")[0], []).append(root / name)
    return listed, sorted(dropins), problem


def _out_of_sight(root: Path, error: OSError) -> Problem:
    return Problem(
        "RootUnreadable",
        f"cannot read {shown(root)}: {why(error)}",
        "until it can be read no workload is removed",
    )
