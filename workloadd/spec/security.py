"""What a container may do, and what it is kept from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.capabilities import parse_capabilities
from workloadd.spec.forms import OctalForm
from workloadd.spec.modes import Octal, parse_mode
from workloadd.spec.paths import absolute_path, host_path
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.process import KEEP_GROUPS, parse_groups
from workloadd.spec.text import as_line, as_list, quote

UNCONFINED = "unconfined"
ALL_PATHS = "ALL"

_PROFILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}")
_SELINUX_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,127}")
_SELINUX_LEVEL = re.compile(r"s[0-9]{1,4}(?:-s[0-9]{1,4})?(?::c[0-9]{1,4}(?:[.,]c[0-9]{1,4})*)?")


def _seccomp(value: object) -> str:
    text = as_line(value)
    if text == UNCONFINED:
        return text
    if not text.startswith(("/", ".", "~")):
        hint = "leave it out for Podman's own profile" if text == "default" else f"write ./{text}"
        why = f"{quote(text)} is neither unconfined nor a path of the host"
        raise reject("BadValue", why, hint)
    return host_path(text)


def _apparmor(value: object) -> str:
    text = as_line(value)
    if not _PROFILE.fullmatch(text):
        hint = "write the name of a profile that the host has loaded, or unconfined"
        raise reject("BadValue", f"{quote(text)} is not the name of a profile", hint)
    return text


def _selinux_type(value: object) -> str:
    text = as_line(value)
    if not _SELINUX_TYPE.fullmatch(text):
        raise reject("BadValue", f"{quote(text)} is not a type", "write for example container_t")
    return text


def _selinux_level(value: object) -> str:
    text = as_line(value)
    if not _SELINUX_LEVEL.fullmatch(text):
        raise reject("BadValue", f"{quote(text)} is not a level", "write for example s0:c1,c2")
    return text


def _paths(value: object) -> tuple[str, ...]:
    paths = each(enumerate(as_list(value)), absolute_path)
    return tuple(sorted({path for _, path in paths}))


def _unmasked(value: object) -> tuple[str, ...]:
    """Paths, or ``ALL``, which comprises them."""
    if ALL_PATHS in as_list(value):
        return (ALL_PATHS,)
    return _paths(value)


_Type = Annotated[
    str | None, BeforeValidator(optional(_selinux_type), json_schema_input_type=str | None)
]
_Capabilities = Annotated[
    tuple[str, ...], BeforeValidator(parse_capabilities, json_schema_input_type=list[str])
]


class Selinux(SpecModel):
    """How SELinux labels the container's processes and files."""

    disable: bool = Field(
        default=False,
        description="Run without SELinux's separation of the container from the host.",
        examples=[True],
    )
    type: _Type = Field(
        default=None, description="Type of the processes.", examples=["container_net_t"]
    )
    level: Annotated[
        str | None, BeforeValidator(optional(_selinux_level), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Level of processes and files; Podman picks one of its own where it is left "
        "out.",
        examples=["s0:c100,c200"],
    )
    filetype: _Type = Field(
        default=None, description="Type of the files.", examples=["container_file_t"]
    )
    nested: bool = Field(
        default=False,
        description="Let containers inside the container label their files and processes.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _disabled_alone(self) -> Selinux:
        if self.disable and (self.type or self.level or self.filetype or self.nested):
            why = "nothing is labelled when it is disabled"
            raise ProblemsError(Problem("BadValue", why, "leave the other keys out", ("disable",)))
        return self


class SecuritySpec(SpecModel):
    """Rights and confinement of a container."""

    privileged: bool = Field(
        default=False,
        description="Give it every capability and device that the user has, and no confinement by "
        "seccomp, SELinux or AppArmor.",
        examples=[True],
    )
    no_new_privileges: bool = Field(
        default=True,
        description="Keep processes from gaining rights, as by set-uid programs (sudo, ping).",
        examples=[False],
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
    group_add: Annotated[
        tuple[str, ...],
        BeforeValidator(parse_groups, json_schema_input_type=list[str | int]),
    ] = Field(
        default=(),
        description="Further groups of the process, by name or number in the container; "
        f"{KEEP_GROUPS} alone keeps those of the user on the host.",
        examples=[["audio", 100], [KEEP_GROUPS]],
    )
    read_only: bool = Field(
        default=False,
        description="Make the container's root file system read-only.",
        examples=[True],
    )
    read_only_tmpfs: bool = Field(
        default=True,
        description="With read_only, keep /run, /tmp and /var/tmp writable, in memory.",
        examples=[False],
    )
    umask: Annotated[
        Octal,
        BeforeValidator(
            optional(lambda value: parse_mode(value, 0o777)),
            json_schema_input_type=OctalForm | None,
        ),
    ] = Field(
        default=None,
        description="Permission bits that new files do not get, octal; 0022 where it is left out.",
        examples=["0027"],
    )
    seccomp: Annotated[
        str | None, BeforeValidator(optional(_seccomp), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Seccomp profile in place of Podman's: a file of the host, read when the "
        "container is made, or unconfined.",
        examples=["/etc/seccomp/web.json", UNCONFINED],
    )
    apparmor: Annotated[
        str | None, BeforeValidator(optional(_apparmor), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="AppArmor profile that the host has loaded, or unconfined.",
        examples=["web", UNCONFINED],
    )
    selinux: Selinux = Field(
        default_factory=Selinux,
        description="How SELinux labels the container.",
        examples=[{"type": "container_net_t"}, {"disable": True}],
    )
    mask: Annotated[tuple[str, ...], BeforeValidator(_paths, json_schema_input_type=list[str])] = (
        Field(
            default=(),
            description="Paths to hide from the container, beyond those that Podman hides.",
            examples=[["/proc/cpuinfo"]],
        )
    )
    unmask: Annotated[
        tuple[str, ...], BeforeValidator(_unmasked, json_schema_input_type=list[str])
    ] = Field(
        default=(),
        description="Paths not to hide, as patterns; ALL hides none.",
        examples=[["/proc/acpi"], [ALL_PATHS]],
    )

    @model_validator(mode="after")
    def _capabilities_agree(self) -> SecuritySpec:
        # Podman refuses such a container, at a time when nobody is looking at the file.
        if both := sorted(set(self.cap_add) & set(self.cap_drop)):
            raise ProblemsError(
                Problem("BadCapability", f"{', '.join(both)} is in cap_add too", path=("cap_drop",))
            )
        if self.privileged and (self.cap_add or self.cap_drop):
            key = "cap_add" if self.cap_add else "cap_drop"
            why = "a privileged container has every capability"
            hint = "leave it out, or leave privileged out"
            raise ProblemsError(Problem("BadCapability", why, hint, (key,)))
        return self
