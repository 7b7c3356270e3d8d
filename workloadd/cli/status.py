"""`workloadctl status` and `history`: what the daemon says."""

import json
import re
from typing import Any

import click

from workloadd.cli import client, codes, names
from workloadd.cli import output as output_
from workloadd.cli.client import Answer
from workloadd.spec.text import printable

# How each state looks on a terminal.
COLOURS = {
    "Ready": "green",
    "Completed": "green",
    "Scheduled": "green",
    "Running": "green",
    "RollingOut": "yellow",
    "Pulling": "yellow",
    "Waiting": "yellow",
    "Paused": "yellow",
    "Stopped": "yellow",
    "Disabled": "yellow",
    "Drained": "yellow",
    "Removing": "yellow",
    "Degraded": "red",
    "NotReady": "red",
    "Failed": "red",
    "Invalid": "red",
}
# A row of the table, the first line of a detail, or the line above what is wrong.
_STATE = re.compile(rf"^(\S+ +\(?|\S+: )({'|'.join(COLOURS)})\b", re.MULTILINE)


@click.command()
@click.argument("name", required=False, shell_complete=names.complete)
@click.option("-w", "--watch", is_flag=True, help="Go on showing it, as it changes.")
@output_.option
@client.options
@click.pass_context
def status(
    ctx: click.Context,
    name: str | None,
    watch: bool,
    output: str,
    url: str | None,
    unix: str | None,
) -> None:
    """Show all workloads in a table, or one in detail.

    With -w it is redrawn as it changes, those in trouble first, until q or Ctrl-C; arrow keys
    scroll. Into a pipe each change is a line, with -o json one of JSON, as of workloadctl events.

    Exit status: 0 where everything is as declared, 3 where something is not (or not yet), 1 where
    that cannot be found out.
    """
    if watch:
        from workloadd.cli.watch import watch as watch_

        if output == "yaml":
            raise click.UsageError("--watch tells in words or as JSON", ctx)
        watch_(name, output, url, unix, str if ctx.color is False else _coloured)
        return
    path = client.workload_path(name) if name else "/v1/status"
    accept = "text/plain" if output == "table" else "application/json"
    answer = client.good(client.get(path, accept, url, unix))
    if output == "table":
        click.echo(_coloured(answer.text), nl=False)
    else:
        output_.show(json.loads(answer.text), output)
    ctx.exit(0 if answer.headers.get("workloadd-settled") == "yes" else codes.NOT_WELL)


@click.command()
@click.argument("name", shell_complete=names.complete)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@output_.option
@client.options
def history(name: str, limit: int, output: str, url: str | None, unix: str | None) -> None:
    """Show how a workload's rollouts ended, the newest first.

    What else happened to it stands between them. Exit status: 0, or 1 where it cannot be found out.
    """
    path = f"{client.workload_path(name)}/history?limit={limit}"
    answer = client.good(client.get(path, "application/json", url, unix))
    document = json.loads(answer.text)
    if output != "table":
        output_.show(document, output)
        return
    here = _here(client.get(client.workload_path(name), "application/json", url, unix))
    entries = [(r["started"], _rollout(r, here)) for r in document["rollouts"]]
    entries += [(e["at"], [f"{e['kind']}: {e['message']}"]) for e in document["events"]]
    entries += [(r["started"], _run(r)) for r in document["runs"]]
    for at, (first, *more) in sorted(entries, key=lambda entry: entry[0] or "", reverse=True):
        click.echo(f"{(at or '')[:19]}Z  {first}")
        for line in more:
            click.echo(f"{'':22}{line}")
    if document["truncated"]:
        click.echo("there may be more: see --limit", err=True)


def _here(answer: Answer) -> dict[str, str]:
    """What can be gone back to: which revisions are deployed, and as what."""
    status = json.loads(answer.text) if answer.status < 400 else {}
    older = [("older", one) for one in status.get("older", ())]
    deployments = [*older, *((which, status.get(which)) for which in ("previous", "current"))]
    return {one["revision"]: f" ({which})" for which, one in deployments if one}


def _rollout(rollout: dict[str, Any], here: dict[str, str]) -> list[str]:
    revision = rollout["revision"]
    named = f"{revision[:12]}{here.get(revision, '')}"
    lines = [f"rollout {named} {rollout['outcome'] or 'going on'}: {rollout['cause']}"]
    if problem := rollout["problem"]:
        lines.append(f"{problem['reason']}: {problem['message']}")
        if problem["hint"]:
            lines.append(f"hint: {problem['hint']}")
    return lines + [f"| {printable(line.expandtabs(4))}" for line in rollout["log"]]


def _run(run: dict[str, Any]) -> list[str]:
    code = "" if run["exit_code"] is None else f", exit code {run['exit_code']}"
    took = "" if run["duration"] is None else f" after {run['duration']:.1f} s"
    attempt = f", try {run['attempt']}" if run["attempt"] > 1 else ""
    ending = f"{run['outcome'] or 'going on'}{took}{code}"
    first = f"run {run['id']} {ending} ({run['trigger']}{attempt})"
    return [first, *(f"| {printable(line.expandtabs(4))}" for line in run["log"])]


def _coloured(text: str) -> str:
    return _STATE.sub(lambda m: m[1] + click.style(m[2], fg=COLOURS[m[2]], bold=True), text)
