"""Which boot of the host this is."""

from contextlib import suppress
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id(file: Path = _BOOT_ID) -> str:
    """The kernel's name for this boot, another one for each; empty where it has none. Blocks."""
    with suppress(OSError):
        return file.read_text().strip()
    return ""
