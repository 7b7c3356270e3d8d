"""What runs in a container: image, command and environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import ScalarForm
from workloadd.spec.images import image_reference
from workloadd.spec.pairs import parse_annotations, parse_environment, parse_labels
from workloadd.spec.paths import absolute_path
from workloadd.spec.platform import parse_platform
from workloadd.spec.problems import reject
from workloadd.spec.process import EnvFile, parse_arguments, parse_env_files, parse_user
from workloadd.spec.text import as_line, quote
from workloadd.spec.ulimits import Ulimit, parse_ulimits

_TIME_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")

_Arguments = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(parse_arguments, json_schema_input_type=str | list[str] | None),
]


def _image(value: object) -> str:
    return str(image_reference(as_line(value)))


def _time_zone(value: object) -> str:
    text = as_line(value)
    if not _TIME_ZONE.fullmatch(text):
        hint = "write for example Europe/Berlin, or local for the host's"
        raise reject("BadValue", f"{quote(text)} is not a time zone", hint)
    return text


class ImageSpec(SpecModel):
    """From which image a container is made."""

    image: Annotated[str, BeforeValidator(_image, json_schema_input_type=str)] = Field(
        description="The image, with its registry. Without tag and digest it is :latest.",
        examples=["docker.io/library/nginx:1.27", "localhost:5000/nginx:1"],
    )
    pull: Literal["always", "missing", "newer", "never"] = Field(
        default="missing",
        description="When to pull: at every load, when the host has it not, when the registry has "
        "a newer one, or never.",
        examples=["newer"],
    )
    platform: Annotated[
        str | None, BeforeValidator(optional(parse_platform), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="OS/ARCHITECTURE[/VARIANT] of the image; the host's own where it is left out.",
        examples=["linux/arm64"],
    )


class ExecutionSpec(SpecModel):
    """The process of a container, and what it is told."""

    command: _Arguments = Field(
        default=None,
        description="Arguments in place of the image's; text is split as a shell would, [] clears.",
        examples=["nginx -g 'daemon off;'", ["sleep", "3600"]],
    )
    entrypoint: _Arguments = Field(
        default=None,
        description="Entry point in place of the image's; text is split, [] clears.",
        examples=[["/bin/sh", "-c"]],
    )
    working_dir: Annotated[
        str | None, BeforeValidator(optional(absolute_path), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Absolute path in which the process starts.",
        examples=["/srv"],
    )
    user: Annotated[
        str | None, BeforeValidator(parse_user, json_schema_input_type=str | int | None)
    ] = Field(
        default=None,
        description="User, and group, in the container: uid[:gid] or names.",
        examples=[1000, "1000:1000", "www-data"],
    )
    init_process: bool = Field(
        default=False,
        description="Run the command below a small init that passes signals on and reaps what is "
        "left of ended processes.",
        examples=[True],
    )
    tty: bool = Field(default=False, description="Give the process a terminal.", examples=[True])
    environment: Annotated[
        Mapping[str, str],
        BeforeValidator(
            parse_environment, json_schema_input_type=dict[str, ScalarForm] | list[str]
        ),
    ] = Field(
        default_factory=dict,
        repr=False,
        description="Environment variables; a mapping or a list of KEY=VALUE. They come after "
        "those of env_file and are never shown. In the file $$ stands for one $.",
        examples=[{"TZ": "Europe/Berlin"}, ["TZ=Europe/Berlin"]],
    )
    env_file: Annotated[
        tuple[EnvFile, ...],
        BeforeValidator(parse_env_files, json_schema_input_type=str | list[str | EnvFile]),
    ] = Field(
        default=(),
        description="Files of KEY=VALUE lines, read in order.",
        examples=["web.env", [{"path": "/etc/web.env", "required": False}]],
    )
    http_proxy: bool = Field(
        default=False,
        description="Pass the proxy variables on that the user's Podman service has (http_proxy "
        "and the like).",
        examples=[True],
    )
    timezone: Annotated[
        str | None, BeforeValidator(optional(_time_zone), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Time zone inside the container; local is the host's.",
        examples=["Europe/Berlin", "local"],
    )
    ulimits: Annotated[
        Mapping[str, Ulimit],
        BeforeValidator(parse_ulimits, json_schema_input_type=dict[str, int | Ulimit]),
    ] = Field(
        default_factory=dict,
        description="Limits of each process by name, as of setrlimit(2); -1 is unlimited.",
        examples=[{"nofile": 65536, "core": {"soft": 0, "hard": -1}}],
    )
    labels: Annotated[
        Mapping[str, str],
        BeforeValidator(
            parse_labels, json_schema_input_type=dict[str, ScalarForm | None] | list[str]
        ),
    ] = Field(
        default_factory=dict,
        description="Labels of the container; a mapping or a list of KEY=VALUE.",
        examples=[{"org.example.team": "shop"}],
    )
    annotations: Annotated[
        Mapping[str, str],
        BeforeValidator(
            parse_annotations, json_schema_input_type=dict[str, ScalarForm | None] | list[str]
        ),
    ] = Field(
        default_factory=dict,
        description="Annotations for the OCI runtime; a mapping or a list of KEY=VALUE.",
        examples=[{"run.oci.handler": "krun"}],
    )
