"""Networks: the options that a workload's own and a shared one have in common, and the shared one.

A shared network is what a file of ``kind: network`` declares; workloads name it ``NAME.network``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import ScalarForm
from workloadd.spec.pairs import parse_labels
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.process import parse_description
from workloadd.spec.text import as_line, as_list, kind, quote
from workloadd.spec.translate import validated

MAX_SUBNETS = 16
SHARED_NETWORK = ".network"
"""What a workload writes behind the name of a shared network."""

_HINT = "write for example 10.89.7.0/24, or {subnet: 10.89.7.0/24, gateway: 10.89.7.1}"
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
# Words that Podman takes for a way to be connected, or for its own network.
RESERVED_NETWORKS = frozenset(
    {"bridge", "container", "default", "host", "none", "ns", "pasta", "podman", "private",
     "slirp4netns"}
)  # fmt: skip

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_address(value: object, version: int | None = None) -> str:
    """An IP address in canonical form."""
    text = as_line(value)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise reject("BadAddress", f"{quote(text)} is not an IP address") from None
    if "%" in text:
        raise reject("BadAddress", f"{quote(text)} has an interface in it", "write it without %")
    if version and address.version != version:
        raise reject("BadAddress", f"{quote(text)} is not an IPv{version} address")
    return str(address)


def parse_interface_name(value: object) -> str:
    """The name of a network interface, as the kernel takes it (IFNAMSIZ)."""
    text = as_line(value)
    if not _INTERFACE.fullmatch(text):
        hint = "at most 15 letters, digits, “.”, “_” and “-”"
        raise reject("BadValue", f"{quote(text)} is not the name of an interface", hint)
    return text


def parse_options(value: object) -> dict[str, str]:
    """Options of a driver, sorted by name: a mapping or a list of KEY=VALUE."""
    return parse_labels(value)


def _subnet(value: object) -> str:
    text = as_line(value)
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        hint = f"write {ipaddress.ip_network(text, strict=False)}"
    except ValueError:
        hint = _HINT
    raise reject("BadSubnet", f"{quote(text)} is not a subnet", hint)


def _range(value: object) -> str:
    """``FIRST-LAST``, also of a range that is written as a subnet."""
    text = as_line(value)
    try:
        if "-" in text:
            first, last = (ipaddress.ip_address(part.strip()) for part in text.split("-"))
        else:
            inner = ipaddress.ip_network(text)
            first, last = inner[0], inner[-1]
    except ValueError:
        hint = "write for example 10.89.7.128/25 or 10.89.7.10-10.89.7.99"
        raise reject("BadSubnet", f"{quote(text)} is not a range of addresses", hint) from None
    if first.version != last.version or int(first) > int(last):
        raise reject("BadSubnet", f"the range {quote(text)} runs backwards")
    return f"{first}-{last}"


class Subnet(SpecModel):
    """One range of addresses of a network."""

    subnet: Annotated[str, BeforeValidator(_subnet, json_schema_input_type=str)] = Field(
        description="The addresses, in CIDR form.", examples=["10.89.7.0/24", "fd00:7::/64"]
    )
    gateway: Annotated[
        str | None,
        BeforeValidator(
            optional(parse_address),
            json_schema_input_type=str | None,
        ),
    ] = Field(
        default=None,
        description="The host's address in it; the first one where it is left out.",
        examples=["10.89.7.1"],
    )
    ip_range: Annotated[
        str | None, BeforeValidator(optional(_range), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="The part of it that gives addresses to containers which choose none.",
        examples=["10.89.7.128/25", "10.89.7.10-10.89.7.99"],
    )

    @model_validator(mode="after")
    def _lie_inside(self) -> Subnet:
        network = ipaddress.ip_network(self.subnet)
        inside = {
            "gateway": [self.gateway] if self.gateway else [],
            "ip_range": self.ip_range.split("-") if self.ip_range else [],
        }
        problems = [
            Problem("BadSubnet", f"{quote(address)} is not in {self.subnet}", "", (key,))
            for key, addresses in inside.items()
            for address in addresses[:2]
            if not _contains(network, address)
        ]
        if problems:
            raise ProblemsError(*problems)
        return self


def _contains(network: _Network, address: str) -> bool:
    return ipaddress.ip_address(address) in network


def _entry(value: object) -> Subnet:
    if isinstance(value, str):
        try:
            return Subnet.model_validate({"subnet": _subnet(value)})
        except ProblemsError as caught:
            raise caught from None
    if isinstance(value, dict | Subnet):
        return validated(Subnet, value)
    raise reject("WrongType", f"expected a subnet, got {kind(value)}", _HINT)


def parse_subnets(value: object) -> tuple[Subnet, ...]:
    """The value of ``subnets``, in the order of the file; none overlaps another."""
    subnets = each(enumerate(as_list(value, MAX_SUBNETS)), _entry)
    for index, subnet in subnets:
        network = ipaddress.ip_network(subnet.subnet)
        for other, before in subnets[:index]:
            if network.overlaps(ipaddress.ip_network(before.subnet)):
                why = f"{subnet.subnet} overlaps {before.subnet} of entry {other}"
                raise reject("BadSubnet", why, "", index)
    return tuple(subnet for _, subnet in subnets)


def _servers(value: object) -> tuple[str, ...]:
    return tuple(server for _, server in each(enumerate(as_list(value)), parse_address))


class NetworkOptions(SpecModel):
    """What can be said of a network, whoever it belongs to."""

    driver: Literal["bridge", "macvlan", "ipvlan"] = Field(
        default="bridge",
        description="How containers are connected: by a bridge of the host, or directly to one of "
        "its interfaces, which rootless Podman can do only inside its own namespace.",
        examples=["bridge"],
    )
    subnets: Annotated[
        tuple[Subnet, ...],
        BeforeValidator(parse_subnets, json_schema_input_type=list[str | Subnet]),
    ] = Field(
        default=(),
        description="The addresses it has, IPv4 and IPv6; Podman chooses where it is left out.",
        examples=[["10.89.7.0/24"], [{"subnet": "10.89.7.0/24", "gateway": "10.89.7.1"}]],
    )
    ipv6: bool = Field(default=False, description="Give it IPv6 addresses too.", examples=[True])
    internal: bool = Field(
        default=False,
        description="Have no way out of it: its containers reach each other and nothing else.",
        examples=[True],
    )
    dns: Annotated[tuple[str, ...], BeforeValidator(_servers, json_schema_input_type=list[str])] = (
        Field(
            default=(),
            description="Name servers that its containers ask; the host's where it is left out.",
            examples=[["9.9.9.9"]],
        )
    )
    disable_dns: bool = Field(
        default=False,
        description="Have its containers not find each other by name.",
        examples=[True],
    )
    options: Annotated[
        Mapping[str, str],
        BeforeValidator(
            parse_options, json_schema_input_type=dict[str, ScalarForm | None] | list[str]
        ),
    ] = Field(
        default_factory=dict,
        description="Options of the driver, as mtu, isolate, metric, vlan, parent or mode.",
        examples=[{"mtu": 1400, "isolate": True}],
    )
    ipam_driver: Literal["host-local", "dhcp", "none"] | None = Field(
        default=None,
        description="Who gives containers their addresses; host-local where it is left out, and "
        "dhcp for macvlan and ipvlan without subnets.",
        examples=["none"],
    )
    labels: Annotated[
        Mapping[str, str],
        BeforeValidator(
            parse_labels,
            json_schema_input_type=dict[str, ScalarForm | None] | list[str],
        ),
    ] = Field(
        default_factory=dict,
        description="Labels of the network, given to it when it is made.",
        examples=[{"org.example.team": "shop"}],
    )

    @model_validator(mode="after")
    def _agree(self) -> NetworkOptions:
        if problems := tuple(self._contradictions()):
            raise ProblemsError(*problems)
        return self

    def _contradictions(self) -> list[Problem]:
        found: list[Problem] = []
        if self.disable_dns and self.dns:
            why = "name servers have no use in a network with disable_dns"
            found.append(Problem("BadValue", why, "leave one of them out", ("dns",)))
        if self.ipam_driver in ("none", "dhcp") and self.subnets:
            why = f"subnets are not given out with ipam_driver {self.ipam_driver}"
            found.append(Problem("BadValue", why, "leave one of them out", ("subnets",)))
        if self.ipam_driver == "dhcp" and self.driver == "bridge":
            why = "dhcp is for macvlan and ipvlan"
            found.append(Problem("BadValue", why, "leave ipam_driver out", ("ipam_driver",)))
        return found

    def made_of(self) -> dict[str, Any]:
        """What cannot be changed of a network that is there: all but its labels."""
        return self.model_dump(
            mode="json",
            exclude_defaults=True,
            include=set(NetworkOptions.model_fields) - {"labels"},
        )


class NetworkSpec(NetworkOptions):
    """A network of a file of its own, which workloads share."""

    kind: Literal["network"] = Field(description="What the file declares.", examples=["network"])
    description: Annotated[str, BeforeValidator(parse_description, json_schema_input_type=str)] = (
        Field(default="", description="One line for people.", examples=["Between the shop's parts"])
    )
    interface_name: Annotated[
        str | None,
        BeforeValidator(optional(parse_interface_name), json_schema_input_type=str | None),
    ] = Field(
        default=None,
        description="Name of the bridge, or for macvlan and ipvlan of the interface of the host "
        "that it goes out by.",
        examples=["shop0"],
    )
    reclaim: Literal["delete", "retain"] = Field(
        default="delete",
        description="What becomes of the network when its file goes and nothing uses it any more.",
        examples=["retain"],
    )

    def made_of(self) -> dict[str, Any]:
        named = {"interface_name": self.interface_name} if self.interface_name else {}
        return super().made_of() | named
