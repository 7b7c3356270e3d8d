"""What is mounted into a container: host directories, named volumes, memory and more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import optional
from workloadd.spec.forms import OctalForm, SizeForm
from workloadd.spec.modes import Octal, parse_mode
from workloadd.spec.mounts import (
    ArtifactVolume,
    DevptsVolume,
    FileMount,
    HostMount,
    ImageVolume,
    SubPath,
)
from workloadd.spec.names import check_name
from workloadd.spec.paths import host_path
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.relabel import is_dangerous
from workloadd.spec.text import as_line, quote
from workloadd.spec.units import parse_size
from workloadd.spec.volume import SHARED_VOLUME, VolumeOptions

Propagation: TypeAlias = Literal[
    "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"
]

PAGE = 4096

_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,126}")


def _bind_source(value: object) -> str:
    text = host_path(value)
    if not text.startswith(("/", ".", "~")):
        hint = f"write ./{text}, or type: volume for a named volume"
        raise reject("BadPath", f"{quote(text)} is not a path", hint)
    return text


def _volume_name(value: object) -> str:
    text = as_line(value)
    if not _VOLUME_NAME.fullmatch(text):
        hint = f"for a host directory write ./{text}" if "/" in text else ""
        raise reject("BadValue", f"{quote(text)} is not the name of a volume", hint)
    shared = shared_volume(text)
    if shared is not None and (why := check_name(shared)):
        raise reject("BadValue", f"{quote(text)} is not the name of a volume: {why}")
    return text


def shared_volume(name: str) -> str | None:
    """The shared volume that ``NAME.volume`` names, or None for one of the workload's own."""
    return name.removesuffix(SHARED_VOLUME) if name.endswith(SHARED_VOLUME) else None


def _size(value: object) -> int | None:
    if value is None:
        return None
    size = parse_size(value)
    if size < PAGE:
        raise reject("BadValue", f"{size} bytes are less than a page of {PAGE}")
    return size


class BindVolume(HostMount):
    """A file or directory of the host."""

    type: Literal["bind"] = Field(description="A file or directory of the host.")
    source: Annotated[str, BeforeValidator(_bind_source, json_schema_input_type=str)] = Field(
        description="Path on the host, as written: absolute, below the workload file's directory "
        "(./ or ../), or below the home directory of the workloads' user (~/).",
        examples=["/srv/www", "./site", "~/data"],
    )
    create: bool = Field(
        default=False,
        description="Make a missing source an empty directory; otherwise it is an error.",
        examples=[True],
    )
    selinux: Literal["z", "Z"] | None = Field(
        default=None,
        description="Relabel the source for SELinux: z shared by containers, Z for this one alone.",
        examples=["Z"],
    )
    propagation: Propagation | None = Field(
        default=None,
        description="How mounts below the source reach the container, and back.",
        examples=["rslave"],
    )
    nonrecursive: bool = Field(
        default=False,
        description="Leave out what is mounted below the source.",
        examples=[True],
    )

    def _options_beside(self) -> Iterator[str]:
        yield from super()._options_beside()
        if self.nonrecursive:
            yield "nonrecursive"

    @model_validator(mode="after")
    def _may_be_relabelled(self) -> BindVolume:
        if self.selinux and is_dangerous(self.source):
            why = f"to relabel {quote(self.source)} would damage the host"
            hint = "mount a directory that is the container's own, or leave the relabelling out"
            raise reject("DangerousRelabel", why, hint, "selinux")
        return self


class NamedVolume(HostMount, VolumeOptions):
    """A volume that Podman keeps; for one of the workload's own also what it is like."""

    type: Literal["volume"] = Field(description="A volume that Podman keeps.")
    source: Annotated[str, BeforeValidator(_volume_name, json_schema_input_type=str)] = Field(
        description="Name of the volume, which is made when it is missing; NAME.volume is the "
        "shared one that NAME.yaml declares.",
        examples=["data", "backup.volume"],
    )
    subpath: SubPath = Field(
        default=None,
        description="What of the volume to mount, a path in it that has to be there.",
        examples=["uploads"],
    )
    selinux: Literal["z", "Z"] | None = Field(
        default=None,
        description="Relabel the volume for SELinux: z shared by containers, Z for this one alone.",
        examples=["z"],
    )

    @property
    def own_options(self) -> dict[str, Any]:
        """What is said of the volume itself."""
        return self.model_dump(
            mode="json", exclude_defaults=True, include=set(VolumeOptions.model_fields)
        )

    @model_validator(mode="after")
    def _shared_is_elsewhere(self) -> NamedVolume:
        if (shared := shared_volume(self.source)) and (options := sorted(self.own_options)):
            why = f"the volume {shared} is what its own file says"
            hint = f"write it in {shared}.yaml"
            raise ProblemsError(Problem("NotHere", why, hint, (options[0],), at_key=True))
        return self


class TmpfsVolume(FileMount):
    """An empty file system in memory."""

    type: Literal["tmpfs"] = Field(description="An empty file system in memory.")
    size: Annotated[int | None, BeforeValidator(_size, json_schema_input_type=SizeForm | None)] = (
        Field(default=None, description="Upper bound, at least a page.", examples=["64m"])
    )
    mode: Annotated[
        Octal, BeforeValidator(optional(parse_mode), json_schema_input_type=OctalForm | None)
    ] = Field(default=None, description="Octal permission bits of its root.", examples=["1777"])
    chown: bool = Field(
        default=False, description="Give it to the container's user.", examples=[True]
    )
    nocopy: bool = Field(
        default=False,
        description="Begin empty, and not with what the image has in its place.",
        examples=[True],
    )


Volume: TypeAlias = (
    BindVolume | NamedVolume | TmpfsVolume | ImageVolume | ArtifactVolume | DevptsVolume
)


def differing_option(one: NamedVolume, other: NamedVolume) -> str | None:
    """What two entries of the same volume say differently of it."""
    ours, theirs = one.own_options, other.own_options
    return next((k for k in sorted(ours | theirs) if ours.get(k) != theirs.get(k)), None)
