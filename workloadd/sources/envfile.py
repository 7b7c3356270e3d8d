"""Files of environment variables, in the format of `podman run --env-file`.

`KEY=VALUE` lines; blanks before a line, empty lines and lines beginning with `#` are ignored; the
value is everything behind the first `=`, quotes included. Unlike in Podman a KEY alone is an error:
it would take the value from the environment of whoever happens to create the container.
Values are secrets until proven otherwise: no message here has any part of one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from workloadd.core.errors import Problem
from workloadd.sources.files import MAX_BYTES, FileCache, shown, why
from workloadd.spec.text import quote

MAX_VARIABLES = 1024
MAX_VALUE_BYTES = 32 * 1024
_MAX_PROBLEMS = 10

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
_FORMAT_HINT = "write KEY=VALUE; a line that begins with # is a comment"


@dataclass(frozen=True, slots=True)
class EnvFileContent:
    """Variables in the order of the file, of equal names the last; or the file's problems."""

    variables: tuple[tuple[str, str], ...] = field(repr=False, default=())
    problems: tuple[Problem, ...] = ()


class EnvFiles:
    """Reads env files, each again only when it changed."""

    def __init__(self) -> None:
        self._cache: FileCache[EnvFileContent] = FileCache(parse_env_file)
        self.sweep: Callable[[], None] = self._cache.sweep

    def read(self, path: str, *, required: bool = True) -> EnvFileContent | None:
        """The content, or None for a file that is missing and need not be there. Blocks."""
        try:
            return self._cache.get(path)
        except FileNotFoundError as error:
            if not required:
                return None
            hint = "create it, or set required: false"
            return _failed("EnvFileMissing", f"cannot read {shown(path)}: {why(error)}", hint)
        except OSError as error:
            hint = "it must be a file that the user of the workloads may read"
            return _failed("EnvFileUnreadable", f"cannot read {shown(path)}: {why(error)}", hint)


def parse_env_file(path: str, data: bytes) -> EnvFileContent:
    """The variables in `data`; every problem says the line."""
    if len(data) > MAX_BYTES:
        message = f"cannot read {shown(path)}: it is larger than {MAX_BYTES} bytes"
        return _failed("EnvFileInvalid", message, "environment variables are for small values")
    variables: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in written_lines(data):
        found = parse_line(line)
        if isinstance(found, tuple):
            # The last one counts, at its own place in the order.
            variables.pop(found[0], None)
            variables[found[0]] = found[1]
        else:
            message = f"cannot read {shown(path)}:{number}: {found}"
            problems.append(Problem("EnvFileInvalid", message, _FORMAT_HINT))
    if len(variables) > MAX_VARIABLES:
        message = f"cannot read {shown(path)}: it has more than {MAX_VARIABLES} variables"
        problems.append(Problem("EnvFileInvalid", message))
    if problems:
        return EnvFileContent((), tuple(problems[:_MAX_PROBLEMS]))
    return EnvFileContent(tuple(variables.items()))


def written_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbered lines that say something; an editor's byte order mark is not part of a name."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        text = line.removesuffix(b"\r").lstrip(b" \t")
        if text and not text.startswith(b"#"):
            yield number, text


def parse_line(line: bytes) -> tuple[str, str] | str:
    """Name and value, or what is wrong. A line without `=` may be a lost piece of a secret."""
    before, equals, after = line.partition(b"=")
    if not equals:
        return "there is no = in this line"
    name = before.decode(errors="replace")
    if name.startswith("export "):
        return "export is for shell scripts, not for this file"
    if not _NAME.fullmatch(name):
        return f"{quote(name)} is not the name of a variable"
    if len(after) > MAX_VALUE_BYTES:
        return f"the value of {name} is longer than {MAX_VALUE_BYTES} bytes"
    try:
        value = after.decode()
    except UnicodeDecodeError:
        return f"the value of {name} is not UTF-8"
    return f"the value of {name} has a NUL in it" if "\0" in value else (name, value)


def _failed(reason: str, message: str, hint: str) -> EnvFileContent:
    return EnvFileContent(problems=(Problem(reason, message, hint),))
