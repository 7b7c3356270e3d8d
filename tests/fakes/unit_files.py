"""Unit files as the fake systemd reads them: found along a search path, parsed, masked, stale."""

import fnmatch
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


@dataclass
class UnitFile:
    """What systemd loaded: the text as it was then, and what it makes of it."""

    load_state: str = "not-found"
    text: str | None = None
    values: dict[str, list[str]] = field(default_factory=dict)

    def value(self, key: str, default: str = "") -> str:
        """The last assignment of a key."""
        return self.values.get(key, [default])[-1]

    def words(self, *keys: str) -> list[str]:
        """All that the assignments of some keys list."""
        return [w for key in keys for value in self.values.get(key, ()) for w in value.split()]

    def command(self, key: str) -> list[str]:
        return shlex.split(self.value(key))

    @property
    def container(self) -> str:
        """The container that ExecStart=podman start ID names."""
        command = self.command("ExecStart")
        return command[-1] if command[1:2] == ["start"] else ""

    @property
    def clean_exits(self) -> set[int]:
        return {0, *(int(code) for code in self.value("SuccessExitStatus").split())}

    @property
    def start_limit(self) -> tuple[int, float]:
        """How many starts are allowed in how many seconds; 0 seconds: any number."""
        interval = self.value("StartLimitIntervalSec", "10")
        return int(self.value("StartLimitBurst", "5")), seconds(interval)


def seconds(text: str) -> float:
    """A time span of systemd.time(7)."""
    if text == "infinity":
        return float("inf")
    parts = re.findall(r"([0-9.]+)\s*([a-z]*)", text)
    return sum(float(number) * _TIMES[unit] for number, unit in parts)


def read(search: Sequence[Path], name: str) -> UnitFile:
    """Load a unit from the first directory that has it."""
    for directory in search:
        path = directory / name
        if path.is_symlink() and str(path.readlink()) == "/dev/null":
            return UnitFile("masked")
        if path.is_file():
            return parse(path.read_text())
    return UnitFile()


def parse(text: str) -> UnitFile:
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";", "[")):
            values.setdefault(key.strip(), []).append(value.strip())
    does = {"ExecStart", "OnCalendar", "ListenStream", "ListenDatagram"} & values.keys()
    state = "loaded" if does else "bad-setting"
    return UnitFile(state, text, values)


def wanted(search: Sequence[Path], target: str) -> set[str]:
    """The units with a link in the target's .wants directories."""
    found: set[str] = set()
    for directory in search:
        wants = directory / f"{target}.wants"
        if wants.is_dir():
            found |= {path.name for path in wants.iterdir()}
    return found


def matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
