"""The files that are to be applied: what they say, and where each goes."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from workloadd.host.placing import Parts
from workloadd.sources.files import MAX_BYTES, read_regular, shown, why
from workloadd.sources.scan import is_dropin_directory, is_workload_file
from workloadd.spec.names import check_name

_STDIN = "-"


@dataclass(frozen=True, slots=True)
class Given:
    """One file, read once: what was checked is what is written. `source` is what it was called."""

    source: str
    target: Parts
    content: bytes


def read_all(sources: Sequence[str], name: str | None) -> list[Given]:
    """What the sources hold: files, directories of them, directories of drop-ins, and `-`.

    Raises:
        click.ClickException: something cannot be read, or is no workload file.
    """
    if (_STDIN in sources) != (name is not None):
        raise click.UsageError("--name says what standard input is called, and goes with -f -")
    found = [one for source in dict.fromkeys(sources) for one in _read(source, name or "")]
    by_target: dict[Parts, Given] = {}
    for one in found:
        if other := by_target.get(one.target):
            what = "/".join(one.target)
            raise click.ClickException(
                f"cannot apply two files called {what}: {other.source} and {one.source}"
            )
        by_target[one.target] = one
    return list(by_target.values())


def _read(source: str, name: str) -> Iterator[Given]:
    if source == _STDIN:
        if problem := check_name(name):
            raise click.BadParameter(problem, param_hint="--name")
        yield Given("standard input", (f"{name}.yaml",), sys.stdin.buffer.read(MAX_BYTES + 1))
        return
    path = Path(os.path.abspath(source))  # noqa: PTH100 - links are not followed for a name
    if not path.is_dir():
        yield _file(source, _target(source, path), path)
    elif is_dropin_directory(path.name):
        yield from _dropins(path, source)
    else:
        yield from _directory(path, source)


def _target(source: str, path: Path) -> Parts:
    if not is_workload_file(path.name):
        raise click.ClickException(
            f"cannot apply {shown(source)}: a workload file is called NAME.yaml or NAME.yml"
        )
    is_dropin = is_dropin_directory(path.parent.name)
    return (path.parent.name, path.name) if is_dropin else (path.name,)


def _directory(path: Path, source: str) -> Iterator[Given]:
    """What the daemon would read of it."""
    for entry in _listed(path):
        if is_dropin_directory(entry.name) and entry.is_dir():
            yield from _dropins(entry, str(Path(source, entry.name)))
        elif is_workload_file(entry.name):
            yield _file(str(Path(source, entry.name)), (entry.name,), entry, path)


def _dropins(path: Path, source: str) -> Iterator[Given]:
    for entry in _listed(path):
        if is_workload_file(entry.name):
            yield _file(str(Path(source, entry.name)), (path.name, entry.name), entry, path)


def _listed(path: Path) -> Iterable[Path]:
    try:
        return sorted(path.iterdir())
    except OSError as error:
        raise click.ClickException(f"cannot read {shown(path)}: {why(error)}") from None


def _file(source: str, target: Parts, path: Path, within: Path | None = None) -> Given:
    """`within` is the directory that it was found in: only what is in there may be read by it."""
    try:
        if within and not (path := path.resolve()).is_relative_to(within.resolve()):
            raise OSError(0, "it is a link that leads out of its directory")
        data, _ = read_regular(str(path), path.stat())
    except OSError as error:
        raise click.ClickException(f"cannot read {shown(source)}: {why(error)}") from None
    if len(data) > MAX_BYTES:
        raise click.ClickException(
            f"cannot read {shown(source)}: it is larger than {MAX_BYTES} bytes"
        )
    return Given(shown(source), target, data)
