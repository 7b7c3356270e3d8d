"""`workloadctl run`: start a job now."""

import json
import time
from typing import Any

import click

from workloadd.cli import client, codes, names

# Seconds between two looks at a run that is waited for.
_PAUSE = 0.5


@click.command()
@click.argument("name", shell_complete=names.complete)
@click.option("--wait", is_flag=True, help="Wait until the run has ended.")
@click.option("--socket", "unix", help="Ask at this Unix socket.")
@click.pass_context
def run(ctx: click.Context, name: str, wait: bool, unix: str | None) -> None:
    """Start a job now, whatever its schedule says.

    Exit status: 0 where it was started (with --wait: it succeeded), 3 where the run that was waited
    for did not succeed, 4 where a run is on already, 1 where it cannot be started.
    """
    path = client.workload_path(name)
    answer = client.post(f"{path}/run", unix)
    if answer.status >= 400:
        reason, message = client.problem(answer)
        click.echo(f"Error: {message}", err=True)
        ctx.exit(codes.BUSY if reason == "AlreadyRunning" else 1)
    started = json.loads(answer.text)
    click.echo(f"{name}: {started['state']}{_numbered(started['run'])}")
    if not wait:
        return
    ended = _ended(name, started, unix)
    click.echo(f"{name}: {_said(ended)}")
    ctx.exit(0 if ended["outcome"] == "succeeded" else codes.NOT_WELL)


def _ended(name: str, started: dict[str, Any], unix: str | None) -> dict[str, Any]:
    """The run, or the last of the retries that it needed, once it has ended."""
    while True:
        status, _ = client.workload(name, unix)
        ours = [r for r in (status["job"] or {"runs": []})["runs"] if r["id"] > started["after"]]
        if ours and ours[0]["outcome"] and status["state"] != "Running":
            found: dict[str, Any] = ours[0]
            return found
        time.sleep(_PAUSE)


def _said(ended: dict[str, Any]) -> str:
    code = "" if ended["exit_code"] is None else f", exit code {ended['exit_code']}"
    took = "" if ended["duration"] is None else f" after {ended['duration']:.1f} s"
    return f"{ended['outcome']}{took}{code}{_numbered(ended['id'])}"


def _numbered(number: int | None) -> str:
    return f" (run {number})" if number else ""
