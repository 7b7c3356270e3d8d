"""What becomes of shared networks and volumes when their files go: it has to outlive the files."""

import json
from collections.abc import Mapping
from pathlib import Path

from workloadd.core.errors import Transient
from workloadd.host.files import read_bounded, write_atomic

_LIMIT = 1024 * 1024


class FateFile:
    """Fates in a file, as they were last said. Blocks: call it in a thread.

    Where the file is lost nothing is deleted that was not said to be again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def look(self) -> dict[str, str]:
        """The fates, none where they cannot be read."""
        try:
            found = json.loads(read_bounded(self._path, _LIMIT, follow=False))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def keep(self, fates: Mapping[str, str]) -> None:
        """Replace the fates, durably."""
        text = json.dumps(dict(sorted(fates.items())), indent=1)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(self._path, text, 0o600)
        except OSError as error:
            said = f"cannot write {self._path}: {error.strerror}"
            raise Transient(
                "StateUnwritable", said, "see df -h, and who may write there"
            ) from error
