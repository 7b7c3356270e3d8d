"""The content of a workload file, validated, fully defaulted and in canonical form.

Every short form becomes its long form, and what has no order is sorted, so that files that mean the
same give equal specs.  Descriptions and examples of the fields are what documentation and the JSON
schema are made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.container import ContainerSpec
from workloadd.spec.dependencies import DependsOn, pod_problems
from workloadd.spec.expose import ExposeSpec
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.owners import outside
from workloadd.spec.pod import PodContainer, parse_containers, parse_share, socket_problems
from workloadd.spec.problems import Path, Problem, ProblemsError
from workloadd.spec.process import parse_description
from workloadd.spec.sandbox import SandboxSpec
from workloadd.spec.update import UpdateSpec
from workloadd.spec.versions import version_problems


class WorkloadSpec(SandboxSpec, UpdateSpec):
    """What all kinds of workload have in common: something to run, in surroundings of its own."""

    description: Annotated[str, BeforeValidator(parse_description, json_schema_input_type=str)] = (
        Field(
            default="",
            description="One line for people; the unit's description.",
            examples=["The company's web site"],
        )
    )
    enabled: bool = Field(
        default=True,
        description="Whether the workload is to run; false stops it and keeps what it has.",
        examples=[False],
    )

    depends_on: DependsOn = Field(
        default_factory=dict,
        description="Workloads that have to be there before this one is started.",
        examples=[["db"], {"db": {"condition": "healthy"}}],
    )

    @property
    def containers_by_name(self) -> Mapping[str, ContainerSpec]:
        """The containers to run; one that the file does not name is called main."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _owners_are_known(self) -> WorkloadSpec:
        if problems := tuple(self._unknown_owners()):
            raise ProblemsError(*problems)
        return self

    @model_validator(mode="after")
    def _can_start_first(self) -> WorkloadSpec:
        if self.update.order == "start-first" and (why := self._clash()):
            hint = "write order: stop-first, or use sockets, which systemd holds open for both"
            raise ProblemsError(Problem("BadValue", why, hint, ("update", "order")))
        return self

    @model_validator(mode="after")
    def _versions_are_of_images(self) -> WorkloadSpec:
        images = {name: one.image for name, one in self.containers_by_name.items()}
        if problems := tuple(version_problems(self.update.version, images)):
            raise ProblemsError(*problems)
        return self

    def _clash(self) -> str:
        """What two deployments side by side would both want, if anything."""
        if self.ports:
            return f"two containers cannot both have the host port {self.ports[0].host_port}"
        if (self.network_mode or "").startswith("host"):
            return "on the host's network two containers would want the same ports"
        for name, one in self.networks.items():
            if one.ipv4_address or one.ipv6_address or one.mac_address:
                return f"two containers cannot both have the same address in the network {name}"
        return ""

    def _unknown_owners(self) -> Iterator[Problem]:
        """Files are given to users before the container runs."""
        for name, container in self.containers_by_name.items():
            above: Path = () if name == MAIN_CONTAINER else ("containers", name)
            for path, file in container.files.items():
                if (file.uid or file.gid) and outside(self, file.uid, file.gid) is None:
                    why = "who that is on the host is not known beforehand"
                    hint = "write userns_mode: keep-id:uid=…,gid=…, or leave the owner out"
                    yield Problem("BadValue", why, hint, (*above, "files", path))

    def canonical(self) -> str:
        """The spec as JSON, from which a digest can be made; it holds environment values.

        Defaults are left out, so that a release that adds a field does not make a new revision of
        every workload on a host.  Keys are sorted, but for the containers that run to their end one
        after the other: their order is a part of what is meant.
        """
        content: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        ordered = {key: _in_order(content[key]) for key in sorted(content)}
        if isinstance(parts := ordered.get("containers"), dict):
            first = [name for name in content["containers"] if parts[name].get("init")]
            names = [*first, *(name for name in parts if name not in first)]
            ordered["containers"] = {name: parts[name] for name in names}
        return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)


def _in_order(value: object) -> Any:
    """``value`` with the keys of every mapping in it sorted."""
    match value:
        case dict():
            return {key: _in_order(value[key]) for key in sorted(value)}
        case list():
            return [_in_order(one) for one in value]
    return value


class ServiceSpec(WorkloadSpec, ExposeSpec, ContainerSpec):
    """One container under one systemd unit."""

    kind: Literal["service"] = Field(
        default="service", description="What the file declares.", examples=["service"]
    )

    @model_validator(mode="after")
    def _only_one_container(self) -> ServiceSpec:
        named = [i for i, socket in enumerate(self.sockets) if socket.container]
        if named:
            why = "only a workload with containers has one to name"
            paths: list[Path] = [("sockets", index, "container") for index in named]
            raise ProblemsError(*[Problem("BadValue", why, path=path) for path in paths])
        return self

    @property
    def containers_by_name(self) -> Mapping[str, ContainerSpec]:
        return {MAIN_CONTAINER: self}


class PodSpec(WorkloadSpec):
    """Several containers that share their surroundings, each under a unit of its own."""

    kind: Literal["service"] = Field(
        default="service", description="What the file declares.", examples=["service"]
    )
    containers: Annotated[
        Mapping[str, PodContainer],
        BeforeValidator(parse_containers, json_schema_input_type=dict[str, PodContainer]),
    ] = Field(
        description="Several containers by name, in a pod: they share the network. The fields of "
        "a container are then below its name.",
        examples=[{"web": {"image": "docker.io/library/nginx:1.27"}}],
    )

    share: Annotated[
        tuple[Literal["ipc", "pid"], ...],
        BeforeValidator(parse_share, json_schema_input_type=list[Literal["ipc", "pid"]]),
    ] = Field(
        default=("ipc",),
        description="What the containers share besides the network and the host name: ipc (shared "
        "memory, semaphores), pid (they see each other's processes).",
        examples=[["ipc", "pid"], []],
    )

    @model_validator(mode="after")
    def _sockets_have_a_container(self) -> PodSpec:
        problems = list(socket_problems(self.sockets, self.containers))
        if problems:
            raise ProblemsError(*problems)
        return self

    @model_validator(mode="after")
    def _containers_wait_for_each_other(self) -> PodSpec:
        parts = {n: (c.depends_on, c.init) for n, c in self.containers.items()}
        if problems := tuple(pod_problems(parts)):
            raise ProblemsError(*problems)
        return self

    def _clash(self) -> str:
        return "a pod is replaced container by container"

    @property
    def containers_by_name(self) -> Mapping[str, ContainerSpec]:
        return self.containers
