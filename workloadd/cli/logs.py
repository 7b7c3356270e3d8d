"""`workloadctl logs`: what a workload's containers wrote."""

import time
from datetime import datetime
from http.client import HTTPException
from urllib.parse import urlencode

import click

from workloadd.cli import client, names
from workloadd.spec.problems import ProblemsError
from workloadd.spec.units import parse_duration

_MOST = 10_000


def _moment(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A time as people write it, as the API takes it: `@` and seconds since 1970."""
    if value is None:
        return None
    try:
        seconds = time.time() - parse_duration(value)
    except ProblemsError:
        try:
            seconds = datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError):
            hint = "write for example 10m, 1h30m, or 2026-01-31T12:00:00"
            raise click.BadParameter(f"{value!r} is no time; {hint}") from None
    return f"@{max(0, int(seconds))}"


@click.command()
@click.argument("name", shell_complete=names.complete)
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "-n",
    "--tail",
    metavar="N",
    type=click.IntRange(0, _MOST),
    help=f"The last so many lines: 100, or with --since up to {_MOST}, where it is left out.",
)
@click.option(
    "--since", metavar="WHEN", callback=_moment, help="None from before: 10m ago, or a moment."
)
@click.option(
    "-c", "--container", shell_complete=names.complete_inner, help="Of a pod: this container alone."
)
@click.option("--json", "as_json", is_flag=True, help="Each line as a line of JSON.")
@client.options
@click.pass_context
def logs(
    ctx: click.Context,
    name: str,
    follow: bool,
    tail: int | None,
    since: str | None,
    container: str | None,
    as_json: bool,
    url: str | None,
    unix: str | None,
) -> None:
    """Show what the containers of a workload wrote, as the journal has it.

    Also those that are stopped, were rolled back or are gone, and of a workload that is. Times are
    UTC. Only the user whose workloads they are is told, root, and over TCP who has the token.

    Exit status: 0, or 1 where it cannot be found out or the daemon ended what is followed.
    """
    asked = {
        "follow": "true" if follow else "",
        "tail": "" if tail is None else str(tail),
        "since": since or "",
        "container": container or "",
    }
    query = urlencode({key: value for key, value in asked.items() if value})
    path = f"{client.workload_path(name)}/logs?{query}".rstrip("?")
    accept = "application/x-ndjson" if as_json else "text/plain"
    place = client.places(url, unix)[0]
    try:
        for line in client.lines(path, accept, url, None if url else place, patience=None):
            click.echo(line)
    except client.UnreachableError as error:
        if url:
            raise
        # Where nobody answers over TCP either, that says what to do about it.
        client.get("/healthz", "text/plain", None, None)
        hint = "ask as the user whose workloads they are, or as root"
        raise click.ClickException(f"cannot ask at {place}\n{hint}") from error
    except (OSError, HTTPException):
        raise click.ClickException("the log broke off; ask again") from None
    if follow:
        raise click.ClickException("workloadd has stopped; ask again once it is back")
