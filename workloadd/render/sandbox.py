"""What containers of a pod share, and one on its own has for itself, in a specification.

`SpecGenerator` and `PodSpecGenerator` have the same names for all of it but `expose`.
"""

from typing import Any

from workloadd.spec.expose import ExposeSpec
from workloadd.spec.idmaps import ranges
from workloadd.spec.ports import Port
from workloadd.spec.sandbox import SandboxSpec

# Modes by the names that they have in the API, where these are others.
_USERNS = {"nomap": "no-map"}


def render_sandbox(spec: SandboxSpec) -> dict[str, Any]:
    """The surroundings of a container on its own."""
    rendered = render_sandbox_for_pod(spec)
    if isinstance(spec, ExposeSpec) and spec.expose:
        exposed: dict[str, list[str]] = {}
        for port in spec.expose:
            number, _, protocol = port.partition("/")
            exposed.setdefault(number, []).append(protocol)
        rendered["expose"] = {number: ",".join(names) for number, names in exposed.items()}
    return rendered


def render_sandbox_for_pod(spec: SandboxSpec) -> dict[str, Any]:
    """The surroundings of a pod's containers, for `POST /libpod/pods/create`.

    The host name is not among them: whoever makes the pod knows the workload's.
    """
    optional: dict[str, Any] = {
        "portmappings": [_port(port) for port in spec.ports],
        "dns_server": list(spec.dns),
        "dns_option": list(spec.dns_opt),
        "dns_search": list(spec.dns_search),
        "hostadd": list(spec.extra_hosts),
        "shm_size": spec.shm_size,
        "sysctl": dict(spec.sysctls),
    }
    return {
        **{key: value for key, value in optional.items() if value},
        **_network(spec.network_mode),
        **_users(spec),
    }


def _port(port: Port) -> dict[str, Any]:
    return {
        "host_ip": port.host_ip,
        "host_port": port.host_port,
        "container_port": port.container_port,
        "protocol": port.protocol,
    }


def _network(mode: str | None) -> dict[str, Any]:
    if mode is None:
        return {}
    name, _, rest = mode.partition(":")
    if name == "ns":
        return {"netns": {"nsmode": "path", "value": rest}}
    rendered: dict[str, Any] = {"netns": {"nsmode": name}}
    if rest:
        rendered["network_options"] = {name: rest.split(",")}
    return rendered


def _users(spec: SandboxSpec) -> dict[str, Any]:
    if spec.uid_map:
        maps = {"UIDMap": spec.uid_map, "GIDMap": spec.gid_map or spec.uid_map}
        mapped = {key: [_range(*one) for one in ranges(value)] for key, value in maps.items()}
        return {"userns": {"nsmode": "private"}, "idmappings": mapped}
    if spec.userns_mode is None:
        return {}
    mode, _, rest = spec.userns_mode.partition(":")
    namespace = {"nsmode": _USERNS.get(mode, mode)}
    if rest:
        namespace["value"] = rest
    if mode != "auto":
        return {"userns": namespace}
    return {"userns": namespace, "idmappings": _automatic(rest)}


def _automatic(options: str) -> dict[str, Any]:
    """The options of `auto` as Podman's own client sends them: the service reads no others."""
    chosen = [option.partition("=")[::2] for option in options.split(",") if option]
    maps = {
        name: [_range(*one) for key, value in chosen if key == option for one in ranges((value,))]
        for name, option in (
            ("AdditionalUIDMappings", "uidmapping"),
            ("AdditionalGIDMappings", "gidmapping"),
        )
    }
    size = next((int(value) for key, value in chosen if key == "size"), 0)
    return {"AutoUserNs": True, "AutoUserNsOpts": {"Size": size, **maps}}


def _range(inside: int, outside: int, size: int) -> dict[str, int]:
    return {"container_id": inside, "host_id": outside, "size": size}
