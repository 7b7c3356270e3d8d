"""The variables that files are checked with: this host's, or those of the host they are for."""

import os
import pwd
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from workloadd.host.cgroups import controllers_of
from workloadd.settings import Paths
from workloadd.sources.facts import Facts, parse_facts
from workloadd.sources.files import read_regular, why
from workloadd.sources.host_facts import host_limits
from workloadd.spec.scope import NAME, Limits, Variable

DAEMON_USER = "workloads"


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--facts` and `--set`."""
    for option in (
        click.option(
            "--set", "assignments", multiple=True, metavar="NAME=VALUE",
            help="A variable, over what anything else says of it; may be repeated.",
        ),
        click.option(
            "--facts", "files", multiple=True, type=click.Path(exists=True, path_type=Path),
            help="A file of variables, in place of this host's facts; may be repeated.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def facts_of(
    files: Sequence[Path], assignments: Iterable[str], where: Paths | None = None
) -> Facts:
    """The facts of this host (or of where its files are), or those that are given for them."""
    own: dict[str, Variable] = {}
    for file in files:
        own.update(_from_file(file))
    roots = () if files else (where or paths()).facts_roots
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise click.BadParameter("write NAME=VALUE", param_hint="--set")
        own[name] = Variable(value, "--set")
    return Facts(roots, own, limits=Limits if files else _limits)


def paths(root: Path | None = None) -> Paths:
    """Those of the daemon's user for root, who checks files for it; else our own.

    `root` is put before the directories of the system.
    """
    environ = {**os.environ, **({"WORKLOADD_ROOT": str(root)} if root else {})}
    if os.geteuid() == 0 and (uid := _daemon_uid()) is not None:
        environ = {key: value for key, value in environ.items() if key == "WORKLOADD_ROOT"}
        return Paths.from_environment(environ, uid)
    return Paths.from_environment(environ)


def _daemon_uid() -> int | None:
    try:
        return pwd.getpwnam(DAEMON_USER).pw_uid
    except KeyError:
        return None


def _limits() -> Limits:
    """What workloads run into on this host, as its user for them if there is one, or else as us."""
    uid = _daemon_uid()
    return replace(host_limits(), controllers=controllers_of(os.geteuid() if uid is None else uid))


def _from_file(file: Path) -> dict[str, Variable]:
    try:
        data, _ = read_regular(str(file), file.stat())
        content = parse_facts(str(file), data)
    except OSError as error:
        raise click.ClickException(f"cannot read {file}: {why(error)}") from None
    if content.problems:
        raise click.ClickException("\n".join(map(str, content.problems)))
    return {name: Variable(value, str(file)) for name, value in content.variables.items()}
