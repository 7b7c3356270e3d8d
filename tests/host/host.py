"""What the tests say and ask: workload files, the daemon's answers, waiting for a condition."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.host.machine import Machine, remove
from tests.host.polling import poll
from workloadd.core.names import unit_name

T = TypeVar("T")
Document = dict[str, Any]

API = 7780
# Seconds that anything on the host may take unless a test says otherwise.
PATIENCE = 30.0
SETTINGS = """
[rollout]
soak = "1s"
deadline = "20s"
[pull]
backoff_base = "500ms"
backoff_max = "2s"
[log]
level = "debug"
"""


class Host(Machine):
    """The throwaway host with workloadd on it."""

    @property
    def files(self) -> Path:
        """Where workloads are declared."""
        return self.disk / "etc/workloadd/workloads.d"

    @property
    def units(self) -> Path:
        """Where workloadd writes units."""
        return self.home / ".local/share/systemd/user"

    def write_workload(self, name: str, text: str) -> None:
        """Drop a workload file."""
        self.write(self.files / f"{name}.yaml", text)

    def remove_workload(self, name: str) -> None:
        """Take a workload file away."""
        (self.files / f"{name}.yaml").unlink(missing_ok=True)

    def api(self, path: str) -> Document:
        """A JSON answer of the daemon."""
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

    def condition(self, name: str, kind: str) -> Document:
        """A condition of a workload, or {}."""
        found = self.status(name).get("conditions", [])
        return next((c for c in found if c["type"] == kind), {})

    def http(self, port: int, path: str = "/") -> str:
        """What a published port answers, "" while nobody does."""
        try:
            return self.net.get(port, path)[1]
        except OSError:
            return ""

    def passes(self) -> int:
        """How many passes this daemon has made."""
        count: int = self.api("/v1/status")["passes"]["count"]
        return count

    def inspect(self, container: str) -> Document:
        """`podman inspect` of one container."""
        found: Document = json.loads(self.podman("container", "inspect", container))[0]
        return found

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

    def wait_until(self, look: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
        """Wait for a condition; fails the test with all there is to see of the host."""
        __tracebackhide__ = True
        found = poll(look, timeout)
        if found is None:
            pytest.fail(f"{what}: not within {timeout:.0f} s\n{self.report()}")
        return found

    def wait_for(self, name: str, *states: str, timeout: float = PATIENCE) -> Document:
        """Wait until a workload has nothing more to do and is in one of the states."""
        __tracebackhide__ = True

        def look() -> Document | None:
            status = self.status(name)
            reached = status.get("state") in states and not status.get("rollout")
            return status if reached else None

        return self.wait_until(look, f"{name} to be {' or '.join(states)}", timeout)

    def deploy(self, name: str, text: str) -> Document:
        """Drop a workload file, or change it, and wait until what it says is Ready and proven."""
        __tracebackhide__ = True
        before = self.status(name).get("current") or {}
        self.write_workload(name, text)

        def look() -> Document | None:
            status = self.status(name)
            current = status.get("current") or {}
            changed = current.get("revision") not in (None, before.get("revision"))
            proven = changed and current["container_name"] == name and not status["rollout"]
            return status if proven and status["state"] == "Ready" else None

        return self.wait_until(look, f"{name} to be deployed")

    def gone(self, name: str) -> None:
        """Take a workload's file away and wait until nothing is left of it."""
        __tracebackhide__ = True
        self.remove_workload(name)
        self.wait_until(lambda: self.answers() and not self.status(name), f"{name} to be gone")

    def answers(self) -> bool:
        """Whether there is a daemon that has looked at the host."""
        try:
            return self.passes() > 0
        except (OSError, KeyError):
            return False

    def look_again(self) -> None:
        """Have the daemon look at everything once more; returns after a pass that began now."""
        __tracebackhide__ = True
        enough = self.passes() + 2
        mask = self.files / "nothing.yaml"

        def look() -> bool:
            # A masked name declares nothing, yet wakes the daemon as any workload file does.
            if mask.is_symlink():
                mask.unlink()
            else:
                mask.symlink_to("/dev/null")
            return self.answers() and self.passes() >= enough

        self.wait_until(look, "two more passes")
        mask.unlink(missing_ok=True)

    def containers(self, name: str) -> list[Document]:
        """All containers of a workload, as `podman ps` lists them."""
        label = f"label=io.workloadd.workload={name}"
        found: list[Document] = json.loads(
            self.podman("ps", "--all", "--filter", label, "--format", "json")
        )
        return found

    def journal(self, *matches: str) -> list[Document]:
        """The user's journal of this boot as documents, by matches like FIELD=value."""
        done = self.exec("journalctl", "--user", "--boot", "--output=json", "--quiet", *matches)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def reloads(self) -> int:
        """How often the user manager has read its unit files anew in this boot."""
        return len(self.journal("_COMM=systemd", "MESSAGE=Reloading..."))

    def clean(self) -> None:
        """Leave nothing of any workload, of the daemon's memory, or of an earlier test run."""
        self.systemctl("stop", "workloadd.service", "workload-*.service", check=False)
        for directory in (self.files, self.disk / "etc/workloadd/workloadd.conf.d"):
            for path in directory.iterdir():
                remove(path)
        # Twice: of a container whose conmon was killed, the first try only notes that it ended.
        self.podman("rm", "--all", "--force", "--time", "0", check=False)
        self.podman("rm", "--all", "--force", "--time", "0")
        self.podman("volume", "rm", "--all", "--force")
        self.podman("rmi", "--all", "--force")
        for unit in self.unit_files("*"):
            unit.unlink()
        for history in (self.home / ".local/state/workloadd").glob("history*"):
            history.unlink()
        self.systemctl("daemon-reload")
        self.systemctl("reset-failed")

    def start_daemon(self) -> None:
        """Start workloadd.service; returns after its first pass."""
        self.systemctl("start", "workloadd.service")

    def report(self) -> str:
        """Everything one wants to see when a test failed."""
        looks = (
            ("curl", "--silent", "--max-time", "5", f"http://127.0.0.1:{API}/"),
            ("podman", "ps", "--all", "--no-trunc"),
            ("journalctl", "--user", "--quiet", "-u", "workloadd", "-n", "40", "-o", "short-precise"),
        )
        said = []
        for command in looks:
            done = self.exec(*command, check=False)
            said.append(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        return "\n".join(said)
