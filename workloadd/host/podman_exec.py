"""Telling a running container something: a signal to its first process, or a command in it."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from workloadd.core.errors import Permanent
from workloadd.host.podman_errors import first_line
from workloadd.host.podman_http import Request, Requests
from workloadd.host.podman_stream import Streams
from workloadd.spec.reload import Reload
from workloadd.spec.signals import signal_number

_HEADER = 8
_START = {"Detach": False, "Tty": False}


class PodmanExec:
    """Signals and commands; as everywhere `Transient` and `Permanent` are raised."""

    def __init__(self, requests: Requests, streams: Streams) -> None:
        self._requests = requests
        self._streams = streams

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
        doing = _doing(container)
        session = await self._prepare(container, command)
        answer = await self._requests.send(
            Request("POST", f"exec/{session}/start", doing, body=_START, timeout=timeout)
        )
        code = await self._requests.fetch(Request("GET", f"exec/{session}/json", doing), _exit_code)
        lines = _text(answer.body).strip().splitlines()
        return code, first_line(lines[-1]) if lines else "it said nothing"

    async def probe(self, container: str, command: tuple[str, ...], timeout: float) -> int | None:
        """Run a command in a container: its exit code, or None where it had to be killed.

        What it writes is passed over. No thread waits for it, so that many may run.
        """
        session = await self._prepare(container, command)
        doing, path = _doing(container), f"exec/{session}/start"
        try:
            async with asyncio.timeout(timeout):
                async with self._streams.open("POST", path, doing, body=_START) as response:
                    async for _ in response.content.iter_any():
                        continue
        except TimeoutError:
            pid = await self._requests.fetch(Request("GET", f"exec/{session}/json", doing), _pid)
            await asyncio.to_thread(_kill_in, container, pid)
            return None
        return await self._requests.fetch(Request("GET", f"exec/{session}/json", doing), _exit_code)

    async def _prepare(self, container: str, command: tuple[str, ...]) -> str:
        body = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)}
        path = f"containers/{quote(container)}/exec"
        request = Request("POST", path, _doing(container), body=body)
        return await self._requests.fetch(request, _session)


def _doing(container: str) -> str:
    return f"run a command in container {container[:12]}"


def _kill_in(container: str, pid: int) -> None:
    """Kill a process, if it is still in the control group of a container, with its group.

    To Podman's user namespace we are its owner: there we may kill whomever we like. Blocks.
    """
    with suppress(OSError):
        if pid > 1 and container in Path(f"/proc/{pid}/cgroup").read_text():
            leads = os.getpgid(pid) == pid
            (os.killpg if leads else os.kill)(pid, signal.SIGKILL)


def _session(body: bytes) -> str:
    return str(json.loads(body)["Id"])


def _exit_code(body: bytes) -> int:
    return int(json.loads(body)["ExitCode"])


def _pid(body: bytes) -> int:
    return int(json.loads(body).get("Pid") or 0)


def _text(stream: bytes) -> str:
    """The output: frames of stream number, three zeros, length and data."""
    parts: list[bytes] = []
    while len(stream) >= _HEADER and stream[0] in (0, 1, 2):
        end = _HEADER + int.from_bytes(stream[4:_HEADER], "big")
        parts.append(stream[_HEADER:end])
        stream = stream[end:]
    return b"".join(parts).decode(errors="replace")
