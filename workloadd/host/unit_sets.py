"""The units of a deployment that has several, switched all at once.

They lie in a directory named by their content, which a link `current` leads to; what systemd finds
where it looks for units are links through that one. So renaming one link is the commit point, as
renaming the file is for a unit on its own.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from workloadd.host.files import make_link, remove_drafts, replace_with_link, write_atomic

_CURRENT = "current"
_MODE = 0o644


class UnitSets:
    """The sets below a directory, one for a workload. All methods block and raise `OSError`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def target(self, workload: str, unit: str) -> Path:
        """What the link of a unit has to lead to."""
        return self._directory / workload / _CURRENT / unit

    def write(self, workload: str, texts: Mapping[str, str], places: Mapping[str, Path]) -> None:
        """Make `texts` (by unit) the current set, and see that each place (a path) links to it.

        The first unit is linked last: until then it may be a file of its own.
        """
        base = self._directory / workload
        made = base / _generation(texts)
        made.mkdir(parents=True, exist_ok=True)
        for unit, text in texts.items():
            path = made / unit
            if not path.is_file() or path.read_text() != text:
                write_atomic(path, text, _MODE)
        make_link(base / _CURRENT, made.name)
        for unit in reversed(list(places)):
            replace_with_link(places[unit], str(self.target(workload, unit)))
        for old in base.iterdir():
            if old.name not in (_CURRENT, made.name):
                shutil.rmtree(old)

    def clean(self, units: Path) -> None:
        """Remove sets that no link among the units leads to: a removal that was cut short.

        In the others there may be drafts of files and links.
        """
        if not self._directory.is_dir():
            return
        targets = [link.readlink() for link in units.glob("*") if link.is_symlink()]
        for base in self._directory.iterdir():
            if not any(target.is_relative_to(base) for target in targets):
                shutil.rmtree(base, ignore_errors=True)
                continue
            for place in (base, *(path for path in base.iterdir() if path.is_dir())):
                remove_drafts(place)

    def remove(self, workload: str) -> None:
        """Remove a workload's sets; nothing may link to them any more."""
        shutil.rmtree(self._directory / workload, ignore_errors=True)


def _generation(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for unit, text in sorted(texts.items()):
        digest.update(f"{unit}\0{text}\0".encode())
    return digest.hexdigest()[:16]
