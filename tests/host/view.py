"""What there is to see of workloadd on the host: its answers, Podman's, systemd's, the journal."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from tests.host.machine import Machine
from workloadd.core.names import LABEL_WORKLOAD, unit_name

Document = dict[str, Any]

API = 7780


class View(Machine):
    """The throwaway host with workloadd on it, looked at."""

    def api(self, path: str) -> Document:
        """A JSON answer of the daemon, {} where it has none; OSError where nobody answers."""
        status, body = self.net.get(API, path)
        document: Document = json.loads(body) if status != 404 else {}
        return document

    def status(self, name: str) -> Document:
        """`/v1/workloads/NAME`, or {} where there is no such workload or no daemon."""
        try:
            return self.api(f"/v1/workloads/{name}")
        except OSError:
            return {}

    def history(self, name: str) -> Document:
        """`/v1/workloads/NAME/history`, the newest first."""
        return self.api(f"/v1/workloads/{name}/history") or {"rollouts": [], "events": []}

    def last_words(self, name: str) -> list[str]:
        """The log lines kept of the newest rollout, which are given on the Unix socket alone."""
        shown = self.history(name)["rollouts"][0]["log"]
        assert "workloadctl history" in shown[0], "log lines over TCP"
        path = f"http://localhost/v1/workloads/{name}/history?limit=1"
        command = (
            f'exec curl --silent --unix-socket "$XDG_RUNTIME_DIR/workloadd/workloadd.sock" {path}'
        )
        answered = self.exec("sh", "-c", command).stdout
        lines: list[str] = json.loads(answered)["rollouts"][0]["log"]
        return lines

    def condition(self, name: str, kind: str) -> Document:
        """A condition of a workload, or {}."""
        found = self.status(name).get("conditions", [])
        return next((c for c in found if c["type"] == kind), {})

    def passes(self) -> int:
        """How many passes this daemon has made."""
        count: int = self.api("/v1/status")["passes"]["count"]
        return count

    def answers(self) -> bool:
        """Whether there is a daemon that has looked at the host."""
        try:
            return self.passes() > 0
        except OSError:
            return False

    def http(self, port: int, path: str = "/") -> str:
        """What a published port answers, "" while nobody does."""
        try:
            return self.net.get(port, path)[1]
        except OSError:
            return ""

    def inspect(self, container: str) -> Document:
        """`podman inspect` of one container."""
        found: Document = json.loads(self.podman("container", "inspect", container))[0]
        return found

    def inside(self, container: str, script: str) -> str:
        """What a shell in a container prints."""
        return self.podman("exec", container, "sh", "-c", script)

    def named(self, path: Path) -> str:
        """A path of ours as the host itself names it."""
        return f"/{path.relative_to(self.disk)}"

    def containers(self, name: str) -> list[Document]:
        """All containers of a workload, as `podman ps` lists them."""
        ours = f"label={LABEL_WORKLOAD}={name}"
        found: list[Document] = json.loads(
            self.podman("ps", "--all", "--filter", ours, "--format", "json")
        )
        return found

    def libpod(self, path: str) -> list[Document]:
        """A list that Podman's service answers with: sooner than a podman of our own would."""
        connection = http.client.HTTPConnection("podman", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(str(self.runtime / "podman/podman.sock"))
            connection.request("GET", f"/v5.0.0/libpod/{path}")
            found: list[Document] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return found

    def volumes(self) -> list[str]:
        """The names of all Podman volumes."""
        return self.podman("volume", "ls", "--quiet").splitlines()

    def unit(self, name: str, *properties: str) -> dict[str, str]:
        """Properties of a workload's unit as systemd has them."""
        return self.show(unit_name(name), *properties)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """`systemctl --user show`."""
        shown = self.systemctl("show", unit, "--property", ",".join(properties))
        return dict(line.partition("=")[::2] for line in shown.splitlines())

    def unit_files(self, name: str) -> list[Path]:
        """Unit files, links and copies of a workload (a pattern), wherever the user has them."""
        # A pattern even for one name: by a plain name a link that leads nowhere is not found.
        return list(self.home.glob(f".*/**/workload-{name}.servic[e]"))

    def journal(self, *matches: str) -> list[Document]:
        """The user's journal of this boot as documents, by matches like FIELD=value."""
        done = self.exec("journalctl", "--user", "--boot", "--output=json", "--quiet", *matches)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def reloads(self) -> int:
        """How often the user manager has read its unit files anew in this boot."""
        return len(self.journal("_COMM=systemd", "MESSAGE=Reloading..."))

    def report(self) -> str:
        """Everything one wants to see when a test failed."""
        log = ("journalctl", "--user", "--quiet", "--unit=workloadd.service", "--lines=40")
        looks = (
            ("curl", "--silent", "--max-time", "5", f"http://127.0.0.1:{API}/"),
            ("podman", "ps", "--all", "--no-trunc"),
            (*log, "--output=short-precise"),
        )
        said = []
        for command in looks:
            done = self.exec(*command, check=False)
            said.append(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        return "\n".join(said)
