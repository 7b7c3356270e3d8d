"""The namespaces of a container: of network, users and shared memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import ScalarForm, SizeForm
from workloadd.spec.idmaps import parse_map, parse_userns
from workloadd.spec.paths import absolute_path
from workloadd.spec.problems import Problem, ProblemsError, reject
from workloadd.spec.sysctls import parse_sysctls
from workloadd.spec.text import as_line, did_you_mean, one_of, quote
from workloadd.spec.units import parse_size

PAGE = 4096
NETWORK_MODES = ("bridge", "host", "none", "pasta", "private", "slirp4netns")
_WITH_OPTIONS = ("pasta", "slirp4netns")
# Without a network of its own, a container has nothing to publish and no parameters to set.
_NOT_OWN = ("host", "ns")
_POD = "write both below containers: what is in one workload shares its network"


def parse_network_mode(value: object) -> str:
    """A mode with its options, or ``ns:`` and the path of a namespace."""
    text = as_line(value)
    mode, colon, rest = text.partition(":")
    if mode == "ns" and colon:
        return f"ns:{absolute_path(rest)}"
    if mode in ("container", "service"):
        raise reject("BadValue", f"{quote(text)} is the network of another container", _POD)
    if mode not in NETWORK_MODES:
        hint = did_you_mean(mode, NETWORK_MODES) or "write a network's name under networks"
        raise reject("BadValue", f"{quote(text)} is not one of {one_of(NETWORK_MODES)}", hint)
    if not colon:
        return mode
    options = rest.split(",")
    if mode not in _WITH_OPTIONS:
        raise reject("BadValue", f"{mode} has no options")
    if not all(option.strip() for option in options):
        why = "there is an empty option"
        raise reject("BadValue", why, "write for example pasta:--mtu,1500")
    return f"{mode}:{','.join(option.strip() for option in options)}"


def _shm_size(value: object) -> int:
    size = parse_size(value)
    if size < PAGE:
        raise reject("BadValue", f"{size} bytes are less than a page of {PAGE}")
    return size


_Map = Annotated[tuple[str, ...], BeforeValidator(parse_map, json_schema_input_type=list[str])]


class NamespacesSpec(SpecModel):
    """What a container has for itself of network, users and memory, and what it shares."""

    network_mode: Annotated[
        str | None,
        BeforeValidator(optional(parse_network_mode), json_schema_input_type=str | None),
    ] = Field(
        default=None,
        description="How it is connected: private (a network of its own by Podman's usual means), "
        "pasta or slirp4netns with options, bridge (Podman's default network), host, none, or "
        "ns:PATH.",
        examples=["host", "none", "pasta:--map-gw"],
    )
    userns_mode: Annotated[
        str | None, BeforeValidator(optional(parse_userns), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Which users it has: host (root inside is the user of the host), keep-id (the "
        "user keeps its ID), auto (IDs that no other container has) or nomap, the second and third "
        "with options.",
        examples=["keep-id", "keep-id:uid=1000,gid=1000", "auto:size=65536"],
    )
    uid_map: _Map = Field(
        default=(),
        description="Users of the container by those of the user's range: CONTAINER:USER:SIZE, "
        "where USER 0 is the user itself and 1 the first of its subordinate IDs.",
        examples=[["0:1:1000"]],
    )
    gid_map: _Map = Field(
        default=(),
        description="Groups likewise; as uid_map where it is left out.",
        examples=[["0:1:1000"]],
        json_schema_extra={"beside": {"uid_map": ["0:1:1000"]}},
    )
    shm_size: Annotated[
        int | None, BeforeValidator(optional(_shm_size), json_schema_input_type=SizeForm | None)
    ] = Field(
        default=None,
        description="Size of /dev/shm; 64 MiB where it is left out.",
        examples=["256m"],
    )
    sysctls: Annotated[
        Mapping[str, str],
        BeforeValidator(parse_sysctls, json_schema_input_type=dict[str, ScalarForm] | list[str]),
    ] = Field(
        default_factory=dict,
        description="Kernel parameters of its network and shared memory; a mapping or a list of "
        "KEY=VALUE.",
        examples=[{"net.core.somaxconn": 1024}],
    )

    @model_validator(mode="after")
    def _namespaces_agree(self) -> NamespacesSpec:
        if problems := tuple(self._contradictions()):
            raise ProblemsError(*problems)
        return self

    def _contradictions(self) -> Iterator[Problem]:
        if self.userns_mode and (self.uid_map or self.gid_map):
            key = "uid_map" if self.uid_map else "gid_map"
            why = f"userns_mode {quote(self.userns_mode)} says already which users it has"
            yield Problem("BadValue", why, "leave one of them out", (key,))
        if self.gid_map and not self.uid_map:
            why = "users are to be mapped too"
            yield Problem("MissingField", why, "write uid_map as well", ("gid_map",))
        if not self.has_own_network:
            for name in self.sysctls:
                if name.startswith("net."):
                    why = f"with network_mode {self.network_mode} it is not the container's to set"
                    yield Problem("BadValue", why, "", ("sysctls", name), at_key=True)

    @property
    def has_own_network(self) -> bool:
        """Whether the network is the container's own, to publish ports of and to tune."""
        return (self.network_mode or "").partition(":")[0] not in _NOT_OWN
