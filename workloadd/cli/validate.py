"""`workloadctl validate`: are these workload files right? Needs no daemon."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from workloadd.cli.excerpt import Source
from workloadd.cli.overlay import AsIf, linked
from workloadd.core.desired import Declared, Desired
from workloadd.core.errors import Problem
from workloadd.sources.directories import Directories
from workloadd.sources.files import read_regular, shown
from workloadd.sources.scan import is_workload_file
from workloadd.spec.errors import SpecError


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one file. `problems` are about files that it refers to."""

    file: str
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[SpecError, ...] = ()
    problems: tuple[Problem, ...] = ()

    def bad(self, strict: bool) -> bool:
        """Whether the file fails the check."""
        return bool(self.errors or (strict and (self.warnings or self.problems)))


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
@click.option("--strict", is_flag=True, help="Warnings fail the check too.")
@click.pass_context
def validate(ctx: click.Context, paths: tuple[Path, ...], as_json: bool, strict: bool) -> None:
    """Check workload files, and directories of them, as the daemon would.

    Each error is shown with its place and what to do. Files of one directory are also checked
    against each other. Exit status: 0 where all are right, 1 where one is not, 2 for a wrong call.
    """
    reports = list(_check(paths))
    if as_json:
        click.echo(json.dumps(_document(reports, strict), indent=2, ensure_ascii=False))
    else:
        for report in reports:
            _show(report)
        click.echo(_summary(reports))
    ctx.exit(1 if any(report.bad(strict) for report in reports) else 0)


def _check(paths: Sequence[Path]) -> Iterator[Report]:
    for directory in (path for path in paths if path.is_dir()):
        yield from _reports(Directories([directory], Path.home()).load())
    by_directory: dict[Path, list[Path]] = {}
    for file in dict.fromkeys(path for path in paths if not path.is_dir()):
        by_directory.setdefault(file.parent, []).append(file)
    for directory, files in by_directory.items():
        yield from _check_files(directory, files)


def _check_files(directory: Path, files: Iterable[Path]) -> Iterator[Report]:
    """Files of one directory, each under its own name and beside the others only."""
    named = [file for file in files if is_workload_file(file.name)]
    with linked(named) as links:
        yield from _reports(AsIf([links], Path.home(), links, directory).load())
    for file in files:
        if file not in named:
            yield Report(shown(file), (_ignored(file),))


def _ignored(file: Path) -> SpecError:
    message = "the daemon does not read it: a workload file is called NAME.yaml or NAME.yml"
    return SpecError(shown(file), 1, 1, "NotAWorkloadFile", message)


def _reports(desired: Desired) -> Iterator[Report]:
    for problem in desired.unreadable:
        error = SpecError("", 0, 0, problem.reason, problem.message, hint=problem.hint)
        yield Report("", (error,))
    for declared in desired.workloads.values():
        yield _report(declared)


def _report(declared: Declared) -> Report:
    return Report(declared.path, declared.errors, declared.warnings, declared.problems)


def _show(report: Report) -> None:
    source = _source(report.file)
    for error in report.errors:
        _show_one(error, click.style("error", fg="red", bold=True), source)
    for warning in report.warnings:
        _show_one(warning, click.style("warning", fg="yellow", bold=True), source)
    for problem in report.problems:
        label = click.style("warning", fg="yellow", bold=True)
        click.echo(f"{report.file}: {label}: {problem.message}")
        if problem.hint:
            click.echo(f"    hint: {problem.hint}")


def _show_one(error: SpecError, label: str, source: Source) -> None:
    where = f"{error.file}:{error.line}:{error.column}: " if error.file else ""
    click.echo(f"{click.style(where, bold=True)}{label}: {error.message}")
    for line in source.excerpt(error):
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
    errors = sum(len(report.errors) for report in reports)
    warnings = sum(len(report.warnings) + len(report.problems) for report in reports)
    files = sum(1 for report in reports if report.file)
    also = f", {_count(warnings, 'warning')}" if warnings else ""
    return f"{_count(files, 'file')}, {_count(errors, 'error')}{also}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _document(reports: Sequence[Report], strict: bool) -> dict[str, object]:
    return {
        "valid": not any(report.bad(strict) for report in reports),
        "files": [asdict(report) for report in reports],
    }
