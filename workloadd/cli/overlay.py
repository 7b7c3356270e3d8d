"""Workload files loaded as if they stood in some directory of the host."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from workloadd.core.desired import Declared, Desired
from workloadd.sources.directories import Directories
from workloadd.sources.files import shown
from workloadd.spec.errors import SpecError
from workloadd.spec.ports import HostPort


class AsIf(Directories):
    """Directories of which one, full of links, stands for another.

    Relative paths in its files lead to where they would from there.
    """

    def __init__(self, roots: Iterable[Path], home: Path, links: Path, place: Path) -> None:
        super().__init__(roots, home)
        self._links = links
        self._place = place

    def resolve(self, written: str, directory: Path) -> str:
        return super().resolve(written, self._place if directory == self._links else directory)

    def load(self, holders: Mapping[HostPort, str] | None = None) -> Desired:
        """Everything declared; a file of ours has the path in `place` that it would have."""
        desired = super().load(holders)
        workloads = {name: self._moved(one) for name, one in desired.workloads.items()}
        return replace(desired, workloads=workloads)

    def _moved(self, declared: Declared) -> Declared:
        links = f"{shown(self._links)}/"
        place = shown(self._place / "_").removesuffix("_")  # nothing for the directory "."
        path = declared.path.replace(links, place)
        shadows = (shadow.replace(links, place) for shadow in declared.shadows)
        return replace(
            declared,
            path=path,
            errors=tuple(_moved_error(e, links, place) for e in declared.errors),
            warnings=tuple(_moved_error(e, links, place) for e in declared.warnings),
            # The file that stands there now would be replaced, not shadowed.
            shadows=tuple(s for s in dict.fromkeys(shadows) if s != path),
        )


def _moved_error(error: SpecError, links: str, place: str) -> SpecError:
    return replace(
        error,
        file=error.file.replace(links, place),
        message=error.message.replace(links, place),
    )


@contextmanager
def linked(files: Iterable[Path]) -> Iterator[Path]:
    """A directory, for as long as it is needed, that has links to the files by their names."""
    with tempfile.TemporaryDirectory(prefix="workloadctl-") as made:
        links = Path(made)
        for file in files:
            (links / file.name).symlink_to(file.resolve())
        yield links
