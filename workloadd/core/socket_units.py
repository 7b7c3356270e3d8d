"""A workload's sockets: how a container remembers them, and the units that listen on them."""

from collections.abc import Iterable

from workloadd.core.names import UNIT_PREFIX
from workloadd.spec.problems import ProblemsError
from workloadd.spec.sockets import Socket, groups, parse_listen

SOCKET_SUFFIX = ".socket"


def to_texts(sockets: Iterable[Socket]) -> tuple[str, ...]:
    """Sockets as they are kept in a container's label: NAME:MODE:LISTEN."""
    return tuple(
        f"{socket.name}:{'' if socket.mode is None else f'{socket.mode:o}'}:{socket}"
        for socket in sockets
    )


def from_texts(texts: Iterable[str]) -> tuple[Socket, ...]:
    """The sockets of a label; what another version wrote and this one cannot read is left out."""
    found = []
    for text in texts:
        name, _, rest = text.partition(":")
        mode, _, listen = rest.partition(":")
        try:
            more = {"name": name, "mode": int(mode, 8) if mode else None}
            found.append(parse_listen(listen).model_copy(update=more))
        except (ProblemsError, ValueError):
            continue
    return tuple(found)


def socket_unit(workload: str, name: str) -> str:
    """The unit that listens on the sockets of one name: `workload-NAME[_SOCKET].socket`."""
    return f"{UNIT_PREFIX}{workload}{'_' if name else ''}{name}{SOCKET_SUFFIX}"


def socket_units(workload: str, texts: Iterable[str]) -> tuple[str, ...]:
    """The units that listen on the sockets of a label."""
    return tuple(socket_unit(workload, name) for name in groups(from_texts(texts)))
