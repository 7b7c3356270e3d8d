"""The file systems that fill up: how much of each is free."""

import os
from pathlib import Path

from workloadd.core.room import DiskFacts
from workloadd.host.podman_parse import PodmanInfo


def disks_of(info: PodmanInfo) -> tuple[DiskFacts, ...]:
    """Where pulling an image needs room: what Podman keeps, and what it keeps while it fetches.

    Blocks for a moment. What cannot be asked is left out.
    """
    kept = file_system(info.graph_root, "images and containers")
    fetched = file_system(info.copy_dir, "layers on their way") if info.copy_dir else None
    if kept and fetched and _same(info.graph_root, info.copy_dir):
        fetched = None
    return tuple(disk for disk in (kept, fetched) if disk)


def file_system(path: Path, purpose: str) -> DiskFacts | None:
    """The file system of `path`, or of what will hold it once it is made."""
    existing = _existing(path)
    if existing is None:
        return None
    try:
        found = os.statvfs(existing)
    except OSError:
        return None
    unit = found.f_frsize
    return DiskFacts(
        str(path),
        purpose,
        found.f_bavail * unit,
        found.f_blocks * unit,
        found.f_favail,
        found.f_files,
    )


def _existing(path: Path) -> Path | None:
    for one in (path, *path.parents):
        try:
            one.stat()
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return one
    return None


def _same(one: Path, other: Path | None) -> bool:
    places = [_existing(path) for path in (one, other) if path]
    return len({place.stat().st_dev for place in places if place}) == 1
