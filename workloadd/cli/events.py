"""`workloadctl events`: what changes, as it changes."""

import json
from datetime import datetime

import click

from workloadd.cli import client, following, names


@click.command()
@click.argument("name", required=False, shell_complete=names.complete)
@click.option("--json", "as_json", is_flag=True, help="Each change as a line of JSON.")
@client.options
def events(name: str | None, as_json: bool, url: str | None, unix: str | None) -> None:
    """Follow what changes, of all workloads or of one: a line for each change.

    What is so already is told first. Where the daemon is restarted meanwhile, it goes on with what
    was missed. Ends with Ctrl-C.

    Exit status: 1 where the daemon does not answer, or is away for more than half a minute.
    """
    client.known(name, url, unix)
    tell(name, as_json, url, unix)


def tell(name: str | None, as_json: bool, url: str | None, unix: str | None) -> None:
    """A line for each change, for ever."""
    changes = following.Changes()
    for kind, document in following.follow(name, url, unix, following.TIMES):
        if kind in following.NOTES:
            click.echo(following.NOTES[kind], err=True)
        elif as_json:
            click.echo(json.dumps({"event": kind, "data": document}, ensure_ascii=False))
        else:
            for line in changes.told(kind, document):
                click.echo(f"{datetime.now():%H:%M:%S}  {line}")
