"""What a host is: the variables that are there without anybody writing them down."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from workloadd.sources.files import FileCache
from workloadd.spec.scope import Limits

_FIRST_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")

# The kernel's word for a processor, where images have another one (GOARCH).
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "i386": "386",
    "i686": "386",
    "loongarch64": "loong64",
}


class HostFacts:
    """Reads the built-in variables; what cannot be read is not defined. `root` is for tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._machine_id = str(root / "etc/machine-id")
        # In this order (os-release(5)).
        self._releases = [str(root / place) for place in ("etc/os-release", "usr/lib/os-release")]
        self._texts: FileCache[str] = FileCache(lambda _, data: data.decode(errors="replace"))
        self._fields: FileCache[Mapping[str, str]] = FileCache(lambda _, data: os_release(data))

    def __call__(self) -> Mapping[str, str]:
        """The variables by name. Blocks."""
        system = os.uname()
        release = self._release()
        facts = {
            "HOST_NAME": system.nodename,
            "HOST_MACHINE_ID": self._machine(),
            "HOST_ARCH": _ARCHITECTURES.get(system.machine, system.machine),
            # A rolling distribution has no version.
            "HOST_OS_ID": release.get("ID", "linux"),
            "HOST_OS_VERSION": release.get("VERSION_ID", ""),
        }
        return {name: value for name, value in facts.items() if value}

    def _machine(self) -> str:
        try:
            return self._texts.get(self._machine_id).strip()
        except OSError:
            return ""

    def _release(self) -> Mapping[str, str]:
        for path in self._releases:
            try:
                return self._fields.get(path)
            except OSError:
                continue
        return {}


def host_limits(first_port: Path = _FIRST_PORT) -> Limits:
    """What of this host a workload may run into. Blocks."""
    try:
        return Limits(int(first_port.read_text()))
    except (OSError, ValueError):
        return Limits()


def os_release(data: bytes) -> Mapping[str, str]:
    """The fields of an os-release file; lines that cannot be read are left out."""
    fields = {}
    for line in data.decode(errors="replace").splitlines():
        key, equals, written = line.strip().partition("=")
        if not equals or key.startswith("#"):
            continue
        try:
            fields[key] = "".join(shlex.split(written))
        except ValueError:
            continue
    return fields
