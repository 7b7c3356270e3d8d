"""Why a workload, though right in itself, cannot run on this host."""

import re

from workloadd.core.errors import Problem
from workloadd.core.probe_targets import published
from workloadd.core.revision import Revision
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.problems import Path
from workloadd.spec.requirements import Version, unmet

_RELEASE = re.compile(r"(\d+)\.(\d+)")


def obstacle(spec: WorkloadSpec, controllers: frozenset[str] | None, podman: str) -> Problem | None:
    """The first thing that the host lacks for `spec`; `controllers` None and `podman` "" are
    unknown, and then nothing is said against it."""
    return _podman_too_old(spec, podman) or _missing_controllers(spec, controllers)


def _podman_too_old(spec: WorkloadSpec, podman: str) -> Problem | None:
    """Podman passes over what it does not know: half of what the file says would hold."""
    found = _RELEASE.match(podman)
    if not found:
        return None
    host: Version = (int(found[1]), int(found[2]))
    missing = unmet(spec, host)
    if not missing:
        return None
    fields = ", ".join(sorted({f"{_shown(path)} ({_text(needed)})" for path, needed in missing}))
    newest = max(needed for _, needed in missing)
    return Problem(
        "PodmanTooOld",
        f"cannot deploy: it needs Podman {_text(newest)}, this host has {podman}: {fields}",
        "update Podman, or leave the fields out",
    )


def _missing_controllers(spec: WorkloadSpec, controllers: frozenset[str] | None) -> Problem | None:
    """A limit without its cgroup controller: the container would be made, but never start."""
    if controllers is None:
        return None
    parts = spec.containers_by_name.values()
    wanted = frozenset[str]().union(*(part.resources.controllers for part in parts))
    if not (missing := sorted(wanted - controllers, key=_ORDER.index)):
        return None
    return Problem(
        "ControllerMissing",
        f"cannot limit {', '.join(missing)}: not delegated to the user manager on this host",
        "delegate it (the host condition Controllers says how), or leave the limit out",
    )


def unreachable(spec: WorkloadSpec, revision: Revision, why: Problem | None) -> Problem | None:
    """A probe that nothing leads to, where the networks of containers cannot be joined: `why`.

    What has the host's network is reached in any case.
    """
    if why is None or spec.network_mode == "host":
        return None
    there = published(spec.ports)
    for part in revision.parts:
        for probe in part.params.probes:
            if probe.port and probe.port not in there:
                said = f"cannot probe port {probe.port} of {part.name}: it is not published"
                return Problem("CannotProbe", f"{said}, and {why.message}", why.hint)
    return None


_ORDER = ("memory", "cpu", "cpuset", "pids", "io")


def _shown(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _text(version: Version) -> str:
    return ".".join(map(str, version))
