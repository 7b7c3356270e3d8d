"""Volumes that Podman keeps: what a workload's own and a shared one have in common, and the latter.

A shared volume is what a file of ``kind: volume`` declares; workloads name it ``NAME.volume``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import ScalarForm
from workloadd.spec.images import image_reference
from workloadd.spec.pairs import parse_labels
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.process import parse_description
from workloadd.spec.text import as_line, quote

MAX_ID = 2**32 - 2
SHARED_VOLUME = ".volume"
"""What a workload writes behind the name of a shared volume."""

_DRIVER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,126}")
# What the fields next to options are for; Podman has all of it in one string.
_FIELDS = {"uid": "uid", "gid": "gid", "type": "fstype", "device": "device", "copy": "nocopy"}


def _driver(value: object) -> str:
    text = as_line(value)
    if not _DRIVER.fullmatch(text):
        raise reject("BadValue", f"{quote(text)} is not the name of a driver")
    return text


def _image(value: object) -> str:
    return str(image_reference(as_line(value)))


def _options(value: object) -> dict[str, str]:
    options = parse_labels(value)
    if problems := tuple(_misplaced(options)):
        raise ProblemsError(*problems)
    return options


def _misplaced(options: Mapping[str, str]) -> Iterator[Problem]:
    for key, text in options.items():
        if field := _FIELDS.get(key):
            yield Problem(
                "BadValue", f"{key} is no option", f"write {field} beside options", (key,)
            )
        elif "," in key + text:
            hint = "write an entry for each option"
            yield Problem("BadValue", "it has a comma in it", hint, (key,))


class VolumeOptions(SpecModel):
    """What can be said of a volume, whoever it belongs to."""

    driver: Annotated[str, BeforeValidator(_driver, json_schema_input_type=str)] = Field(
        default="local",
        description="What keeps its content: local, image, or a plugin of Podman's.",
        examples=["nfs-plugin"],
    )
    fstype: Annotated[
        str | None, BeforeValidator(optional(as_line), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="File system to mount, as mount -t has it; without it a directory.",
        examples=["tmpfs"],
    )
    device: Annotated[
        str | None, BeforeValidator(optional(as_line), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="What to mount, as mount has it: a device, a directory, a server's path.",
        examples=["tmpfs"],
    )
    options: Annotated[
        Mapping[str, str],
        BeforeValidator(
            _options,
            json_schema_input_type=dict[str, ScalarForm | None] | list[str],
        ),
    ] = Field(
        default_factory=dict,
        description="Options of the mount, or of another driver than local.",
        examples=[["nodev", "size=64m"]],
    )
    image: Annotated[
        str | None, BeforeValidator(optional(_image), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="The image whose content it shows; the driver is image then.",
        examples=["docker.io/library/nginx:1.27"],
    )
    nocopy: bool = Field(
        default=False,
        description="Begin empty, and not with what the image has at the place of the mount.",
        examples=[True],
    )
    uid: int | None = Field(
        default=None,
        ge=0,
        le=MAX_ID,
        description="Owner of its root, as a user ID in the container.",
        examples=[999],
    )
    gid: int | None = Field(
        default=None,
        ge=0,
        le=MAX_ID,
        description="Group of its root, as a group ID in the container.",
        examples=[999],
    )
    labels: Annotated[
        Mapping[str, str],
        BeforeValidator(
            parse_labels,
            json_schema_input_type=dict[str, ScalarForm | None] | list[str],
        ),
    ] = Field(
        default_factory=dict,
        description="Labels of the volume, given to it when it is made.",
        examples=[{"org.example.backup": "daily"}],
    )
    reclaim: Literal["retain", "delete"] = Field(
        default="retain",
        description="What becomes of the volume when the file that declares it goes.",
        examples=["delete"],
    )

    @model_validator(mode="before")
    @classmethod
    def _driver_of_an_image(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("image") is not None and "driver" not in value:
            return value | {"driver": "image"}
        return value

    @model_validator(mode="after")
    def _agree(self) -> VolumeOptions:
        if problems := tuple(self._contradictions()):
            raise ProblemsError(*problems)
        return self

    def _contradictions(self) -> list[Problem]:
        found: list[Problem] = []
        mounted = [key for key in ("fstype", "device") if getattr(self, key)]
        if self.driver == "image" and self.image is None:
            hint = "write image: REGISTRY/REPOSITORY:TAG"
            found.append(Problem("MissingField", "the key image is missing", hint, at_key=True))
        if self.driver != "image" and self.image is not None:
            hint = "write driver: image"
            found.append(Problem("BadValue", "it is for the driver image", hint, ("image",)))
        if self.driver != "local" and mounted:
            why = "it is for the driver local"
            found.append(Problem("BadValue", why, "leave it out", (mounted[0],)))
        return found

    def made_of(self) -> dict[str, Any]:
        """What cannot be changed of a volume that is there: all but its labels and its fate."""
        return self.model_dump(
            mode="json",
            exclude_defaults=True,
            include=set(VolumeOptions.model_fields) - {"labels", "reclaim"},
        )


class VolumeSpec(VolumeOptions):
    """A volume of a file of its own, which workloads share."""

    kind: Literal["volume"] = Field(description="What the file declares.", examples=["volume"])
    description: Annotated[str, BeforeValidator(parse_description, json_schema_input_type=str)] = (
        Field(default="", description="One line for people.", examples=["Where backups go"])
    )
