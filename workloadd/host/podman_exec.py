"""Telling a running container something: a signal to its first process, or a command in it."""

import json
from urllib.parse import quote

from workloadd.core.errors import Permanent
from workloadd.host.podman_errors import first_line
from workloadd.host.podman_http import Request, Requests
from workloadd.spec.reload import Reload
from workloadd.spec.signals import signal_number

_HEADER = 8


class PodmanExec:
    """Signals and commands; as everywhere `Transient` and `Permanent` are raised."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def tell(self, container: str, reload: Reload, *, timeout: float = 30.0) -> None:
        """Have a container read its files anew.

        Raises:
            Permanent: the command ended with another exit code than 0.
        """
        if reload.signal:
            await self._kill(container, signal_number(reload.signal))
        if reload.command:
            code, said = await self.run(container, reload.command, timeout=timeout)
            if code:
                message = f"cannot reload: the command ended with exit code {code}: {said}"
                hint = "its output is in the message; the new files are in place"
                raise Permanent("ReloadFailed", message, hint)

    async def _kill(self, container: str, signal: int) -> None:
        path = f"containers/{quote(container)}/kill"
        doing = f"send container {container[:12]} the signal {signal}"
        await self._requests.send(Request("POST", path, doing, {"signal": str(signal)}))

    async def run(
        self, container: str, command: tuple[str, ...], *, timeout: float = 30.0
    ) -> tuple[int, str]:
        """Run a command in a container: its exit code, and the last line that it wrote."""
        doing = f"run a command in container {container[:12]}"
        body = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)}
        path = f"containers/{quote(container)}/exec"
        session = await self._requests.fetch(Request("POST", path, doing, body=body), _session)
        start = {"Detach": False, "Tty": False}
        answer = await self._requests.send(
            Request("POST", f"exec/{session}/start", doing, body=start, timeout=timeout)
        )
        code = await self._requests.fetch(Request("GET", f"exec/{session}/json", doing), _exit_code)
        lines = _text(answer.body).strip().splitlines()
        return code, first_line(lines[-1]) if lines else "it said nothing"


def _session(body: bytes) -> str:
    return str(json.loads(body)["Id"])


def _exit_code(body: bytes) -> int:
    return int(json.loads(body)["ExitCode"])


def _text(stream: bytes) -> str:
    """The output: frames of stream number, three zeros, length and data."""
    parts: list[bytes] = []
    while len(stream) >= _HEADER and stream[0] in (0, 1, 2):
        end = _HEADER + int.from_bytes(stream[4:_HEADER], "big")
        parts.append(stream[_HEADER:end])
        stream = stream[end:]
    return b"".join(parts).decode(errors="replace")
