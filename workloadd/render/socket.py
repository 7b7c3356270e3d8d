"""The socket units of a workload: systemd listens, and starts the service on a connection."""

from collections.abc import Sequence

from workloadd.core.names import TARGET
from workloadd.core.socket_units import socket_unit
from workloadd.spec.sockets import Socket, groups

_DEFAULT_MODE = 0o600
# Addresses that are there before any network is.
_ALWAYS_THERE = ("", "0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104 - nothing is bound here


def render_sockets(
    workload: str, service: str, sockets: Sequence[Socket], heading: Sequence[str]
) -> dict[str, str]:
    """The texts of the socket units that start the unit `service`, by name."""
    return {
        socket_unit(workload, name): _unit(workload, service, name or workload, some, heading)
        for name, some in groups(sockets).items()
    }


def _unit(
    workload: str, service: str, name: str, sockets: Sequence[Socket], heading: Sequence[str]
) -> str:
    lines = [
        *heading,
        "",
        "[Unit]",
        f"Description=Sockets of workload {workload}",
        "",
        "[Socket]",
        *(f"{_directive(socket)}={_address(socket)}" for socket in sockets),
        f"FileDescriptorName={name}",
        f"Service={service}",
        *_options(sockets),
        # A service that ends at once is started more slowly (PollLimitBurst=), not given up.
        "TriggerLimitIntervalSec=0",
        "",
        "[Install]",
        f"WantedBy={TARGET}",
        "",
    ]
    return "\n".join(lines)


def _directive(socket: Socket) -> str:
    return "ListenDatagram" if socket.kind == "udp" else "ListenStream"


def _address(socket: Socket) -> str:
    if socket.kind != "unix":
        return str(socket).removesuffix("/udp")
    for written, specifier in (("%t/", "%t/"), ("~/", "%h/")):
        if socket.address.startswith(written):
            return specifier + _escape(socket.address.removeprefix(written))
    return _escape(socket.address)


def _escape(path: str) -> str:
    return path.replace("%", "%%")


def _options(sockets: Sequence[Socket]) -> list[str]:
    options = []
    inet = {socket.address for socket in sockets if socket.kind != "unix"}
    if inet - set(_ALWAYS_THERE):
        # The address may come later than this unit.
        options.append("FreeBind=yes")
    if "::" in inet and "" not in inet:
        options.append("BindIPv6Only=ipv6-only")
    unix = [socket for socket in sockets if socket.kind == "unix"]
    if unix:
        mode = _DEFAULT_MODE if unix[0].mode is None else unix[0].mode
        options += [f"SocketMode={mode:04o}", "RemoveOnStop=yes"]
    return options
