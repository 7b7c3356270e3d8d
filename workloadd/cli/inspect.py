"""`workloadctl inspect`: everything about one workload, in one document."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import click

from workloadd.cli import client, names, owner
from workloadd.cli import output as output_
from workloadd.cli.inspected import essentials

_SECONDS = 30.0


@click.command()
@click.argument("name", shell_complete=names.complete)
@click.option(
    "-o", "--output", type=click.Choice(("yaml", "json")), default="yaml", show_default=True,
    help="How the document is written.",
)  # fmt: skip
@click.option("--socket", "unix", help="Ask at this Unix socket.")
def inspect(name: str, output: str, unix: str | None) -> None:
    """Show everything about one workload in one document: for a report, or to look into it.

    Its status, what its file comes to with all defaults, the units that were made for it, and what
    Podman says of its containers. Values of variables, secrets and the content of files are not in
    it. What cannot be found out is said in its place.

    Exit status: 0, or 1 where there is no such workload, or we are not the user whose it is.
    """
    status = owner.as_owner(name, unix, ("inspect", name))
    document = {
        "workload": name,
        "files": status["files"],
        "spec": _spec(name, unix),
        "units": _units(name),
        "containers": _containers(status),
        "status": status,
    }
    output_.show(document, output)


def _spec(name: str, unix: str | None) -> Any:
    try:
        path = f"{client.workload_path(name)}/spec"
        return json.loads(owner.owner_get(path, None, unix, "inspect", name).text)["spec"]
    except click.ClickException as error:
        return error.message


def _units(name: str) -> str:
    """The text of its units, as systemd has read them: each behind the path that it is from."""
    patterns = [f"workload-{name}.*", f"workload-{name}_*"]
    return _said("systemctl", "--user", "--no-pager", "cat", *patterns)


def _containers(status: client.Document) -> list[Any]:
    """All that the status names, by what they are."""
    found = []
    for role, container in _named(status):
        said = _said("podman", "container", "inspect", container)
        try:
            found.append({"deployment": role, **essentials(json.loads(said)[0])})
        except (ValueError, LookupError, TypeError, AttributeError):
            found.append({"deployment": role, "id": container, "problem": said})
    return found


def _named(status: client.Document) -> Iterator[tuple[str, str]]:
    several = [one["container"] for one in status["containers"]]
    roles = [("current", status["current"]), ("next", status["next"])]
    roles += [("previous", status["previous"]), *(("older", one) for one in status["older"])]
    known = dict.fromkeys(several, "current")
    for role, deployment in roles:
        if deployment:
            known.setdefault(deployment["container"], role)
    yield from ((role, container) for container, role in known.items() if container)


def _said(*command: str) -> str:
    """What a command says, or why it says nothing."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot run {command[0]}: {error}"
    return done.stdout if done.returncode == 0 else f"cannot run {command[0]}: {done.stderr}"
