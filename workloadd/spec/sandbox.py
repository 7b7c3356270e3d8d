"""What the containers of a pod share, and a container on its own has for itself: the network."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from workloadd.spec.ports import Port, PortEntry, parse_ports
from workloadd.spec.process import parse_hostname


class SandboxSpec(BaseModel):
    """The surroundings of a workload's containers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    hostname: Annotated[
        str | None, BeforeValidator(parse_hostname, json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="Host name inside the container; the workload's name where it is left out.",
        examples=["web"],
    )
    ports: Annotated[
        tuple[Port, ...],
        BeforeValidator(parse_ports, json_schema_input_type=list[str | PortEntry]),
    ] = Field(
        default=(),
        description="Ports of the host that lead to ports of the container: "
        "[[IP:]HOST:]CONTAINER[/PROTOCOL], or the long form.",
        examples=[["8080:80"], [{"target": 53, "published": 5353, "protocol": "udp"}]],
    )
