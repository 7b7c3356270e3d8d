"""`workloadctl run`: start a job now."""

import json
import math
import time
from typing import Any

import click

from workloadd.cli import client, codes, names, waiting
from workloadd.cli import output as output_
from workloadd.cli.progress import Progress
from workloadd.cli.wait import duration


def _timeout(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float:
    return duration(ctx, parameter, value) if value else math.inf


@click.command()
@click.argument("name", shell_complete=names.complete)
@click.option("--wait", is_flag=True, help="Wait until the run has ended.")
@click.option(
    "--timeout",
    callback=_timeout,
    metavar="TIME",
    help="How long --wait waits at the most; as long as it takes where it is left out.",
)
@output_.option
@click.option("--socket", "unix", help="Ask at this Unix socket.")
@click.pass_context
def run(
    ctx: click.Context, name: str, wait: bool, timeout: float, output: str, unix: str | None
) -> None:
    """Start a job now, whatever its schedule says.

    Exit status: 0 where it was started (with --wait: it succeeded), 3 where the run that was waited
    for did not succeed or not in time, 4 where a run is on already, 1 where it cannot be started.
    """
    path = client.workload_path(name)
    answer = client.post(f"{path}/run", unix)
    if answer.status >= 400:
        reason, message = client.problem(answer)
        click.echo(f"Error: {message}", err=True)
        ctx.exit(codes.BUSY if reason == "AlreadyRunning" else 1)
    started = json.loads(answer.text)
    table = output == "table"
    if table:
        click.echo(f"{name}: {started['state']}{_numbered(started['run'])}")
    if not wait:
        if not table:
            output_.show(started, output)
        return
    ended = _ended(name, started, unix, time.monotonic() + timeout)
    if table:
        click.echo(f"{name}: {_said(ended)}")
    else:
        output_.show(ended, output)
    ctx.exit(0 if ended["outcome"] == "succeeded" else codes.NOT_WELL)


def _ended(name: str, started: dict[str, Any], unix: str | None, until: float) -> dict[str, Any]:
    """The run, or the last of the retries that it needed, once it has ended."""
    progress = Progress()
    for status, _ in waiting.looks(name, unix, until, progress.away):
        ours = [r for r in (status["job"] or {"runs": []})["runs"] if r["id"] > started["after"]]
        if ours and ours[0]["outcome"] and status["state"] != "Running":
            found: dict[str, Any] = ours[0]
            return found
        # Whether it was begun already is not seen of one whose schedule rests.
        if status["state"] != "Scheduled":
            progress.tell(name, status)
    raise AssertionError("looking ends by an answer, or by being late")


def _said(ended: dict[str, Any]) -> str:
    code = "" if ended["exit_code"] is None else f", exit code {ended['exit_code']}"
    took = "" if ended["duration"] is None else f" after {ended['duration']:.1f} s"
    return f"{ended['outcome']}{took}{code}{_numbered(ended['id'])}"


def _numbered(number: int | None) -> str:
    return f" (run {number})" if number else ""
