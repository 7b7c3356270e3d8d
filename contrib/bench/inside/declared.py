"""Workloads dropped as files, and what the daemon's own API tells of them."""

import json
import os
import time
import urllib.request
from datetime import datetime
from pathlib import Path

from session import Usage, last_start, running_containers, systemctl, units_in, wait

SERVICE = "workloadd.service"
ROOT = Path("/etc/workloadd/workloads.d")
_STATUS = "http://127.0.0.1:7780/v1/status"
_FILE = """\
image: {image}
command: [{command}]
stop_signal: SIGKILL
"""


class Workloadd:
    """Deploys units `workload-NAME.service` from files `NAME.yaml`."""

    def __init__(self, image: str, command: str) -> None:
        words = ", ".join(json.dumps(word) for word in command.split())
        self._text = _FILE.format(image=image, command=words)

    def start(self) -> None:
        """Start the daemon; it is ready after its first pass."""
        # Starting often, as this does, runs into the unit's start limit.
        systemctl("reset-failed", SERVICE, check=False)
        systemctl("start", SERVICE)

    def stop(self) -> None:
        """Stop the daemon and the Podman service it used."""
        systemctl("stop", SERVICE, "podman.service")

    def status(self) -> dict:
        """What `/v1/status` answers."""
        with urllib.request.urlopen(_STATUS, timeout=60) as answer:
            return json.load(answer)

    def deploy(self, names: list[str]) -> dict[str, float]:
        """Seconds from dropping the files until all are active, Ready, and proven; and of CPU.

        The moments are systemd's (unit active: its container runs) and the daemon's: since when
        the condition Ready has held, and when the rollout ended as stable.
        """
        expected = running_containers() + len(names)
        units = [f"workload-{name}.service" for name in names]
        usage, began, clock = Usage(), time.monotonic(), time.time()
        for name in names:
            (ROOT / f"{name}.yaml").write_text(self._text)
        # The API is not asked before: answering costs the daemon time that is being measured.
        wait("units active", lambda: units_in("active", "workload-*.service") >= expected)
        active, cpu = last_start(units) - began, usage.lap()
        wait("rollouts concluded", lambda: self._concluded(names))
        if running_containers() != expected:
            raise SystemExit("bench: not all of workloadd's containers run")
        workloads = [w for w in self.status()["workloads"] if w["name"] in names]
        ready = (c["since"] for w in workloads for c in w["conditions"] if c["type"] == "Ready")
        ended = (w["last_rollout"]["ended"] for w in workloads)
        return {
            "active": active,
            "cpu": cpu,
            "ready": max(map(_seconds, ready)) - clock,
            "proven": max(map(_seconds, ended)) - clock,
        }

    def _concluded(self, names: list[str]) -> bool:
        states = {w["name"]: w["state"] for w in self.status()["workloads"]}
        if failed := [n for n in names if states.get(n) in ("Failed", "Invalid", "Degraded")]:
            raise SystemExit(f"bench: {failed[0]} failed; see journalctl --user -u {SERVICE}")
        return all(states.get(name) == "Ready" for name in names)

    def remove(self, names: list[str]) -> None:
        """Take the files away and wait until nothing is left of the workloads."""
        for name in names:
            (ROOT / f"{name}.yaml").unlink(missing_ok=True)
        wait("workloads gone", lambda: not self._present(names))

    def _present(self, names: list[str]) -> bool:
        return any(w["name"] in names for w in self.status()["workloads"])

    def clean(self, names: list[str]) -> None:
        """Remove what an interrupted run left."""
        if any((ROOT / f"{name}.yaml").exists() for name in names):
            self.start()
            self.remove(names)
        self.stop()

    def settle(self) -> None:
        """Wait until no pass was run for two seconds."""
        count, since = -1, 0.0
        while time.monotonic() - since < 2:
            now = self.status()["passes"]["count"]
            if now != count:
                count, since = now, time.monotonic()
            time.sleep(0.25)

    def force_passes(self, seconds: float) -> int:
        """Wake the daemon again and again; how many passes it made of it."""
        before = self.status()["passes"]["count"]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            os.utime(ROOT)
            time.sleep(0.05)
        return self.status()["passes"]["count"] - before


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
