"""Files checked as if they stood where they are to be put, together with what is there."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from workloadd.cli.findings import Report
from workloadd.cli.given import Given
from workloadd.cli.overlay import AsIf
from workloadd.cli.validate import reports
from workloadd.core.desired import Desired
from workloadd.core.errors import Problem
from workloadd.host.placing import Placing
from workloadd.settings import Paths
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts
from workloadd.sources.files import shown, why
from workloadd.sources.scan import SUFFIXES
from workloadd.spec.errors import SpecError


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found, the workloads that the files are about, and the files' texts by source."""

    reports: list[Report]
    names: tuple[str, ...]
    texts: Mapping[str, bytes]


def check(
    given: Sequence[Given], placing: Placing, where: Paths, layer: int, facts: Facts
) -> Checked:
    """What is to say about the files, and about others that were right without them.

    `layer` is which of the roots they are put into; what stronger ones declare is not checked
    with it, as a file of the same name would hide ours.
    """
    roots = where.workload_roots[: layer + 1]
    before = Directories(roots, where.home, facts).load()
    with tempfile.TemporaryDirectory(prefix="workloadctl-") as made:
        links = Path(made)
        for one in given:
            file = links.joinpath(*one.target)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(one.content)
        after = AsIf([*roots, links], where.home, links, placing.path, facts).load()
    sources = {shown(placing.path.joinpath(*one.target)): one.source for one in given}
    ours = {
        path
        for declared in after.workloads.values()
        if sources.keys() & {declared.path, *declared.files}
        for path in (declared.path, *declared.files)
    } | sources.keys()
    stronger = where.workload_roots[layer + 1 :]
    found = [*_rivals(given, placing), *_shadowed(given, stronger), *_new(before, after, ours)]
    return Checked(
        [_as_given(report, sources) for report in found],
        tuple(name for name, one in after.workloads.items() if one.path in ours),
        {one.source: one.content for one in given},
    )


def _rivals(given: Sequence[Given], placing: Placing) -> Iterator[Report]:
    """web.yaml does not go beside web.yml."""
    try:
        there = placing.names()
    except OSError as error:
        raise click.ClickException(f"cannot read {shown(placing.path)}: {why(error)}") from None
    for one in given:
        name = Path(one.target[-1])
        for rival in {name.with_suffix(suffix).name for suffix in SUFFIXES} - {name.name}:
            if len(one.target) == 1 and rival in there:
                message = f"{shown(placing.path / rival)} is there, for the same workload"
                hint = "remove that one first, or call this one so"
                taken = SpecError(one.source, 1, 1, "DuplicateName", message, hint=hint)
                yield Report(one.source, (taken,))


def _shadowed(given: Sequence[Given], stronger: Sequence[Path]) -> Iterator[Report]:
    """Files that another one of their name makes ineffective, be it a link to /dev/null."""
    for one in given:
        name = Path(one.target[-1])
        places = (root / name.with_suffix(suffix) for root in stronger for suffix in SUFFIXES)
        for other in places if len(one.target) == 1 else ():
            if os.path.lexists(other):
                message = f"{one.source} is without effect on this host: {shown(other)} is stronger"
                yield Report(one.source, problems=(Problem("Shadowed", message, "remove that"),))


def _new(before: Desired, after: Desired, ours: set[str]) -> Iterator[Report]:
    """The reports about our files, and errors of others that they bring."""
    known = {error for report in reports(before) for error in report.errors}
    problems = set(before.problems)
    for report in reports(after):
        if report.file in ours:
            yield report
        elif errors := tuple(error for error in report.errors if error not in known):
            yield Report(report.file, errors, workload=report.workload)
        elif not report.file and (new := tuple(p for p in report.problems if p not in problems)):
            yield Report("", problems=new)


def _as_given(report: Report, sources: Mapping[str, str]) -> Report:
    """With the names that the files were given under."""

    def named(errors: tuple[SpecError, ...]) -> tuple[SpecError, ...]:
        return tuple(replace(e, file=sources.get(e.file, e.file)) for e in errors)

    return replace(
        report,
        file=sources.get(report.file, report.file),
        errors=named(report.errors),
        warnings=named(report.warnings),
    )
