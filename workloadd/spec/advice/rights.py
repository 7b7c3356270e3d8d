"""Advice on what a container may do to the host, and on what the host can hold it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from posixpath import basename, normpath

from workloadd.spec.advice.rule import ContainerView
from workloadd.spec.problems import Path, Problem
from workloadd.spec.relabel import used_by_the_host
from workloadd.spec.text import quote
from workloadd.spec.volume_entries import located_volumes
from workloadd.spec.volumes import BindVolume

_SOCKETS = frozenset({"docker.sock", "podman.sock", "containerd.sock", "crio.sock"})


def privileged(view: ContainerView) -> Iterator[Problem]:
    """It has whatever the user of the workloads has."""
    if view.spec.privileged:
        why = "it may do to the host all that the user of the workloads may"
        hint = "name what it needs under cap_add and devices"
        yield Problem("Privileged", why, hint, ("privileged",))


def engine_socket(view: ContainerView) -> Iterator[Problem]:
    """Who may make containers may mount anything of the user's into one; read-only or not."""
    for path, source in _binds(view, lambda v: basename(normpath(v.source)) in _SOCKETS):
        why = f"{quote(source)} lets it run anything as the user of the workloads"
        hint = "mount it only into what you trust as much as that user; read_only is no help"
        yield Problem("EngineSocket", why, hint, path)


def relabelled(view: ContainerView) -> Iterator[Problem]:
    """The label stays when the container is gone."""
    for path, source in _binds(view, lambda v: bool(v.selinux) and used_by_the_host(v.source)):
        why = f"services of the host may not be able to use {quote(source)} afterwards"
        hint = "copy what it needs to a directory of its own, and relabel that"
        yield Problem("Relabelled", why, hint, path)


def missing_controller(view: ContainerView) -> Iterator[Problem]:
    """Without its cgroup controller a limit would be refused when the container is made."""
    available = view.limits.controllers
    missing = sorted(view.spec.resources.controllers - available) if available is not None else ()
    if missing:
        controllers = "controller" if len(missing) == 1 else "controllers"
        why = f"this host gives its users no cgroup {controllers} {' and '.join(missing)}"
        hint = "see Delegate= in systemd.resource-control(5)"
        yield Problem("MissingController", why, hint, ("resources",), at_key=True)


def _binds(view: ContainerView, wanted: Callable[[BindVolume], bool]) -> Iterator[tuple[Path, str]]:
    """The sources of certain mounts, with their places, which take some time to be found."""
    if any(isinstance(volume, BindVolume) and wanted(volume) for volume in view.spec.volumes):
        for path, volume in located_volumes(view.written("volumes")):
            if isinstance(volume, BindVolume) and wanted(volume):
                yield ("volumes", *path), volume.source
