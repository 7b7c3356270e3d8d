"""`workloadctl apply`: put workload files where the daemon reads them, after checking them."""

import os
import time
from pathlib import Path
from typing import Any

import click

from workloadd.cli import codes, facts, findings
from workloadd.cli import output as output_
from workloadd.cli.changes import Change, changes
from workloadd.cli.check import Checked, check
from workloadd.cli.findings import Printer
from workloadd.cli.given import read_all
from workloadd.cli.settle import settle
from workloadd.cli.wait import duration
from workloadd.host.placing import Placing
from workloadd.settings import Paths
from workloadd.sources.files import shown, why


@click.command()
@click.option(
    "-f",
    "--file",
    "sources",
    multiple=True,
    required=True,
    metavar="FILE|DIR|-",
    type=click.Path(allow_dash=True),
    help="A workload file or drop-in, or a directory of them; may be repeated.",
)
@click.option("--name", help="What the workload on standard input (-f -) is called.")
@click.option("--check", "dry", is_flag=True, help="Say what would be changed, and change nothing.")
@click.option("--diff", "differ", is_flag=True, help="Show what changes in the files.")
@click.option("--strict", is_flag=True, help="Warnings too keep files from being applied.")
@click.option("--wait", "waits", is_flag=True, help="Wait until the workloads have settled.")
@click.option("--timeout", callback=duration, default="5m", show_default=True, help="Of --wait.")
@click.option("--user", "own", is_flag=True, help="Below our own ~/.config, not below /etc.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Below this directory's /etc: for an image that is being built.",
)
@output_.option
@facts.options
@click.pass_context
def apply(
    ctx: click.Context,
    sources: tuple[str, ...],
    name: str | None,
    dry: bool,
    differ: bool,
    strict: bool,
    waits: bool,
    timeout: float,
    own: bool,
    root: Path | None,
    output: str,
    files: tuple[Path, ...],
    assignments: tuple[str, ...],
) -> None:
    """Check workload files, and put them into /etc/workloadd/workloads.d: all of them, or none.

    Each replaces the file of its name at once, and only where something changes. They are checked
    together with what is there already. -o json tells what changed, for Ansible and other tools.
    To remove a workload, remove its file.

    Exit status: 0 where all is in place, changed or not; 1 where a file has an error or cannot be
    written, and nothing was changed; 2 for a wrong call; 10 where --check finds that something
    would be changed; 3 where what --wait waits for does not come out well, or not in time.
    """  # fmt: skip
    _refuse(ctx, own=own, root=root, waits=waits, dry=dry)
    where = facts.paths(root)
    placing, layer = _place(where, own)
    given = read_all(sources, name)
    try:
        found = changes(given, placing)
    except OSError as error:
        raise _cannot("read", placing, error) from None
    checked = check(given, placing, where, layer, facts.facts_of(files, assignments, where))
    bad = any(report.bad(strict) for report in checked.reports)
    if not bad and not dry:
        _write(found, placing)
    written = time.time() if not bad and any(one.changed for one in found) else 0.0
    good, settled = True, None
    if waits and not bad:
        good, settled = settle(checked.names, written, timeout)
    if output == "table":
        _show(found, checked, differ, bad=bad, dry=dry)
    else:
        document = _document(found, checked, strict, differ, settled, bad=bad, dry=dry)
        output_.show(document, output)
    ctx.exit(_code(found, bad=bad, dry=dry, good=good))


def _refuse(ctx: click.Context, *, own: bool, root: Path | None, waits: bool, dry: bool) -> None:
    if own and root:
        raise click.UsageError("--user and --root exclude each other", ctx)
    if waits and (dry or root):
        raise click.UsageError("--wait goes with neither --check nor --root", ctx)
    if own and os.geteuid() == 0:
        # Root's writing must not be led by links that a user made.
        raise click.UsageError(
            f"--user is for the user whose workloads they are:\n"
            f"    sudo -u {facts.DAEMON_USER} workloadctl apply --user …",
            ctx,
        )


def _place(where: Paths, own: bool) -> tuple[Placing, int]:
    """Where the files go, and which of the roots of workload files that is."""
    layer = 3 if own else 1
    place = where.workload_roots[layer]
    # The user's own directory of settings may be a link; nothing below it.
    start = place.parents[1 if own else 2]
    return Placing(start, place.relative_to(start).parts), layer


def _cannot(what: str, placing: Placing, error: OSError) -> click.ClickException:
    message = f"cannot {what} {shown(placing.path)}: {why(error)}"
    if isinstance(error, PermissionError) and os.geteuid() != 0:
        message += "\nrun it with sudo, or with --user for workloads of your own"
    return click.ClickException(message)


def _write(found: list[Change], placing: Placing) -> None:
    try:
        placing.tidy({one.given.target[:-1] for one in found})
        placing.put({one.given.target: one.given.content for one in found if one.changed})
    except OSError as error:
        raise _cannot("write below", placing, error) from None


def _code(found: list[Change], *, bad: bool, dry: bool, good: bool) -> int:
    if bad:
        return codes.TROUBLE
    if dry and any(one.changed for one in found):
        return codes.WOULD_CHANGE
    return codes.OK if good else codes.NOT_WELL


def _show(found: list[Change], checked: Checked, differ: bool, *, bad: bool, dry: bool) -> None:
    printer = Printer(checked.texts)
    if bad:
        printer.show(checked.reports, strict=True)
        click.echo("nothing was changed", err=True)
        return
    printer.each(checked.reports)
    for one in found:
        click.echo(f"{one.path}: {one.word(dry)}")
        for line in one.diff() if differ else ():
            click.secho(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))


def _document(
    found: list[Change],
    checked: Checked,
    strict: bool,
    differ: bool,
    settled: list[dict[str, Any]] | None,
    *,
    bad: bool,
    dry: bool,
) -> dict[str, Any]:
    changed = not bad and any(one.changed for one in found)
    told = {
        "changed": changed,
        "check": dry,
        "files": [one.document(differ) for one in found],
        "workloads": list(checked.names),
        "findings": findings.document(checked.reports, strict),
    }
    if settled is not None:
        told["settled"] = settled
    return told
