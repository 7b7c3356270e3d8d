"""`workloadctl wait`: until the daemon answers that it is alive, or that all is ready."""

import time

import click

from workloadd.cli import client, codes
from workloadd.spec.units import parse_duration

_PAUSE = 0.5


def duration(_ctx: click.Context, _parameter: click.Parameter, value: str) -> float:
    """A length of time, for an option."""
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option(
    "--healthy",
    "path",
    flag_value="/healthz",
    default=True,
    help="Until the daemon is there and its loop alive (the default).",
)
@click.option(
    "--ready",
    "path",
    flag_value="/readyz",
    help="Until its first pass is done and everything that is to serve does.",
)
@click.option("--timeout", callback=duration, default="1m", show_default=True)
@client.options
@click.pass_context
def wait(ctx: click.Context, path: str, timeout: float, url: str | None, unix: str | None) -> None:
    """Wait until the daemon is alive, or all workloads are ready.

    Exit status: 0 as soon as that is so, 3 where it is not in time, with what was missing.
    """
    until = time.monotonic() + timeout
    while missing := _missing(path, url, unix):
        if time.monotonic() >= until:
            click.echo(f"Error: {missing}", err=True)
            ctx.exit(codes.NOT_WELL)
        time.sleep(min(_PAUSE, max(0.0, until - time.monotonic())))


def _missing(path: str, url: str | None, unix: str | None) -> str:
    """What is missing, empty where nothing is."""
    try:
        answer = client.get(path, "text/plain", url, unix)
    except click.ClickException as error:
        return error.message
    return "" if answer.status == 200 else answer.text.strip() or f"status {answer.status}"
