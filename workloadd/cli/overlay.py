"""Workload files loaded as if they stood in some directory of the host."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from workloadd.core.desired import Declared, Desired, Shared
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts
from workloadd.sources.files import shown
from workloadd.sources.secrets import Secrets
from workloadd.spec.errors import SpecError
from workloadd.spec.ports import HostPort


class AsIf(Directories):
    """Directories of which one, full of links, stands for another.

    Relative paths in its files lead to where they would from there.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        home: Path,
        links: Path,
        place: Path,
        facts: Facts,
        secrets: Secrets | None = None,
    ) -> None:
        super().__init__(roots, home, facts, secrets)
        self._links = links
        self._place = place

    def resolve(self, written: str, directory: Path) -> str:
        if directory.is_relative_to(self._links):
            directory = self._place / directory.relative_to(self._links)
        return super().resolve(written, directory)

    def known_as(self, path: Path) -> str:
        return self._there(super().known_as(path))

    def load(
        self,
        holders: Mapping[HostPort, str] | None = None,
        running: Mapping[str, str] | None = None,
    ) -> Desired:
        """Everything declared; a file of ours has the path in `place` that it would have."""
        desired = super().load(holders, running)
        workloads = {name: self._moved(one) for name, one in desired.workloads.items()}
        networks, volumes = (
            {name: self._moved_shared(one) for name, one in shared.items()}
            for shared in (desired.networks, desired.volumes)
        )
        elsewhere = (replace(e, path=self._there(e.path)) for e in desired.elsewhere)
        problems = (replace(p, message=self._there(p.message)) for p in desired.problems)
        return replace(
            desired,
            workloads=workloads,
            elsewhere=tuple(elsewhere),
            problems=tuple(problems),
            unsure=frozenset(map(self._there, desired.unsure)),
            networks=networks,
            volumes=volumes,
        )

    def _there(self, text: str) -> str:
        """`text` with the place for the links in it."""
        # Nothing for the directory ".".
        return text.replace(f"{shown(self._links)}/", shown(self._place / "_").removesuffix("_"))

    def _moved(self, declared: Declared) -> Declared:
        path = self._there(declared.path)
        shadows = map(self._there, declared.shadows)
        return replace(
            declared,
            path=path,
            errors=tuple(map(self._moved_error, declared.errors)),
            warnings=tuple(map(self._moved_error, declared.warnings)),
            files=tuple(dict.fromkeys(map(self._there, declared.files))),
            # The file that stands there now would be replaced, not shadowed.
            shadows=tuple(s for s in dict.fromkeys(shadows) if s != path),
        )

    def _moved_shared(self, shared: Shared) -> Shared:
        path = self._there(shared.path)
        shadows = map(self._there, shared.shadows)
        return replace(
            shared,
            path=path,
            errors=tuple(map(self._moved_error, shared.errors)),
            shadows=tuple(s for s in dict.fromkeys(shadows) if s != path),
        )

    def _moved_error(self, error: SpecError) -> SpecError:
        return replace(error, file=self._there(error.file), message=self._there(error.message))


@contextmanager
def linked(files: Iterable[Path]) -> Iterator[Path]:
    """A directory, for as long as it is needed, that has links to the files by their names."""
    with tempfile.TemporaryDirectory(prefix="workloadctl-") as made:
        links = Path(made)
        for file in files:
            (links / file.name).symlink_to(file.resolve())
        yield links
