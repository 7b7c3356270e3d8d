"""The user's systemd and Podman, through their own commands, and what the kernel counts of them."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

# Seconds between two looks at something that is waited for: seldom, as looking costs CPU, and
# what is reported comes from systemd's and the daemon's own timestamps.
LOOK = 0.5


def command(*words: str, check: bool = True) -> str:
    """The output of a command; ends the run with its error output where it fails."""
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode:
        raise SystemExit(f"bench: {' '.join(words[:4])} … failed: {done.stderr.strip()}")
    return done.stdout


def systemctl(*words: str, check: bool = True) -> str:
    """`systemctl --user …`"""
    return command("systemctl", "--user", *words, check=check)


def wait(what: str, done: Callable[[], bool], timeout: float = 300.0) -> None:
    """Return when `done`; end the run after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"bench: {what}: not within {timeout:.0f} s")
        time.sleep(LOOK)


def units_in(state: str, pattern: str) -> int:
    """How many loaded units of a name pattern are in a state."""
    plain = ("--no-legend", "--plain", "--all")
    return len(systemctl("list-units", *plain, f"--state={state}", pattern).splitlines())


def last_start(units: Iterable[str]) -> float:
    """When the last of the units became active, in seconds of CLOCK_MONOTONIC."""
    shown = systemctl("show", "-P", "ActiveEnterTimestampMonotonic", *units)
    return max(int(line) for line in shown.split()) / 1e6


def running_containers() -> int:
    """How many containers of this user run."""
    return len(command("podman", "ps", "-q").split())


class Usage:
    """CPU time of all that ever ran in a unit's cgroup, in seconds; without one, in the user's."""

    def __init__(self, *unit: str) -> None:
        group = systemctl("show", "-P", "ControlGroup", *unit).strip()
        self._stat = Path(f"/sys/fs/cgroup{group}/cpu.stat")
        self._last = self._read()

    def _read(self) -> float:
        fields = dict(line.split() for line in self._stat.read_text().splitlines())
        return int(fields["usage_usec"]) / 1e6

    def lap(self) -> float:
        """Seconds of CPU since the last lap."""
        before, self._last = self._last, self._read()
        return self._last - before


def memory(unit: str) -> dict[str, int]:
    """RSS and PSS of a service's main process, in kB."""
    pid = systemctl("show", "-P", "MainPID", unit).strip()
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {"rss_kb": sizes["Rss"], "pss_kb": sizes["Pss"]}


def facts() -> dict[str, object]:
    """The host this ran on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_at_start": round(os.getloadavg()[0], 2),
        "podman": command("podman", "--version").split()[-1],
        "systemd": command("systemctl", "--version").split()[1],
        "kernel": os.uname().release,
        "python": platform.python_version(),
    }
