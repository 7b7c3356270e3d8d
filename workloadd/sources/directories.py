"""Workload files in directories: what the host is asked to run."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workloadd.core.desired import Declared, Desired
from workloadd.core.errors import Problem
from workloadd.core.revision import EnvFile
from workloadd.sources.envfile import EnvFiles
from workloadd.sources.files import FileCache, shown, why
from workloadd.sources.scan import Found, scan
from workloadd.spec.errors import SpecError
from workloadd.spec.load import LoadResult, duplicate_host_ports, load_workload
from workloadd.spec.model import ServiceSpec
from workloadd.spec.ports import HostPort
from workloadd.spec.positions import Positions
from workloadd.spec.security import UNCONFINED
from workloadd.spec.volumes import BindVolume


@dataclass(frozen=True, slots=True)
class _Parsed:
    """One file's result, and its spec with every path of the host made absolute."""

    result: LoadResult
    spec: ServiceSpec | None


class Directories:
    """Loads workload files from `roots`, the weakest first; `~/` in a file is below `home`.

    Blocks, so it is called in a thread (one at a time); what has not changed is not read again.
    """

    def __init__(self, roots: Iterable[Path], home: Path | None = None) -> None:
        self._roots = tuple(roots)
        self._home = home or Path.home()
        self._files: FileCache[_Parsed] = FileCache(self._parse)
        self._env_files = EnvFiles()
        self._env_paths: frozenset[str] = frozenset()

    def load(self, holders: Mapping[HostPort, str] | None = None) -> Desired:
        """Everything declared now; `holders` are the host ports of the current deployments."""
        found, unreadable = scan(self._roots)
        read = {shown(name): (file, self._read(file)) for name, file in found.items()}
        # What vanished between the listing and the reading was never there.
        parsed = {name: (file, one) for name, (file, one) in read.items() if one}
        results = {name: one.result for name, (_, one) in parsed.items()}
        clashes = duplicate_host_ports(results, holders)
        workloads = {
            name: self._declare(name, file, one, clashes.get(name, ()))
            for name, (file, one) in parsed.items()
        }
        self._env_paths = frozenset(_env_paths(one for _, one in parsed.values()))
        self._files.sweep()
        self._env_files.sweep()
        return Desired(workloads, unreadable)

    def _read(self, file: Found) -> _Parsed | None:
        path = file.path
        if file.rivals:
            names = " and ".join(shown(p.name) for p in (path, *file.rivals))
            message = f"cannot tell which file declares the workload: there are {names}"
            return _refused(path, "DuplicateFile", message, "remove all but one of them")
        try:
            return self._files.get(str(path))
        except FileNotFoundError:
            if not path.is_symlink():
                return None
            message = (
                f"cannot read the workload: the link leads to {_target(path)}, which is missing"
            )
            hint = "put the file there or remove the link; a link to /dev/null masks a workload"
            return _refused(path, "Unreadable", message, hint)
        except OSError as error:
            hint = "it must be a file that the user of the workloads may read"
            return _refused(path, "Unreadable", f"cannot read the workload: {why(error)}", hint)

    def _parse(self, file: str, data: bytes) -> _Parsed:
        path = Path(file)
        result = load_workload(shown(path.stem), data, shown(file))
        spec = result.spec
        return _Parsed(result, self._absolute(spec, path.parent) if spec else None)

    def _absolute(self, spec: ServiceSpec, directory: Path) -> ServiceSpec:
        """`spec` with every path of the host in it absolute."""
        volumes = tuple(
            v.model_copy(update={"source": self.resolve(v.source, directory)})
            if isinstance(v, BindVolume)
            else v
            for v in spec.volumes
        )
        env_files = tuple(
            e.model_copy(update={"path": self.resolve(e.path, directory)}) for e in spec.env_file
        )
        seccomp = spec.seccomp
        if seccomp not in (None, UNCONFINED):
            seccomp = self.resolve(seccomp, directory)
        changed = {"volumes": volumes, "env_file": env_files, "seccomp": seccomp}
        return spec.model_copy(update=changed)

    def resolve(self, written: str, directory: Path) -> str:
        """The absolute path that `written` in a file of `directory` means.

        As Compose does: relative to the file as it is named in its root, links not followed.
        """
        if written == "~" or written.startswith("~/"):
            return os.path.normpath(self._home / written[2:])
        return os.path.normpath(directory / written)

    def _declare(
        self, name: str, file: Found, one: _Parsed, clashes: tuple[SpecError, ...]
    ) -> Declared:
        errors = (*one.result.errors, *clashes)
        spec = None if errors else one.spec
        env_files, problems = self._environment(spec) if spec else ((), ())
        return Declared(
            name=name,
            path=shown(file.path),
            spec=spec,
            errors=errors,
            warnings=one.result.warnings,
            problems=problems,
            env_files=env_files,
            shadows=tuple(shown(path) for path in file.shadows),
        )

    @property
    def env_paths(self) -> frozenset[Path]:
        """The env files that the workloads named at the last load, there or not."""
        return frozenset(map(Path, self._env_paths))

    def _environment(self, spec: ServiceSpec) -> tuple[tuple[EnvFile, ...], tuple[Problem, ...]]:
        files: list[EnvFile] = []
        problems: list[Problem] = []
        for entry in spec.env_file:
            content = self._env_files.read(entry.path, required=entry.required)
            if content:
                files.append(EnvFile(entry.path, content.variables))
                problems += content.problems
        return tuple(files), tuple(problems)


def _env_paths(parsed: Iterable[_Parsed]) -> Iterator[str]:
    for one in parsed:
        for entry in one.spec.env_file if one.spec else ():
            yield entry.path


def _refused(path: Path, reason: str, message: str, hint: str) -> _Parsed:
    file = shown(path)
    error = SpecError(file, 1, 1, reason, message, hint=hint)
    return _Parsed(LoadResult(None, (error,), (), Positions(file)), None)


def _target(link: Path) -> str:
    try:
        return shown(link.readlink())
    except OSError:
        return "another file"
