"""What `workloadctl validate` found, for a terminal and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from workloadd.cli.excerpt import Source
from workloadd.core.errors import Problem
from workloadd.sources.files import read_regular
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


def document(reports: Sequence[Report], strict: bool) -> dict[str, object]:
    """The reports as JSON has them."""
    return {
        "valid": not any(report.bad(strict) for report in reports),
        "files": [asdict(report) for report in reports],
    }


class Printer:
    """Shows reports on a terminal. `texts` are the contents of what is no file, by name."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._sources = {file: Source.of(text) for file, text in texts.items()}
        self._shown: set[SpecError] = set()

    def show(self, reports: Sequence[Report], strict: bool) -> None:
        """All of them, and what they come to."""
        self.each(reports)
        good = not any(report.bad(strict) for report in reports)
        click.secho(_summary(reports), fg="green" if good else "red")

    def each(self, reports: Sequence[Report]) -> None:
        """All of them."""
        for report in reports:
            for error in report.errors:
                self._show(error, click.style("error", fg="red", bold=True))
            for warning in report.warnings:
                self._show(warning, click.style("warning", fg="yellow", bold=True))
            for problem in report.problems:
                placed = placeless(report.file, problem)
                self._show(placed, click.style("warning", fg="yellow", bold=True))
            if report.elsewhere:
                reason = f"{report.workload} is not for this host: {report.elsewhere}"
                click.echo(f"{report.file}: {reason}")

    def _show(self, error: SpecError, label: str) -> None:
        # What is wrong with a file that makes up several workloads is so with each of them.
        if error in self._shown:
            return
        self._shown.add(error)
        where = f"{error.file}:{error.line}:{error.column}" if error.line else error.file
        place = f"{click.style(where, bold=True)}: " if where else ""
        click.echo(f"{place}{label}: {error.message}")
        for line in self._source(error.file).excerpt(error):
            is_caret = line.strip() == "^"
            click.echo(f"    {click.style(line, fg='green', bold=True) if is_caret else line}")
        if error.hint:
            click.echo(f"    {click.style('hint', fg='cyan')}: {error.hint}")

    def _source(self, file: str) -> Source:
        """An error of a drop-in is in the drop-in's own file."""
        if file not in self._sources:
            self._sources[file] = _read(file)
        return self._sources[file]


def placeless(file: str, problem: Problem) -> SpecError:
    """A problem that has no place within the file."""
    return SpecError(file, 0, 0, problem.reason, problem.message, hint=problem.hint)


def _read(file: str) -> Source:
    try:
        data, _ = read_regular(file, Path(file).stat())
    except OSError:
        return Source()
    return Source.of(data)


def _errors(reports: Iterable[Report]) -> list[SpecError]:
    return list(dict.fromkeys(error for report in reports for error in report.errors))


def _warnings(reports: Iterable[Report]) -> list[SpecError]:
    return list(dict.fromkeys(warning for report in reports for warning in report.warnings))


def _summary(reports: Sequence[Report]) -> str:
    if not reports:
        return "no workload file is there: it would be called NAME.yaml or NAME.yml"
    errors, warnings = len(_errors(reports)), len(_warnings(reports))
    warnings += sum(len(report.problems) for report in reports)
    files = len({report.file for report in reports if report.file})
    workloads = sum(1 for report in reports if report.file)
    of = f" with {_count(workloads, 'workload')}" if workloads != files else ""
    also = f", {_count(warnings, 'warning')}" if warnings else ""
    return f"{_count(files, 'file')}{of}, {_count(errors, 'error')}{also}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
