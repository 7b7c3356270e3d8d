"""`workloadctl validate`: are these workload files right? Needs no daemon."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from workloadd.cli import facts
from workloadd.cli import output as output_
from workloadd.cli.findings import Printer, Report, document, placeless
from workloadd.cli.overlay import AsIf, linked
from workloadd.core.desired import Declared, Desired
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts
from workloadd.sources.files import MAX_BYTES, shown
from workloadd.sources.scan import DROPINS, SUFFIXES, is_dropin_directory, is_workload_file
from workloadd.spec.errors import SpecError

_STDIN = Path("-")
_STDIN_FILE = "stdin.yaml"


@click.command()
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@output_.option
@click.option("--strict", is_flag=True, help="Warnings fail the check too.")
@facts.options
@click.pass_context
def validate(
    ctx: click.Context,
    paths: tuple[Path, ...],
    output: str,
    strict: bool,
    files: tuple[Path, ...],
    assignments: tuple[str, ...],
) -> None:
    """Check workload files, and directories of them, as the daemon would; - is standard input.

    Each error is shown with its place and what to do. Files of one directory are also checked
    against each other, with the drop-ins beside them.

    Exit status: 0 where all are right, 1 where one has an error (with --strict: or a warning), 2
    for a wrong call.
    """
    given = facts.facts_of(files, assignments)
    text = sys.stdin.buffer.read(MAX_BYTES + 1) if _STDIN in paths else b""
    found = [*(_check_stdin(text, given) if _STDIN in paths else ()), *_check(paths, given)]
    if output == "table":
        Printer({_STDIN_FILE: text} if _STDIN in paths else {}).show(found, strict)
    else:
        output_.show(document(found, strict), output)
    ctx.exit(1 if any(report.bad(strict) for report in found) else 0)


def _check_stdin(text: bytes, given: Facts) -> Iterator[Report]:
    """As if it were a file of this directory."""
    with TemporaryDirectory() as directory:
        links = Path(directory)
        (links / _STDIN_FILE).write_bytes(text)
        yield from reports(AsIf([links], facts.paths().home, links, Path(), given).load())


def _check(paths: Sequence[Path], given: Facts) -> Iterator[Report]:
    by_directory: dict[Path, list[Path]] = {}
    for path in (path for path in paths if path != _STDIN):
        if is_dropin_directory(path.name) or is_dropin_directory(path.parent.name):
            base = _base(path)
            by_directory.setdefault(base.parent, []).append(base)
        elif path.is_dir():
            yield from reports(Directories([path], facts.paths().home, given).load())
        else:
            by_directory.setdefault(path.parent, []).append(path)
    for directory, files in by_directory.items():
        yield from _check_files(directory, dict.fromkeys(files), given)


def _check_files(directory: Path, files: Iterable[Path], given: Facts) -> Iterator[Report]:
    """Files of one directory, each under its own name and beside the others only."""
    named = [file for file in files if is_workload_file(file.name)]
    dropins = [
        beside
        for file in named
        for suffix in DROPINS
        if (beside := file.with_name(f"{file.stem}{suffix}")).is_dir()
    ]
    with linked([*named, *dropins]) as links:
        yield from reports(AsIf([links], facts.paths().home, links, directory, given).load())
    for file in files:
        if file not in named:
            yield Report(shown(file), (_ignored(file),))


def _base(dropin: Path) -> Path:
    """The workload file that a drop-in, or a directory of them, is for."""
    directory = dropin if is_dropin_directory(dropin.name) else dropin.parent
    stem = directory.name.removesuffix(".d").rpartition(".")[0]
    for suffix in SUFFIXES:
        if (base := directory.with_name(f"{stem}{suffix}")).exists():
            return base
    raise click.ClickException(
        f"cannot check {dropin}: it is for {stem}.yaml, which is not in {directory.parent}"
    )


def _ignored(file: Path) -> SpecError:
    message = "the daemon does not read it: a workload file is called NAME.yaml or NAME.yml"
    return SpecError(shown(file), 1, 1, "NotAWorkloadFile", message)


def reports(desired: Desired) -> Iterator[Report]:
    """What there is to say about each file."""
    for problem in desired.unreadable:
        yield Report("", (placeless("", problem),))
    if desired.problems:
        yield Report("", problems=desired.problems)
    for declared in desired.workloads.values():
        yield _report(declared)
    for shared in (*desired.networks.values(), *desired.volumes.values()):
        yield Report(shared.path, shared.errors, workload=shared.name)
    for other in desired.elsewhere:
        yield Report(other.path, workload=other.name, elsewhere=other.reason)


def _report(declared: Declared) -> Report:
    return Report(
        declared.path, declared.errors, declared.warnings, declared.problems, declared.name
    )
