"""Facts: what an administrator, or the host itself, says about this host to its workload files.

Files `*.env` in the directories `facts.d`, in the format of env files. A file that cannot be read
must not change what runs: whatever it may have said is in doubt until it can be.
"""

import errno
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from workloadd.core.errors import Problem
from workloadd.sources.envfile import parse_line, written_lines
from workloadd.sources.files import MAX_BYTES, FileCache, shown, why
from workloadd.sources.host_facts import HostFacts, host_limits
from workloadd.sources.layers import MAX_LAYERS, has_suffix, layers
from workloadd.spec.scope import NAME, RESERVED, Limits, Scope, Variable
from workloadd.spec.text import quote

SUFFIXES = (".env",)
_MAX_PROBLEMS = 10


def is_facts_file(name: str) -> bool:
    """Whether a directory entry of this name has facts in it."""
    return has_suffix(name, SUFFIXES)


@dataclass(frozen=True, slots=True)
class FactsFile:
    """The variables of one file. With problems, `variables` are those that it might define."""

    variables: Mapping[str, str] = field(repr=False, default_factory=dict)
    problems: tuple[Problem, ...] = ()


class Facts:
    """Reads facts from `roots`, the weakest first; `own` are over everything that they say."""

    def __init__(
        self,
        roots: Iterable[Path] = (),
        own: Mapping[str, Variable] | None = None,
        host: Callable[[], Mapping[str, str]] | None = None,
        limits: Callable[[], Limits] | None = None,
    ) -> None:
        self._roots = tuple(roots)
        self._own = dict(own or {})
        self._host = host or HostFacts()
        self._limits = limits or host_limits
        self._files: FileCache[FactsFile] = FileCache(parse_facts)

    def load(self) -> tuple[Scope, tuple[Problem, ...]]:
        """The variables as they are now, and what keeps some of them from being known. Blocks."""
        files, out_of_sight = layers(self._roots, SUFFIXES)
        found: dict[str, Variable] = {}
        problems: list[Problem] = []
        doubt = ""
        for path in files[:MAX_LAYERS]:
            content = self._read(path)
            if isinstance(content, Problem):
                problems.append(content)
                doubt = content.message
                found = {name: replace(one, doubt=doubt) for name, one in found.items()}
                continue
            problems += content.problems
            said = content.problems[0].message if content.problems else ""
            for name, value in content.variables.items():
                found[name] = Variable(value, shown(path), said)
        if hidden := _hidden(files, out_of_sight):
            problems += hidden
            doubt = hidden[0].message
            found = {name: replace(one, doubt=doubt) for name, one in found.items()}
        self._files.sweep()
        host = {name: Variable(value, "this host") for name, value in self._host().items()}
        places = tuple(map(shown, self._roots))
        scope = Scope({**found, **host, **self._own}, places, doubt, self._limits())
        return scope, tuple(problems)

    def _read(self, path: Path) -> FactsFile | Problem:
        try:
            return self._files.get(str(path))
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not path.is_symlink():
                return FactsFile()
            hint = "it must be a file that the user of the workloads may read"
            return Problem("FactsUnreadable", f"cannot read {shown(path)}: {why(error)}", hint)


def parse_facts(path: str, data: bytes) -> FactsFile:
    """The variables in `data`; every problem says the line and nothing of a value."""
    if len(data) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_BYTES} bytes", path)
    variables: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in written_lines(data):
        name, value, wrong = _fact(line)
        if NAME.fullmatch(name) and name not in RESERVED:
            variables[name] = value
        if wrong:
            message = f"cannot read {shown(path)}:{number}: {wrong}"
            hint = "write KEY=VALUE; a line that begins with # is a comment"
            problems.append(Problem("FactsInvalid", message, hint))
    return FactsFile(variables, tuple(problems[:_MAX_PROBLEMS]))


def _fact(line: bytes) -> tuple[str, str, str]:
    """Name and value as far as there are some, and what is wrong."""
    parsed = parse_line(line)
    if isinstance(parsed, str):
        before, equals, _ = line.partition(b"=")
        return before.decode(errors="replace") if equals else "", "", parsed
    name, value = parsed
    if name in RESERVED:
        return name, "", f"{name} is what workloadd itself defines"
    if not NAME.fullmatch(name):
        return name, "", f"{quote(name)} is not a name that can stand in ${{…}}"
    return name, value, ""


def _hidden(
    files: tuple[Path, ...], out_of_sight: tuple[tuple[Path, OSError], ...]
) -> list[Problem]:
    hint = "until it can be read, what workloads say with variables stays as it is"
    hidden = [
        Problem("FactsUnreadable", f"cannot read {shown(directory)}: {why(error)}", hint)
        for directory, error in out_of_sight
    ]
    if len(files) > MAX_LAYERS:
        message = f"cannot read all facts: there are {len(files)} files, more than {MAX_LAYERS}"
        hidden.append(Problem("TooManyFiles", message))
    return hidden
