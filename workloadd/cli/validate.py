"""`workloadctl validate`: are these workload files right? Needs no daemon."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from workloadd.cli import facts
from workloadd.cli.excerpt import Source
from workloadd.cli.overlay import AsIf, linked
from workloadd.core.desired import Declared, Desired
from workloadd.core.errors import Problem
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts
from workloadd.sources.files import read_regular, shown
from workloadd.sources.scan import DROPINS, SUFFIXES, is_dropin_directory, is_workload_file
from workloadd.spec.errors import SpecError


@dataclass(frozen=True, slots=True)
class Report:
    """What was found about one workload. `problems` are about files that it refers to, and
    `elsewhere` is why it is not for this host."""

    file: str
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[SpecError, ...] = ()
    problems: tuple[Problem, ...] = ()
    workload: str = ""
    elsewhere: str = ""

    def bad(self, strict: bool) -> bool:
        """Whether it fails the check."""
        return bool(self.errors or (strict and (self.warnings or self.problems)))


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
@click.option("--strict", is_flag=True, help="Warnings fail the check too.")
@facts.options
@click.pass_context
def validate(
    ctx: click.Context,
    paths: tuple[Path, ...],
    as_json: bool,
    strict: bool,
    files: tuple[Path, ...],
    assignments: tuple[str, ...],
) -> None:
    """Check workload files, and directories of them, as the daemon would.

    Each error is shown with its place and what to do. Files of one directory are also checked
    against each other, with the drop-ins beside them. Exit status: 0 where all are right, 1 where
    one is not, 2 for a wrong call.
    """
    reports = list(_check(paths, facts.facts_of(files, assignments)))
    if as_json:
        click.echo(json.dumps(_document(reports, strict), indent=2, ensure_ascii=False))
    else:
        _show(reports)
        click.echo(_summary(reports))
    ctx.exit(1 if any(report.bad(strict) for report in reports) else 0)


def _check(paths: Sequence[Path], given: Facts) -> Iterator[Report]:
    by_directory: dict[Path, list[Path]] = {}
    for path in paths:
        if is_dropin_directory(path.name) or is_dropin_directory(path.parent.name):
            base = _base(path)
            by_directory.setdefault(base.parent, []).append(base)
        elif path.is_dir():
            yield from _reports(Directories([path], Path.home(), given).load())
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
        yield from _reports(AsIf([links], Path.home(), links, directory, given).load())
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


def _reports(desired: Desired) -> Iterator[Report]:
    for problem in desired.unreadable:
        error = SpecError("", 0, 0, problem.reason, problem.message, hint=problem.hint)
        yield Report("", (error,))
    if desired.problems:
        yield Report("", problems=desired.problems)
    for declared in desired.workloads.values():
        yield _report(declared)
    for other in desired.elsewhere:
        yield Report(other.path, workload=other.name, elsewhere=other.reason)


def _report(declared: Declared) -> Report:
    return Report(
        declared.path, declared.errors, declared.warnings, declared.problems, declared.name
    )


def _show(reports: Sequence[Report]) -> None:
    sources: dict[str, Source] = {}
    # An error in a file that makes up several workloads is one of each of them.
    for error in _errors(reports):
        _show_one(error, click.style("error", fg="red", bold=True), sources)
    for warning in _warnings(reports):
        _show_one(warning, click.style("warning", fg="yellow", bold=True), sources)
    for report in reports:
        for problem in report.problems:
            label = click.style("warning", fg="yellow", bold=True)
            click.echo(f"{report.file}{': ' if report.file else ''}{label}: {problem.message}")
            if problem.hint:
                click.echo(f"    hint: {problem.hint}")
        if report.elsewhere:
            click.echo(f"{report.file}: {report.workload} is not for this host: {report.elsewhere}")


def _errors(reports: Iterable[Report]) -> list[SpecError]:
    return list(dict.fromkeys(error for report in reports for error in report.errors))


def _warnings(reports: Iterable[Report]) -> list[SpecError]:
    return list(dict.fromkeys(warning for report in reports for warning in report.warnings))


def _show_one(error: SpecError, label: str, sources: dict[str, Source]) -> None:
    where = f"{error.file}:{error.line}:{error.column}: " if error.file else ""
    click.echo(f"{click.style(where, bold=True)}{label}: {error.message}")
    if error.file not in sources:
        sources[error.file] = _source(error.file)
    for line in sources[error.file].excerpt(error):
        click.echo(f"    {line}")
    if error.hint:
        click.echo(f"    hint: {error.hint}")


def _source(file: str) -> Source:
    try:
        data, _ = read_regular(file, Path(file).stat())
    except OSError:
        return Source()
    return Source.of(data)


def _summary(reports: Sequence[Report]) -> str:
    errors, warnings = len(_errors(reports)), len(_warnings(reports))
    warnings += sum(len(report.problems) for report in reports)
    files = len({report.file for report in reports if report.file})
    workloads = sum(1 for report in reports if report.file)
    of = f" with {_count(workloads, 'workload')}" if workloads != files else ""
    also = f", {_count(warnings, 'warning')}" if warnings else ""
    return f"{_count(files, 'file')}{of}, {_count(errors, 'error')}{also}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _document(reports: Sequence[Report], strict: bool) -> dict[str, object]:
    return {
        "valid": not any(report.bad(strict) for report in reports),
        "files": [asdict(report) for report in reports],
    }
