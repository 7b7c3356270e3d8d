"""Updates a small web server in several ways, and tells how long nobody answered."""

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from session import command, facts, systemctl, wait

_WORKLOADS = Path("/etc/workloadd/workloads.d")
_QUADLET = Path.home() / ".config/containers/systemd"
_HERE = Path(__file__).resolve().parent
_IMAGE = "localhost:5000/busybox:{}"
_COMMAND = "httpd -f -p 8080 -h /www"
# Seconds between two requests: an answer's time is known to about that.
_PAUSE = 0.0005


def answer(port: int) -> str:
    """Which version answers, empty for none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            said = b""
            while chunk := client.recv(4096):
                said += chunk
    except OSError:
        return ""
    return said.decode().strip()[-1:] if b" 200 " in said else ""


class Client:
    """Asks again and again, and remembers when each version answered first and last."""

    def __init__(self, port: int) -> None:
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self._port = port
        self._done = threading.Event()

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._ask)
        thread.start()
        yield
        self._done.set()
        thread.join()

    def _ask(self) -> None:
        while not self._done.is_set():
            version = answer(self._port)
            now = time.monotonic()
            if version:
                self.first.setdefault(version, now)
                self.last[version] = now
            time.sleep(_PAUSE)


def gap(port: int, old: str, new: str, update: Callable[[str], None]) -> float:
    """Seconds from the last answer of the old version to the first of the new."""
    wait(f"version {old} on port {port}", lambda: answer(port) == old)
    client = Client(port)
    with client.asking():
        wait("the client to ask", lambda: old in client.first)
        update(new)
        wait(f"version {new} on port {port}", lambda: new in client.first)
    return max(client.first[new] - client.last[old], 0.0)


def workloadd(port: int, name: str, more: str = "") -> Callable[[str], None]:
    """Change the file, nothing else."""

    def update(version: str) -> None:
        lines = (
            f"image: {_IMAGE.format(version)}",
            f"command: {_COMMAND}",
            f'ports: ["{port}:8080"]',
            "stop_signal: SIGKILL",
            "update: {soak: 0s}",
        )
        text = "\n".join(lines) + "\n" + more
        aside = _WORKLOADS / f".{name}"
        aside.write_text(text)
        aside.replace(_WORKLOADS / f"{name}.yaml")

    return update


def quadlet(port: int) -> Callable[[str], None]:
    """Change the file, daemon-reload, restart."""

    def update(version: str) -> None:
        _QUADLET.mkdir(parents=True, exist_ok=True)
        (_QUADLET / "downtime-quadlet.container").write_text(
            f"[Container]\nImage={_IMAGE.format(version)}\nExec={_COMMAND}\n"
            f"PublishPort={port}:8080\nStopSignal=SIGKILL\n"
            "[Service]\nRestart=always\nSuccessExitStatus=137\n"
            "[Quadlet]\nDefaultDependencies=false\n"
        )
        systemctl("daemon-reload")
        systemctl("restart", "downtime-quadlet.service")

    return update


def compose(port: int) -> Callable[[str], None]:
    """Change the file, podman-compose up -d."""
    directory = Path.home() / "downtime-compose"
    directory.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(_HERE / "compose")}

    def update(version: str) -> None:
        (directory / "compose.yaml").write_text(
            f"services:\n  web:\n    image: {_IMAGE.format(version)}\n    command: {_COMMAND}\n"
            f'    ports: ["{port}:8080"]\n    stop_signal: SIGKILL\n    restart: always\n'
        )
        subprocess.run(
            [sys.executable, "-m", "podman_compose", "up", "-d"],
            cwd=directory,
            env=environment,
            capture_output=True,
            check=True,
        )

    return update


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    rounds = parser.parse_args().rounds
    host = facts()
    for version in "12":
        command("podman", "pull", "--quiet", _IMAGE.format(version))
    systemctl("start", "workloadd.service")
    ways = {
        "workloadd": (9101, workloadd(9101, "downtime")),
        "podman-compose up -d": (9102, compose(9102)),
        "Quadlet, restart": (9103, quadlet(9103)),
    }
    for _, update in ways.values():
        update("1")
    found: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds):
        old, new = ("1", "2") if turn % 2 == 0 else ("2", "1")
        for way, (port, update) in ways.items():
            took = gap(port, old, new, update)
            sys.stderr.write(f"{way}: {took * 1000:.0f} ms\n")
            found[way].append(took)
            if way == "workloadd":
                time.sleep(1.0)  # its rollout is over before the others are measured
    sys.path.insert(0, str(_HERE / "compose"))
    from podman_compose import __version__

    json.dump({"host": host, "downtime": found, "compose": __version__}, sys.stdout)


if __name__ == "__main__":
    main()
