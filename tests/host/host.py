"""What the tests do with the host: workload files, and waiting for what comes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.host.machine import remove
from tests.host.polling import PAUSE, poll
from tests.host.view import API, Document, View

__all__ = ["API", "Document", "Host"]

T = TypeVar("T")
# Seconds that anything on the host may take unless a test says otherwise.
PATIENCE = 30.0
SETTINGS = """
[rollout]
soak = "500ms"
deadline = "20s"
[pull]
backoff_base = "500ms"
backoff_max = "2s"
[usage]
interval = "1s"
[log]
level = "debug"
"""


class Host(View):
    """The throwaway host with workloadd on it, changed and waited for."""

    # Seconds between two looks, unless a test says otherwise; and how much longer all may take.
    pause = PAUSE
    slower = 1

    @property
    def files(self) -> Path:
        """Where workloads are declared."""
        return self.disk / "etc/workloadd/workloads.d"

    @property
    def settings(self) -> Path:
        """Where drop-ins of the daemon's settings are."""
        return self.disk / "etc/workloadd/workloadd.conf.d"

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

    def wait_until(
        self,
        look: Callable[[], T | None],
        what: str,
        timeout: float = PATIENCE,
        pause: float | None = None,
    ) -> T:
        """Wait for a condition; fails the test with all there is to see of the host."""
        __tracebackhide__ = True
        timeout *= self.slower
        found = poll(look, timeout, pause or self.pause)
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
            names = (name, f"{name}__infra")
            proven = changed and current["container_name"] in names and not status["rollout"]
            return status if proven and status["state"] == "Ready" else None

        return self.wait_until(look, f"{name} to be deployed")

    def gone(self, name: str) -> None:
        """Take a workload's file away and wait until nothing is left of it."""
        __tracebackhide__ = True
        self.remove_workload(name)
        self.wait_until(lambda: self.answers() and not self.status(name), f"{name} to be gone")

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

        try:
            self.wait_until(look, "two more passes")
        finally:
            mask.unlink(missing_ok=True)

    def clean(self) -> None:
        """Leave nothing of any workload, of the daemon's memory, or of an earlier test run."""
        self.systemctl("stop", "workloadd.service", "workload-*.service", check=False)
        for directory in (self.files, self.settings):
            for path in directory.iterdir():
                remove(path)
        self.podman("pod", "rm", "--all", "--force", "--time", "0")
        # Twice: of a container whose conmon was killed, the first try only notes that it ended.
        self.podman("rm", "--all", "--force", "--time", "0", check=False)
        self.podman("rm", "--all", "--force", "--time", "0")
        self.podman("volume", "rm", "--all", "--force")
        self.podman("rmi", "--all", "--force")
        for unit in self.unit_files("*"):
            unit.unlink()
        remove(self.home / ".local/state/workloadd/units")
        for history in (self.home / ".local/state/workloadd").glob("history*"):
            history.unlink()
        self.systemctl("daemon-reload")
        self.systemctl("reset-failed")

    def start_daemon(self) -> None:
        """Start workloadd.service; returns after its first pass."""
        self.systemctl("start", "workloadd.service")
