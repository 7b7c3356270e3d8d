"""Sockets inside the throwaway host's network, with no port forwarded and no process started."""

import ctypes
import http.client
import os
import socket
from concurrent.futures import ThreadPoolExecutor

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """The network of the process `pid`.

    A socket belongs for life to the namespace it was made in (network_namespaces(7)), and
    setns(2) moves one thread alone: a thread that has moved makes the sockets, any other uses them.
    """

    def __init__(self, pid: int) -> None:
        self._thread = ThreadPoolExecutor(1, initializer=_enter, initargs=(pid,))

    def connect(self, port: int, timeout: float = 2.0) -> socket.socket:
        """A TCP connection to a loopback port of the host."""
        made = self._thread.submit(socket.socket, socket.AF_INET, socket.SOCK_STREAM).result()
        made.settimeout(timeout)
        try:
            made.connect(("127.0.0.1", port))
        except OSError:
            made.close()
            raise
        return made

    def get(self, port: int, path: str = "/", timeout: float = 2.0) -> tuple[int, str]:
        """Status and body of a GET of a loopback port; OSError where nobody answers properly."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        connection.sock = self.connect(port, timeout)
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP answer: {error!r}") from error
        finally:
            connection.close()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def _enter(pid: int) -> None:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"cannot enter the network of process {pid}: {os.strerror(code)}")
    finally:
        os.close(descriptor)
