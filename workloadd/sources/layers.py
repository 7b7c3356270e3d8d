"""Files that add up: drop-ins and facts, from several directories in the order of their names.

As systemd does it (systemd.unit(5), "drop-in"): of equal names the one in the strongest directory
counts, and one that is a link to /dev/null is none.
"""

import os
from collections.abc import Iterable
from pathlib import Path

MAX_LAYERS = 256


def is_mask(path: Path) -> bool:
    """Whether the entry is a link to /dev/null."""
    return path.is_symlink() and os.path.realpath(path) == os.devnull


def has_suffix(name: str, suffixes: tuple[str, ...]) -> bool:
    """Whether a directory entry is to be read.

    Hidden files and everything with another suffix is somebody's draft, backup or lock: `.web.swp`,
    `web.yaml~`, `web.yaml.bak`, `web.yaml.tmp`, `4913`.
    """
    return name.endswith(suffixes) and not name.startswith(".")


def layers(
    directories: Iterable[Path], suffixes: tuple[str, ...]
) -> tuple[tuple[Path, ...], tuple[tuple[Path, OSError], ...]]:
    """The files in `directories`, the weakest of which comes first; and those out of sight."""
    by_name: dict[str, Path] = {}
    out_of_sight: list[tuple[Path, OSError]] = []
    for directory in directories:
        try:
            with os.scandir(directory) as entries:
                names = [entry.name for entry in entries if has_suffix(entry.name, suffixes)]
        except FileNotFoundError as error:
            # Where a link leads nowhere the directory is away for a moment; it does exist.
            if directory.is_symlink():
                out_of_sight.append((directory, error))
            continue
        except OSError as error:
            out_of_sight.append((directory, error))
            continue
        for name in names:
            by_name[name] = directory / name
    files = [by_name[name] for name in sorted(by_name) if not is_mask(by_name[name])]
    return tuple(files), tuple(out_of_sight)
