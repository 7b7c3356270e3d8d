"""One workload file and its drop-ins, read when they changed, and loaded again when a fact did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from workloadd.sources.absolute import absolute
from workloadd.sources.files import FileCache, shown, why
from workloadd.sources.scan import Found
from workloadd.spec.errors import SpecError
from workloadd.spec.load import FileResult, LoadResult, Part, load_file, read_part
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.problems import Path as SpecPath
from workloadd.spec.scope import Scope, Variable

_HINT = "it must be a file that the user of the workloads may read"


@dataclass(frozen=True, slots=True)
class Workload:
    """One document of a file; `spec` is that of a workload, with every path of the host made
    absolute."""

    name: str
    result: LoadResult
    spec: WorkloadSpec | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one file came to; `complete` is whether the names of all its workloads are known."""

    found: Found
    workloads: tuple[Workload, ...]
    complete: bool


@dataclass(slots=True)
class _Kept:
    """What was loaded, and from what: as long as that is the same, so is the result."""

    loaded: Loaded
    base: Part
    dropins: tuple[Part, ...]
    scope: Scope
    used: Mapping[str, Variable | None] = field(repr=False)
    asked_for: bool = True

    def holds(self, found: Found, base: Part, dropins: tuple[Part, ...], scope: Scope) -> bool:
        # A part that was read again is another object, whatever is in it.
        if found != self.loaded.found or base is not self.base:
            return False
        if len(dropins) != len(self.dropins):
            return False
        same = all(one is other for one, other in zip(dropins, self.dropins, strict=True))
        return same and self._same_variables(scope)

    def _same_variables(self, scope: Scope) -> bool:
        if replace(scope, variables={}) != replace(self.scope, variables={}):
            return False
        if None in self.used.values() and scope.variables.keys() != self.scope.variables.keys():
            return False  # what an error proposes instead may have changed
        return all(scope.variables.get(name) == value for name, value in self.used.items())


class Loader:
    """Loads files; `resolve(written, directory)` makes a path in one of them absolute."""

    def __init__(self, resolve: Callable[[str, Path], str]) -> None:
        self._resolve = resolve
        self._parts: FileCache[Part] = FileCache(lambda path, data: read_part(shown(path), data))
        self._kept: dict[str, _Kept] = {}

    def load(self, stem: str, found: Found, scope: Scope) -> Loaded | None:
        """The workloads of a file, or None where it is not there any more. Blocks."""
        base = self._base(found)
        if base is None:
            return None
        parts = (self._dropin(path) for path in found.dropins)
        dropins = tuple(part for part in parts if part)
        kept = self._kept.get(stem)
        if kept and kept.holds(found, base, dropins, scope):
            kept.asked_for = True
            return kept.loaded
        unlisted = tuple(Part(error.file, error=error) for error in found.errors)
        result = load_file(stem, base, (*dropins, *unlisted), scope)
        loaded = self._loaded(found, result)
        self._kept[stem] = _Kept(loaded, base, dropins, scope, result.used)
        return loaded

    def sweep(self) -> None:
        """Forget the files that nobody asked for since the last sweep."""
        self._parts.sweep()
        self._kept = {stem: one for stem, one in self._kept.items() if one.asked_for}
        for one in self._kept.values():
            one.asked_for = False

    def _loaded(self, found: Found, result: FileResult) -> Loaded:
        directories = {shown(path): path.parent for path in (found.path, *found.dropins)}
        workloads = (self._workload(name, one, directories) for name, one in result.workloads)
        return Loaded(found, tuple(workloads), result.complete)

    def _workload(self, name: str, result: LoadResult, directories: Mapping[str, Path]) -> Workload:
        def resolve(written: str, path: SpecPath) -> str:
            return self._resolve(written, directories[result.positions.file_of(path)])

        spec = absolute(result.workload, resolve) if result.workload else None
        return Workload(name, result, spec)

    def _base(self, found: Found) -> Part | None:
        path = found.path
        if found.rivals:
            names = " and ".join(shown(p.name) for p in (path, *found.rivals))
            message = f"cannot tell which file declares the workload: there are {names}"
            return _refused(path, "DuplicateFile", message, "remove all but one of them")
        return self._read(path, "the workload", "a link to /dev/null masks a workload")

    def _dropin(self, path: Path) -> Part | None:
        return self._read(path, "the drop-in", "a link to /dev/null masks a drop-in")

    def _read(self, path: Path, what: str, masks: str) -> Part | None:
        try:
            return self._parts.get(str(path))
        except FileNotFoundError:
            if not path.is_symlink():
                return None
            message = f"cannot read {what}: the link leads to {_target(path)}, which is missing"
            hint = f"put the file there or remove the link; {masks}"
            return _refused(path, "Unreadable", message, hint)
        except OSError as error:
            return _refused(path, "Unreadable", f"cannot read {what}: {why(error)}", _HINT)


def _refused(path: Path, reason: str, message: str, hint: str) -> Part:
    file = shown(path)
    return Part(file, error=SpecError(file, 1, 1, reason, message, hint=hint))


def _target(link: Path) -> str:
    try:
        return shown(link.readlink())
    except OSError:
        return "another file"
