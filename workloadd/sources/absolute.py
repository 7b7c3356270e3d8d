"""A spec with every path of the host in it absolute."""

from collections.abc import Callable

from workloadd.spec.model import ServiceSpec
from workloadd.spec.problems import Path
from workloadd.spec.security import UNCONFINED
from workloadd.spec.volumes import BindVolume

Resolve = Callable[[str, Path], str]
"""The absolute path for what is written at a place in a document."""


def absolute(spec: ServiceSpec, resolve: Resolve) -> ServiceSpec:
    """`spec` with bind sources, env files and profiles as absolute paths."""
    volumes = tuple(
        v.model_copy(update={"source": resolve(v.source, ("volumes",))})
        if isinstance(v, BindVolume)
        else v
        for v in spec.volumes
    )
    env_files = tuple(
        e.model_copy(update={"path": resolve(e.path, ("env_file",))}) for e in spec.env_file
    )
    seccomp = spec.seccomp
    if seccomp not in (None, UNCONFINED):
        seccomp = resolve(seccomp, ("seccomp",))
    changed = {"volumes": volumes, "env_file": env_files, "seccomp": seccomp}
    return spec.model_copy(update=changed)
