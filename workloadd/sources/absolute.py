"""A spec with every path of the host in it absolute."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from workloadd.spec.container import ContainerSpec
from workloadd.spec.files import File
from workloadd.spec.model import PodSpec, WorkloadSpec
from workloadd.spec.problems import Path
from workloadd.spec.secrets import Secret
from workloadd.spec.security import UNCONFINED
from workloadd.spec.volumes import BindVolume

BESIDE = "/./"
"""Between a workload file's directory and the path of what is beside the file."""

Resolve = Callable[[str, Path], str]
"""The absolute path for what is written at a place in a document."""


Container = TypeVar("Container", bound=ContainerSpec)


def absolute(spec: WorkloadSpec, resolve: Resolve) -> WorkloadSpec:
    """`spec` with bind sources, env files and profiles as absolute paths."""
    if isinstance(spec, PodSpec):
        containers = {
            name: _absolute(one, partial(_below, resolve, ("containers", name)))
            for name, one in spec.containers.items()
        }
        return spec.model_copy(update={"containers": containers})
    return _absolute(spec, resolve) if isinstance(spec, ContainerSpec) else spec


def _below(resolve: Resolve, above: Path, written: str, path: Path) -> str:
    return resolve(written, (*above, *path))


def _absolute(spec: Container, resolve: Resolve) -> Container:
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
    changed = {
        "volumes": volumes,
        "env_file": env_files,
        "seccomp": seccomp,
        "secrets": {name: _secret(name, s, resolve) for name, s in spec.secrets.items()},
        "files": {path: _file(path, f, resolve) for path, f in spec.files.items()},
    }
    return spec.model_copy(update=changed)


def _secret(name: str, secret: Secret, resolve: Resolve) -> Secret:
    if secret.file is None:
        return secret
    path = resolve(secret.file, ("secrets", name, "file"))
    return secret.model_copy(update={"file": path})


def _file(path: str, file: File, resolve: Resolve) -> File:
    """The source as DIRECTORY/./SOURCE: it may not lead out of the workload file's directory."""
    if file.source is None:
        return file
    directory = resolve(".", ("files", path, "source"))
    return file.model_copy(update={"source": f"{directory}{BESIDE}{file.source}"})
