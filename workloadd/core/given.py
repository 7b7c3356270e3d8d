"""What a container is given beside its image: secrets and files, as they were read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from workloadd.core.names import SHORT
from workloadd.spec.files import File


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """A secret as read. Its digest is keyed: who knows it cannot try values until one fits."""

    name: str
    digest: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file, or a directory of files, as read.

    `entries` are paths in the directory and contents; of a single file the path is empty.
    """

    target: str
    entries: tuple[tuple[str, bytes], ...] = field(repr=False)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory, be it an empty one."""
        return not (len(self.entries) == 1 and self.entries[0][0] == "")

    @property
    def digest(self) -> str:
        """Names the content."""
        contents = [[path, hashlib.sha256(data).hexdigest()] for path, data in self.entries]
        return _digest([self.is_directory, contents])


def stored_name(given: GivenFile, mode: int, owner: tuple[int, int]) -> str:
    """The name under which the content is stored once, with these permissions and this owner."""
    return _digest([given.digest, mode, *owner])


def live_name(workload: str, part: str, digest: str) -> str:
    """The name of the files that change under a container of this make."""
    return f"{workload}_{part}_{digest[:SHORT]}"


def applied(given: tuple[GivenFile, ...], files: Mapping[str, File]) -> dict[str, str]:
    """The digests, by path, of what changes under a container that stays."""
    return {one.target: one.digest for one in given if files[one.target].live}


def _digest(content: object) -> str:
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
