"""Room on disk: how much there is, how much has to stay, and what is said where it is too little.

Pure: the numbers are gathered elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from workloadd.core.errors import Problem

GIB = 1 << 30

# A pull that is on may go on down to this share of what has to be free for one to begin: what
# was begun with enough room is not to be thrown away by a little, nor may it fill the disk.
_STOP_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """A file system: bytes and inodes, free for us and in all. `purpose` says what we keep there.

    `inodes` is 0 where the file system makes them as they are needed.
    """

    path: str
    purpose: str
    free: int
    size: int
    free_inodes: int = 0
    inodes: int = 0


@dataclass(frozen=True, slots=True)
class Low:
    """How much has to be free of a file system: bytes, or a share of it; and a share of inodes."""

    size: int = GIB
    share: float = 0.0
    inodes: float = 0.02

    def bytes_of(self, disk: DiskFacts) -> int:
        """The bytes that have to be free of a file system."""
        return max(self.size, round(self.share * disk.size))

    @property
    def while_pulling(self) -> "Low":
        """What has to stay free while a pull goes on."""
        half = _STOP_SHARE
        return Low(round(half * self.size), half * self.share, half * self.inodes)


def short_of(disks: Iterable[DiskFacts], low: Low) -> tuple[DiskFacts, ...]:
    """The file systems that have too little left."""
    return tuple(disk for disk in disks if _lacks_bytes(disk, low) or _lacks_inodes(disk, low))


def _lacks_bytes(disk: DiskFacts, low: Low) -> bool:
    return disk.free < low.bytes_of(disk)


def _lacks_inodes(disk: DiskFacts, low: Low) -> bool:
    return disk.inodes > 0 and disk.free_inodes < low.inodes * disk.inodes


def how_full(disk: DiskFacts) -> str:
    """How much is left of a file system, and what of."""
    return f"{_left(disk)} free for {disk.purpose} ({disk.path})"


def _left(disk: DiskFacts) -> str:
    share = 100 * disk.free / disk.size if disk.size else 0
    return f"{size_text(disk.free)} ({share:.0f} %)"


def what_lacks(disk: DiskFacts, low: Low) -> str:
    """How much too little is left of a file system."""
    if _lacks_bytes(disk, low):
        return f"{how_full(disk)}, less than {size_text(low.bytes_of(disk))}"
    left = f"{disk.free_inodes} of {disk.inodes} inodes"
    return f"{left} free for {disk.purpose} ({disk.path}), less than {100 * low.inodes:g} %"


def disk_low(reference: str, disk: DiskFacts, low: Low, *, stopped: bool) -> Problem:
    """Why an image is not pulled, or is no longer."""
    said = "its pull was stopped" if stopped else "not begun"
    return Problem(
        "DiskLow",
        f"cannot pull {reference}: {said}, only {what_lacks(disk, low)}",
        "it is tried again when there is room: see workloadctl prune and podman system df, or"
        " lower disk.low in workloadd.toml",
    )


def size_text(size: int) -> str:
    """A size for people: 1.5 GiB."""
    number, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if round(number, 1) < 1024:
            break
        number, unit = number / 1024, larger
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
