"""A process of its own that makes sockets in the networks of containers.

setns(2) changes the process that calls it, and for a user namespace that must have one thread: not
the daemon. This one joins the user namespace of rootless Podman, once. In there it has all
capabilities, so that it may join the network of any container below it and make a socket, which
belongs to that network for life (network_namespaces(7)) wherever its descriptor is sent to.

It is run by its path or by name, imports nothing of workloadd, and of the standard library only
what is small: it costs 2 MB. It ends when the daemon does, by the end of file on its socket.

A request is a datagram, `NUMBER PID CONTAINER FAMILY`. Without a container it asks to join only,
by any process in Podman's user namespace. The answer is `NUMBER WORD` and perhaps a message:

    socket   the descriptor comes along
    host     the container has the network that this process began in: any socket reaches it
    gone     there is no such process, or it is not that container's (any more)
    denied   it cannot be joined; the message says why
"""

import _socket
import fcntl
import posix
import sys

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
# ioctl_ns(2)
_NS_GET_USERNS, _NS_GET_PARENT = 0xB701, 0xB702
_READ = posix.O_RDONLY | posix.O_CLOEXEC
_MOST = 512

if sys.version_info >= (3, 12):
    from posix import setns as _setns
    from posix import unshare as _unshare
else:
    import ctypes

    _libc = ctypes.CDLL(None, use_errno=True)

    def _setns(descriptor: int, kind: int) -> None:
        _check(_libc.setns(descriptor, kind))

    def _unshare(kind: int) -> None:
        _check(_libc.unshare(kind))

    def _check(result: int) -> None:
        if result:
            code = ctypes.get_errno()
            raise OSError(code, posix.strerror(code))


class _GoneError(Exception):
    """There is no such process, or it is another one."""


class Joiner:
    """Joins namespaces. It keeps nothing open but the empty network that it waits in."""

    def __init__(self) -> None:
        self._own_user = posix.stat("/proc/self/ns/user").st_ino
        self._own_network = posix.stat("/proc/self/ns/net").st_ino
        self._home: int | None = None

    def join(self, pid: int) -> None:
        """Join the user namespace of a process.

        Raises:
            OSError: it cannot be joined.
        """
        user = posix.open(f"/proc/{pid}/ns/user", _READ)
        try:
            self._join_user(user)
        finally:
            posix.close(user)

    def socket(self, pid: int, container: str, family: int) -> _socket.socket | None:
        """A TCP socket in the network of a container; None where that is the host's.

        Raises:
            _GoneError: the process is not the container's.
            OSError: it cannot be joined.
        """
        try:
            process = posix.open(f"/proc/{pid}", _READ | posix.O_DIRECTORY)
        except FileNotFoundError:
            raise _GoneError from None
        try:
            # What is opened below this directory is of this process, whoever gets its number next.
            network = _network(process, container)
        finally:
            posix.close(process)
        try:
            if posix.fstat(network).st_ino == self._own_network:
                return None
            self._join_owner(network)
            return self._make(network, family)
        finally:
            posix.close(network)

    def _join_owner(self, network: int) -> None:
        if self._home is not None:
            return
        user = fcntl.ioctl(network, _NS_GET_USERNS)
        try:
            self._join_user(user)
        finally:
            posix.close(user)

    def _join_user(self, user: int) -> None:
        """Join the outermost namespace around one, which is Podman's: it is our user's."""
        if self._home is not None:
            return
        if posix.fstat(user).st_ino == self._own_user:
            raise PermissionError(1, "it is in no user namespace of Podman's")
        outermost = self._outermost(posix.dup(user))
        try:
            _setns(outermost, _CLONE_NEWUSER)
        finally:
            posix.close(outermost)
        # A network that nobody uses: to stay in a container's would keep that from going.
        _unshare(_CLONE_NEWNET)
        self._home = posix.open("/proc/self/ns/net", _READ)

    def _outermost(self, user: int) -> int:
        while True:
            parent = fcntl.ioctl(user, _NS_GET_PARENT)
            if posix.fstat(parent).st_ino == self._own_user:
                posix.close(parent)
                return user
            posix.close(user)
            user = parent

    def _make(self, network: int, family: int) -> _socket.socket:
        _setns(network, _CLONE_NEWNET)
        try:
            kind = _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
            return _socket.socket(family, kind)
        finally:
            if self._home is not None:
                _setns(self._home, _CLONE_NEWNET)


def _network(process: int, container: str) -> int:
    """The network namespace of a process whose control group is that of a container."""
    try:
        groups = posix.open("cgroup", _READ, dir_fd=process)
        try:
            text = posix.read(groups, 65536).decode(errors="replace")
        finally:
            posix.close(groups)
        if container not in text:
            raise _GoneError
        return posix.open("ns/net", _READ, dir_fd=process)
    except (FileNotFoundError, ProcessLookupError):
        raise _GoneError from None


def answer(joiner: Joiner, request: str) -> tuple[str, _socket.socket | None]:
    """What is said to a request, and the socket that goes with it."""
    number, pid, container, family = request.split(" ")
    try:
        if not container:
            joiner.join(int(pid))
            return f"{number} host", None
        made = joiner.socket(int(pid), container, int(family))
    except _GoneError:
        return f"{number} gone", None
    except OSError as error:
        return f"{number} denied {error.strerror or error}", None
    return f"{number} {'socket' if made else 'host'}", made


def serve(channel: _socket.socket) -> None:
    """Answer requests until the other end is closed."""
    joiner = Joiner()
    while request := channel.recv(_MOST):
        said, made = answer(joiner, request.decode())
        rights = []
        if made:
            descriptor = made.fileno().to_bytes(4, sys.byteorder)
            rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptor)]
        try:
            channel.sendmsg([said.encode()], rights)
        finally:
            if made:
                made.close()


def main() -> None:
    """Serve on the socket that standard input is."""
    with open("/proc/self/comm", "w") as name:  # noqa: PTH123 - pathlib is big
        name.write("workloadd-ns")
    try:
        serve(_socket.socket(fileno=0))
    except (BrokenPipeError, ConnectionResetError):
        return  # the daemon is gone


if __name__ == "__main__":
    main()
