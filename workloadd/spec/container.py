"""What a workload file says of one container.

Descriptions and examples of the fields are what documentation and the JSON schema are made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from workloadd.spec.capabilities import parse_capabilities
from workloadd.spec.forms import DurationForm, RestartForm, ScalarForm, SizeForm
from workloadd.spec.images import image_reference
from workloadd.spec.pairs import parse_environment, parse_labels
from workloadd.spec.paths import absolute_path
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.process import (
    EnvFile,
    Restart,
    parse_arguments,
    parse_env_files,
    parse_restart,
    parse_stop_timeout,
    parse_user,
)
from workloadd.spec.signals import parse_signal
from workloadd.spec.text import as_line, kind
from workloadd.spec.units import parse_duration, parse_size
from workloadd.spec.volumes import Volume, parse_volumes

MIN_MEMORY = 1024 * 1024
MAX_PIDS = 4194304
"""PID_MAX_LIMIT of a 64-bit kernel."""

_Arguments = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(parse_arguments, json_schema_input_type=str | list[str] | None),
]
_Capabilities = Annotated[
    tuple[str, ...], BeforeValidator(parse_capabilities, json_schema_input_type=list[str])
]


def _image(value: object) -> str:
    return str(image_reference(as_line(value)))


def _memory(value: object) -> int | None:
    if value is None:
        return None
    size = parse_size(value)
    if size < MIN_MEMORY:
        hint = f"write {value}m for mebibytes" if str(value).isdigit() else ""
        raise reject("BadValue", f"{size} bytes are too little for any process", hint)
    return size


def _cpus(value: object) -> object:
    if isinstance(value, str):
        raise reject(
            "WrongType", f"expected a number, got {kind(value)}", "write it without quotes"
        )
    return value


class Resources(BaseModel):
    """Limits that the kernel enforces on the workload's control group."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    memory: Annotated[
        int | None, BeforeValidator(_memory, json_schema_input_type=SizeForm | None)
    ] = Field(
        default=None,
        description="Memory, beyond which the kernel ends a process of the container.",
        examples=["512m", "1.5g"],
    )
    cpus: Annotated[float | None, BeforeValidator(_cpus)] = Field(
        default=None,
        ge=0.01,
        le=4096,
        allow_inf_nan=False,
        description="Processor time, in processors.",
        examples=[0.5, 2],
    )
    pids: int | None = Field(
        default=None, ge=1, le=MAX_PIDS, description="Processes and threads.", examples=[100]
    )


class ContainerSpec(BaseModel):
    """One container: what it runs, with what storage, rights and limits, and how it ends."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

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
        str | None,
        BeforeValidator(
            lambda value: None if value is None else absolute_path(value),
            json_schema_input_type=str | None,
        ),
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
    volumes: Annotated[
        tuple[Annotated[Volume, Field(discriminator="type")], ...],
        BeforeValidator(parse_volumes, json_schema_input_type=list[str | Volume]),
    ] = Field(
        default=(),
        description="What is mounted: SOURCE:TARGET[:OPTIONS], or the long form. A source that "
        "begins with /, . or ~ is a path of the host, any other the name of a volume.",
        examples=[["data:/var/lib/data", "./site:/srv/www:ro"]],
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
    read_only: bool = Field(
        default=False,
        description="Make the container's root file system read-only.",
        examples=[True],
    )
    cap_add: _Capabilities = Field(
        default=(),
        description="Linux capabilities beyond Podman's default set.",
        examples=[["NET_ADMIN"]],
    )
    cap_drop: _Capabilities = Field(
        default=(),
        description="Linux capabilities to take away; ALL takes all that cap_add does not name.",
        examples=[["ALL"]],
    )
    resources: Resources = Field(
        default_factory=Resources,
        description="Limits on what the workload uses.",
        examples=[{"memory": "512m", "cpus": 0.5, "pids": 100}],
    )
    restart: Annotated[
        Restart, BeforeValidator(parse_restart, json_schema_input_type=RestartForm)
    ] = Field(
        default_factory=Restart,
        description="When to start the container again after it ended by itself: always, "
        "on-failure, on-failure:N (at most N times in a row) or no.",
        examples=["on-failure:3"],
    )
    stop_signal: Annotated[
        str | None,
        BeforeValidator(
            lambda value: None if value is None else parse_signal(value),
            json_schema_input_type=str | int | None,
        ),
    ] = Field(
        default=None,
        description="Signal that asks the process to end; the image's where it is left out.",
        examples=["SIGQUIT", "SIGRTMIN+3"],
    )
    stop_timeout: Annotated[
        float,
        BeforeValidator(
            lambda value: parse_stop_timeout(parse_duration(value)),
            json_schema_input_type=DurationForm,
        ),
    ] = Field(
        default=10.0,
        description="How long the process may take to end before it is killed.",
        examples=["30s", "1m30s"],
    )

    @model_validator(mode="after")
    def _capabilities_agree(self) -> ContainerSpec:
        # Podman refuses such a container, at a time when nobody is looking at the file.
        if both := sorted(set(self.cap_add) & set(self.cap_drop)):
            raise ProblemsError(
                Problem("BadCapability", f"{', '.join(both)} is in cap_add too", path=("cap_drop",))
            )
        return self
