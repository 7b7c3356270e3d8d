"""What the containers of a pod share, and a container on its own has for itself: the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.attachments import Attachment, parse_networks
from workloadd.spec.dns import DnsSpec
from workloadd.spec.forms import DurationForm
from workloadd.spec.namespaces import NamespacesSpec
from workloadd.spec.ports import Port, PortEntry, parse_ports, same_host_port
from workloadd.spec.problems import Problem, ProblemsError
from workloadd.spec.process import parse_hostname
from workloadd.spec.sockets import Socket, SocketEntry, parse_idle_timeout, parse_sockets
from workloadd.spec.text import quote


class SandboxSpec(NamespacesSpec, DnsSpec):
    """The surroundings of a workload's containers."""

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
    networks: Annotated[
        Mapping[str, Attachment],
        BeforeValidator(
            parse_networks, json_schema_input_type=list[str] | dict[str, Attachment | None]
        ),
    ] = Field(
        default_factory=dict,
        description="Networks to be in, by name: NAME.network is the shared one that NAME.yaml "
        "declares, any other one of the workload's own. Without one it reaches out, and nobody in.",
        examples=[["shop.network"], {"back": {"internal": True, "aliases": ["db"]}}],
    )
    sockets: Annotated[
        tuple[Socket, ...],
        BeforeValidator(parse_sockets, json_schema_input_type=list[int | str | SocketEntry]),
    ] = Field(
        default=(),
        description="Sockets on which systemd listens, and which the program gets as open "
        "descriptors (LISTEN_FDS, from 3 on, in this order) when somebody first connects: "
        "[IP:]PORT[/udp], the path of a Unix socket, or the long form.",
        examples=[[8080, "127.0.0.1:8443"], [{"listen": "%t/web.sock", "name": "http"}]],
    )
    idle_timeout: Annotated[
        float | None, BeforeValidator(parse_idle_timeout, json_schema_input_type=DurationForm)
    ] = Field(
        default=None,
        description="Stop it when nobody has been connected to its sockets for so long; the next "
        "connection starts it again.",
        examples=["10m"],
        json_schema_extra={"beside": {"sockets": [8080]}},
    )

    @model_validator(mode="after")
    def _network_agrees(self) -> SandboxSpec:
        problems = []
        mode = self.network_mode
        if self.ports and (mode == "none" or not self.has_own_network):
            why = f"nothing can be published with network_mode {mode}"
            hint = "leave it out: the container's ports are the host's" if mode == "host" else ""
            problems.append(Problem("BadValue", why, hint, ("ports",)))
        if self.networks and mode is not None:
            why = f"network_mode {mode} leaves no place for networks"
            problems.append(Problem("BadValue", why, "leave one of them out", ("networks",)))
        for key in ("dns", "dns_opt", "dns_search"):
            if mode == "none" and getattr(self, key):
                why = "there is nobody to ask with network_mode none"
                problems.append(Problem("BadValue", why, path=(key,)))
        if problems:
            raise ProblemsError(*problems)
        return self

    @model_validator(mode="after")
    def _sockets_agree(self) -> SandboxSpec:
        problems = []
        for index, socket in enumerate(self.sockets):
            for port in self.ports:
                if same_host_port(socket.host, port.host):
                    why = f"{quote(str(socket))} is published by ports as well ({port})"
                    problems.append(Problem("DuplicateHostPort", why, "", ("sockets", index)))
        if self.idle_timeout is not None and not self.sockets:
            why = "nothing would start it again: it has no sockets"
            problems.append(Problem("BadValue", why, path=("idle_timeout",), at_key=True))
        if self.idle_timeout is not None and any(s.kind == "udp" for s in self.sockets):
            why = "whether a UDP socket is in use cannot be told"
            problems.append(Problem("BadValue", why, path=("idle_timeout",), at_key=True))
        if problems:
            raise ProblemsError(*problems)
        return self
