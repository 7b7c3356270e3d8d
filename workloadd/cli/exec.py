"""`workloadctl exec`: a command in a container that serves, by Podman."""

import os
import shutil
import sys

import click

from workloadd.cli import client, owner
from workloadd.cli.names import complete_containers

_SHELL = ("sh",)


@click.command(
    "exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("target", metavar="NAME[/CONTAINER]", shell_complete=complete_containers)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("-i", "--interactive", is_flag=True, help="Pass on what comes on standard input.")
@click.option("-t", "--tty", is_flag=True, help="Give the command a terminal.")
@click.option("-u", "--user", metavar="USER[:GROUP]", help="As this user of the container.")
@click.option("-w", "--workdir", metavar="DIRECTORY", help="In this directory of the container.")
@click.option("--socket", "unix", help="Ask at this Unix socket.")
def exec_(
    target: str,
    command: tuple[str, ...],
    interactive: bool,
    tty: bool,
    user: str | None,
    workdir: str | None,
    unix: str | None,
) -> None:
    """Run a command in a container of the deployment that serves; a shell where none is named.

    The container has to be named where a workload has several. Options come before NAME; what
    comes after it is the command's own.

    Exit status: that of the command; 125 where Podman cannot run it, 126 and 127 where the command
    cannot be called or is not there; 1 where there is no container for it.
    """
    command = command[1:] if command[:1] == ("--",) else command
    name, _, inner = target.partition("/")
    container = _container(owner.as_owner(name, unix, _again()), inner)
    podman = shutil.which("podman")
    if podman is None:
        raise click.ClickException("cannot find podman: it is not in PATH")
    if not command and sys.stdin.isatty():
        interactive = tty = True
    options = [
        *(["--interactive"] if interactive else []),
        *(["--tty"] if tty else []),
        *([f"--user={user}"] if user else []),
        *([f"--workdir={workdir}"] if workdir else []),
    ]
    # Podman wants to be in a directory that its user may enter; the container does not see it.
    os.chdir("/")
    os.execv(podman, [podman, "exec", *options, container, *(command or _SHELL)])  # noqa: S606


def _again() -> tuple[str, ...]:
    """How it was called, for who has to call it in another way."""
    return ("exec", *sys.argv[2:])


def _container(status: client.Document, wanted: str) -> str:
    """The ID of the one that is meant, which has to run."""
    name, found = status["name"], _running(status)
    if wanted and wanted not in found:
        there = [one["name"] for one in status["containers"]]
        if wanted in there:
            raise click.ClickException(f"cannot run a command in {name}/{wanted}: it does not run")
        hint = f"there are: {', '.join(there)}" if there else f"its only one is meant by {name}"
        raise click.ClickException(f"cannot find a container {wanted} in {name}\n{hint}")
    if not found:
        said = client.said(status)
        raise click.ClickException(f"cannot run a command in {name}: it does not run ({said})")
    if not wanted and len(found) > 1:
        each = "\n".join(f"    workloadctl exec {name}/{one} …" for one in found)
        raise click.ClickException(f"{name} has several containers; name one of them:\n{each}")
    return found[wanted] if wanted else next(iter(found.values()))


def _running(status: client.Document) -> dict[str, str]:
    """The containers that run, by name; that of a workload of one has none."""
    several = {c["name"]: c["container"] for c in status["containers"] if c["state"] == "running"}
    current = status["current"]
    if status["containers"] or not current or current["state"] != "running":
        return several
    return {"": current["container"]}
