"""`workloadctl plan`: what the daemon would do now, and why. Changes nothing."""

import asyncio
import os
import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workloadd.cli.preview import Preview, WorkloadPreview

from workloadd.cli import output as output_
from workloadd.cli.facts import DAEMON_USER
from workloadd.cli.overlay import AsIf, linked
from workloadd.core.errors import WorkloaddError
from workloadd.host.secret_key import SecretKey
from workloadd.settings import Paths, load_settings
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts
from workloadd.sources.scan import is_dropin_directory, is_workload_file
from workloadd.sources.secrets import SecretPlaces, Secrets


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@output_.option
def plan(files: tuple[Path, ...], output: str) -> None:
    """Show what the daemon would do and why, without doing it.

    With FILES (or directories of them): as if they were put into /etc/workloadd/workloads.d. It
    looks at the host itself, so it has to run as the user that the daemon runs as.

    Exit status: 0 where a plan could be made, 1 where not, 2 for a wrong call.
    """
    from workloadd.cli.preview import preview

    again = _as_user(files)
    if os.geteuid() == 0:
        raise click.ClickException(
            f"cannot plan as root: the containers are another user's. Run:\n    {again}"
        )
    paths = Paths.from_environment(os.environ)
    try:
        with ExitStack() as stack:
            source = _source(paths, files, stack)
            found = asyncio.run(preview(paths, load_settings(paths), source))
    except WorkloaddError as error:
        hint = "" if paths.user == DAEMON_USER else f"\nto plan as the daemon's user:\n    {again}"
        raise click.ClickException(f"{error.problem}{hint}") from None
    if output == "table":
        _show(found)
    else:
        output_.show(found.document(), output)


def _as_user(files: tuple[Path, ...]) -> str:
    """The command that does the same as the daemon's user."""
    arguments = shlex.join(str(file.absolute()) for file in files)
    runtime = f"XDG_RUNTIME_DIR=/run/user/$(id -u {DAEMON_USER})"
    return f"sudo -u {DAEMON_USER} {runtime} workloadctl plan {arguments}".rstrip()


def _source(paths: Paths, given: tuple[Path, ...], stack: ExitStack) -> Directories:
    facts = Facts(paths.facts_roots)
    secrets = Secrets(SecretPlaces.of_this_process(), SecretKey(paths.secret_key, make=False))
    if not given:
        return Directories(paths.workload_roots, paths.home, facts, secrets)
    links = stack.enter_context(linked(_workload_files(given)))
    roots = list(paths.workload_roots)
    # Of the roots that an administrator writes to, the weakest: right above the vendor's.
    place = roots[1]
    roots.insert(2, links)
    return AsIf(roots, paths.home, links, place, facts, secrets)


def _workload_files(given: tuple[Path, ...]) -> list[Path]:
    files: dict[str, Path] = {}
    for path in given:
        for file in _listed(path):
            is_known = is_workload_file(file.name) or is_dropin_directory(file.name)
            if path.is_dir() and not is_known:
                continue
            if not is_known:
                raise click.ClickException(
                    f"cannot plan with {file}: a workload file is called NAME.yaml or NAME.yml"
                )
            if file.name in files:
                raise click.ClickException(f"cannot plan with two files called {file.name}")
            files[file.name] = file
    return list(files.values())


def _listed(path: Path) -> list[Path]:
    """What is in a directory of workload files; a directory of drop-ins is one thing."""
    is_many = path.is_dir() and not is_dropin_directory(path.name)
    return sorted(path.iterdir()) if is_many else [path]


def _show(found: "Preview") -> None:
    for problem in found.problems:
        click.echo(f"warning: {problem}", err=True)
    for workload in found.workloads:
        _show_workload(workload)
    changing = sum(1 for workload in found.workloads if workload.steps)
    total = len(found.workloads)
    click.echo(f"{total} workload{'' if total == 1 else 's'}, {changing} to be changed")


def _show_workload(workload: "WorkloadPreview") -> None:
    name = click.style(workload.name, bold=True)
    click.echo(f"{name}: {workload.why if workload.steps else workload.idle}")
    for error in workload.errors:
        click.echo(f"  {error}")
    for number, step in enumerate(workload.steps, 1):
        click.echo(f"  {number}. {step}")
