"""Advice on how a workload is reached."""

from __future__ import annotations

from collections.abc import Iterator

from workloadd.spec.advice.rule import WorkloadView
from workloadd.spec.problems import Problem

_SOCKETS = (
    "if it matters: write sockets instead of ports where the program takes them from systemd, "
    "or do without networks and network_mode"
)


def host_network(view: WorkloadView) -> Iterator[Problem]:
    """Also what listens on the host's loopback for the host alone can be reached from within."""
    if view.spec.network_mode == "host":
        why = "it reaches all that listens on the host, and its ports are not kept apart"
        hint = "leave it out and publish its ports under ports"
        yield Problem("HostNetwork", why, hint, ("network_mode",))


def source_address_lost(view: WorkloadView) -> Iterator[Problem]:
    """A proxy in user space makes the connections there; pasta keeps the client's address."""
    spec = view.spec
    if not spec.ports or not (spec.networks or _is_proxied(spec.network_mode or "")):
        return
    where = f"with network_mode {spec.network_mode}" if spec.network_mode else "in a network"
    why = f"{where} it is not told who connects: all seem to be one"
    yield Problem("SourceAddressLost", why, _SOCKETS, ("ports",), at_key=True)


def _is_proxied(mode: str) -> bool:
    kind, _, options = mode.partition(":")
    return kind == "bridge" or (kind == "slirp4netns" and "port_handler=slirp4netns" not in options)


def privileged_port(view: WorkloadView) -> Iterator[Problem]:
    """Neither the user's Podman nor the user's systemd may listen there."""
    first = view.limits.first_port
    for (_, number, _), path in view.host_paths.items():
        if 0 < number < first:
            why = f"port {number} is below {first}, where only root may listen"
            hint = (
                f"choose a port from {first} on, or allow it on the host: "
                f"sysctl net.ipv4.ip_unprivileged_port_start={number}"
            )
            yield Problem("PrivilegedPort", why, hint, path)
