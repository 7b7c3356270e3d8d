"""Networks as Podman is to make them, and a container's or pod's place in them.

Field names are those of `types.Network` and `types.PerNetworkOptions` (containers/common,
libnetwork/types), which `networks/create`, `SpecGenerator` and `PodSpecGenerator` read.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from workloadd.core.names import network_name
from workloadd.spec.attachments import Attachment
from workloadd.spec.network import NetworkOptions, NetworkSpec, Subnet


def render_network(name: str, spec: NetworkOptions, labels: Mapping[str, str]) -> dict[str, Any]:
    """The network to create; `labels` are those by which it is known as ours."""
    interface = spec.interface_name if isinstance(spec, NetworkSpec) else None
    optional: Mapping[str, Any] = {
        "subnets": [_subnet(subnet) for subnet in spec.subnets],
        "network_dns_servers": list(spec.dns),
        "options": dict(spec.options),
        "ipam_options": {"driver": spec.ipam_driver} if spec.ipam_driver else {},
        "network_interface": interface,
    }
    has_ipv6 = any(ipaddress.ip_network(one.subnet).version == 6 for one in spec.subnets)
    return {
        "name": name,
        "driver": spec.driver,
        "ipv6_enabled": spec.ipv6 or has_ipv6,
        "internal": spec.internal,
        # Only a bridge has somebody who answers.
        "dns_enabled": spec.driver == "bridge" and not spec.disable_dns,
        "labels": {**spec.labels, **labels},
        **{key: value for key, value in optional.items() if value},
    }


def _subnet(subnet: Subnet) -> dict[str, Any]:
    rendered: dict[str, Any] = {"subnet": subnet.subnet}
    if subnet.gateway:
        rendered["gateway"] = subnet.gateway
    if subnet.ip_range:
        first, last = subnet.ip_range.split("-")
        rendered["lease_range"] = {"start_ip": first, "end_ip": last}
    return rendered


def render_attachments(workload: str, networks: Mapping[str, Attachment]) -> dict[str, Any]:
    """The networks of a workload, where it is known by its own name in each."""
    if not networks:
        return {}
    return {
        # The service takes networks for nothing but this mode.
        "netns": {"nsmode": "bridge"},
        "Networks": {
            network_name(workload, name): _attachment(workload, attachment)
            for name, attachment in networks.items()
        },
    }


def _attachment(workload: str, attachment: Attachment) -> dict[str, Any]:
    addresses = [a for a in (attachment.ipv4_address, attachment.ipv6_address) if a]
    optional: Mapping[str, Any] = {
        "static_ips": addresses,
        "static_mac": attachment.mac_address,
        "interface_name": attachment.interface_name,
    }
    return {
        "aliases": list(dict.fromkeys((workload, *attachment.aliases))),
        **{key: value for key, value in optional.items() if value},
    }
