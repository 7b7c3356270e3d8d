"""What mounts have in common, and those that are neither directories, volumes nor memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import OctalForm
from workloadd.spec.images import image_reference
from workloadd.spec.modes import Octal, parse_mode
from workloadd.spec.paths import absolute_path
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.text import as_line, quote

MAX_ID = 2**32 - 2

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def parse_target(value: object) -> str:
    """Where in a container something can be mounted."""
    path = absolute_path(value)
    if path == "/":
        raise reject("BadPath", "nothing can be mounted over the container's root")
    return path


def _subpath(value: object) -> str:
    text = as_line(value)
    path = absolute_path(text if text.startswith("/") else f"/{text}")
    if path == "/":
        raise reject("BadPath", "that is all of it", "leave it out")
    return path.removeprefix("/")


def _image(value: object) -> str:
    return str(image_reference(as_line(value)))


def _digest(value: object) -> str:
    text = as_line(value)
    if not _DIGEST.fullmatch(text):
        raise reject("BadValue", f"{quote(text)} is not a digest", "sha256: and 64 hex digits")
    return text


def _file_name(value: object) -> str:
    text = as_line(value, 255)
    if "/" in text or text in (".", ".."):
        raise reject("BadValue", f"{quote(text)} is not the name of a file")
    return text


PathInside = Annotated[str, BeforeValidator(parse_target, json_schema_input_type=str)]
SubPath = Annotated[
    str | None, BeforeValidator(optional(_subpath), json_schema_input_type=str | None)
]
_FileName = Annotated[
    str | None, BeforeValidator(optional(_file_name), json_schema_input_type=str | None)
]


class Mount(SpecModel):
    """Something at a place in the container."""

    target: PathInside = Field(
        description="Absolute path inside the container.", examples=["/var/lib/data"]
    )


class FileMount(Mount):
    """Files and directories at a place in the container."""

    read_only: bool = Field(default=False, description="Mount it read-only.", examples=[True])
    noexec: bool = Field(
        default=False, description="Let no program be run from it.", examples=[True]
    )


class HostMount(FileMount):
    """Files that outlive the container."""

    nosuid: bool = Field(
        default=False, description="Heed no set-user-ID bits in it.", examples=[True]
    )
    nodev: bool = Field(default=False, description="Heed no device files in it.", examples=[True])
    chown: bool = Field(
        default=False,
        description="Give everything in it to the container's user, on the host, each time the "
        "container is made.",
        examples=[True],
    )
    idmap: bool = Field(
        default=False,
        description="Show its owners as if they were of the container's user namespace.",
        examples=[True],
    )
    overlay: bool = Field(
        default=False,
        description="Let the container write, but keep what it writes only as long as it is there.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _overlay_alone(self) -> HostMount:
        beside = next(self._options_beside(), None)
        if self.overlay and beside:
            why = f"Podman takes no {beside} with overlay"
            raise ProblemsError(Problem("BadValue", why, "leave one of them out", (beside,)))
        return self

    def _options_beside(self) -> Iterator[str]:
        """Options of the mount that Podman refuses with an overlay."""
        for key in ("read_only", "noexec", "nosuid", "nodev", "idmap", "selinux", "propagation"):
            if getattr(self, key, None):
                yield key


class ImageVolume(Mount):
    """The content of another image."""

    type: Literal["image"] = Field(description="The content of another image.")
    source: Annotated[str, BeforeValidator(_image, json_schema_input_type=str)] = Field(
        description="The image, with its registry; pulled as the container's own is.",
        examples=["docker.io/library/nginx:1.27"],
    )
    subpath: SubPath = Field(
        default=None,
        description="What of the image to mount, a path in it.",
        examples=["usr/share/nginx"],
        json_schema_extra={"podman": "5.4"},
    )
    writable: bool = Field(
        default=False,
        description="Let the container write; what it writes goes when it ends.",
        examples=[True],
    )


class ArtifactVolume(Mount):
    """Files of an OCI artifact, read-only."""

    type: Literal["artifact"] = Field(
        description="Files of an OCI artifact.", json_schema_extra={"podman": "5.6"}
    )
    source: Annotated[str, BeforeValidator(_image, json_schema_input_type=str)] = Field(
        description="The artifact, with its registry; it has to be on the host (podman artifact "
        "pull).",
        examples=["quay.io/team/model:1"],
    )
    title: _FileName = Field(
        default=None,
        description="The only file of it to mount, by its title.",
        examples=["model.bin"],
    )
    digest: Annotated[
        str | None, BeforeValidator(optional(_digest), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="The only file of it to mount, by its digest.",
        examples=["sha256:" + 64 * "0"],
    )
    name: _FileName = Field(
        default=None,
        description="Name of the file in the container, in place of its title.",
        examples=["model.bin"],
    )

    @model_validator(mode="after")
    def _one_choice(self) -> ArtifactVolume:
        if self.title and self.digest:
            why = "title says already which file it is"
            raise ProblemsError(Problem("BadValue", why, "leave one of them out", ("digest",)))
        return self


class DevptsVolume(Mount):
    """Terminals of the container's own."""

    type: Literal["devpts"] = Field(description="Terminals of the container's own.")
    uid: int | None = Field(
        default=None,
        ge=0,
        le=MAX_ID,
        description="Owner of the terminals, in the container.",
        examples=[1000],
    )
    gid: int | None = Field(
        default=None,
        ge=0,
        le=MAX_ID,
        description="Group of the terminals, in the container.",
        examples=[5],
    )
    mode: Annotated[
        Octal,
        BeforeValidator(
            optional(lambda value: parse_mode(value, 0o777)),
            json_schema_input_type=OctalForm | None,
        ),
    ] = Field(default=None, description="Octal permission bits of a terminal.", examples=["0620"])
    max: int | None = Field(
        default=None, ge=1, le=2**20, description="How many there may be.", examples=[64]
    )
