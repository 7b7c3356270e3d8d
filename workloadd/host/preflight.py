"""Gathers what the host's conditions are made of; what it means is `workloadd.core.host`'s."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from workloadd.core.errors import Problem, WorkloaddError
from workloadd.core.host import (
    DirectoryFacts,
    HostCondition,
    HostFacts,
    PodmanFacts,
    evaluate,
    root_refusal,
    subordinate_ids,
)
from workloadd.core.room import Low
from workloadd.host.disks import disks_of, file_system
from workloadd.host.podman import PodmanInfo
from workloadd.settings.paths import Paths

_CONNECT_SECONDS = 5.0
_LOW = Low()


class PodmanView(Protocol):
    """What preflight needs of Podman."""

    async def info(self) -> PodmanInfo: ...


async def _not_tried() -> Problem | bool:
    return False


async def gather(
    podman: PodmanView,
    paths: Paths,
    low: Low = _LOW,
    join: Callable[[], Awaitable[Problem | bool]] = _not_tried,
    uid: int | None = None,
) -> tuple[HostCondition, ...]:
    """The host's conditions now. Never raises for what it finds: that is what it reports.

    `join` tries whether the networks of containers can be joined (`host.probes.Reach.check`).
    `uid` is the user's that `paths` are for, where root asks.
    """
    info: PodmanInfo | Problem
    try:
        info = await podman.info()
    except WorkloaddError as error:
        info = error.problem
    bus = await _bus_problem(paths.bus_address)
    joined = await join()
    facts = await asyncio.to_thread(
        _facts, paths, info, bus, low, os.geteuid() if uid is None else uid
    )
    return evaluate(replace(facts, joined=joined))


def refuse_root() -> None:
    """End the process with status 78 (EX_CONFIG) and the right way to do it, if we are root."""
    if os.geteuid() == 0:
        sys.stderr.write(root_refusal() + "\n")
        raise SystemExit(os.EX_CONFIG)


def _facts(
    paths: Paths, info: PodmanInfo | Problem, bus: Problem | None, low: Low, uid: int
) -> HostFacts:
    history = file_system(paths.state_dir, "the history")
    disks = (*(() if isinstance(info, Problem) else disks_of(info)), history)
    return HostFacts(
        user=paths.user,
        uid=uid,
        linger=paths.linger_file.exists(),
        runtime_path=str(paths.xdg_runtime_dir),
        runtime=_directory(paths.xdg_runtime_dir),
        bus_address=paths.bus_address,
        bus=bus,
        podman_socket=str(paths.podman_socket),
        podman=info if isinstance(info, Problem) else _podman(info),
        subordinate=tuple(
            subordinate_ids(_text(Path(file)), paths.user, uid)
            for file in ("/etc/subuid", "/etc/subgid")
        ),
        disks=tuple(disk for disk in disks if disk),
        low=low,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _podman(info: PodmanInfo) -> PodmanFacts:
    return PodmanFacts(
        version=info.version,
        uid_map_size=info.uid_map_size,
        gid_map_size=info.gid_map_size,
        cgroup_version=info.cgroup_version,
        cgroup_controllers=info.cgroup_controllers,
    )


def _directory(path: Path) -> DirectoryFacts | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return DirectoryFacts(status.st_uid, status.st_mode) if path.is_dir() else None


async def _bus_problem(address: str) -> Problem | None:
    """Why nobody listens on a D-Bus address (a list, of which one has to work), or None."""
    problem = None
    for one in address.split(";"):
        kind, _, rest = one.partition(":")
        options = dict(pair.partition("=")[::2] for pair in rest.split(","))
        target = unquote(options.get("path", "")) or "\0" + unquote(options.get("abstract", ""))
        if kind != "unix" or target == "\0":
            message = f"cannot use the bus address {one}: it is no unix socket"
            problem = Problem("NotSupported", message)
            continue
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, writer = await asyncio.open_unix_connection(target)
        except (OSError, TimeoutError) as error:
            reason = "Missing" if isinstance(error, FileNotFoundError) else "NotAnswering"
            why = error.strerror or "it does not answer"
            message = f"cannot connect to the bus at {one}: {why}"
            problem = Problem(reason, message)
            continue
        writer.close()
        return None
    return problem
