"""Where Unix sockets are to be: systemd deletes whatever file is in their place."""

import stat
from collections.abc import Iterable
from pathlib import Path

from workloadd.core.errors import Permanent
from workloadd.spec.sockets import Socket


def socket_path(socket: Socket, runtime: Path, home: Path) -> Path:
    """The path of a Unix socket; `runtime` and `home` are what `%t` and `~` stand for."""
    root, _, rest = socket.address.partition("/")
    return {"%t": runtime, "~": home}.get(root, Path("/")) / rest


def check_socket_paths(sockets: Iterable[Socket], runtime: Path, home: Path) -> None:
    """See that no file but a socket is where a Unix socket is to be. Blocks.

    Raises:
        Permanent: there is one, or it cannot be looked at.
    """
    for socket in sockets:
        if socket.kind == "unix":
            _check(socket_path(socket, runtime, home))


def _check(path: Path) -> None:
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise Permanent(
            "SocketUnusable",
            f"cannot listen on {path}: {error.strerror}",
            "the user that runs workloadd needs access to its directory",
        ) from error
    if not is_socket:
        raise Permanent(
            "SocketUnusable",
            f"cannot listen on {path}: there is something else than a socket",
            "remove it, or choose another path",
        )
