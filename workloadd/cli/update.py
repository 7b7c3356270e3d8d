"""`workloadctl outdated` and `update`: newer images of the same tags."""

import json
import time
from urllib.parse import urlencode

import click

from workloadd.cli import client, codes, waiting
from workloadd.cli import output as output_
from workloadd.cli.names import complete
from workloadd.cli.progress import Progress

_SHORT = 12


@click.command()
@output_.option
@click.option("--socket", "unix", help="Ask at this Unix socket.")
def outdated(output: str, unix: str | None) -> None:
    """Ask the registries which workloads do not run the newest image of their tags.

    Nothing is pulled. An image that is named by its digest never moves, and is not asked about.

    Exit status: 0, or 1 where the daemon does not answer.
    """
    _show(_check(unix), output)


def _print(found: list[client.Document]) -> None:
    told = [one for one in found if one["newer"] or one["unknown"]]
    for one in told:
        for said in (*one["newer"], *one["unknown"]):
            click.echo(f"{one['workload']} ({one['policy']}): {said}")
    if not any(one["newer"] for one in found):
        rest = " that could be checked" if told else ""
        click.echo(f"all images{rest} are the newest of their tags")


def _check(unix: str | None) -> list[client.Document]:
    answer = client.good(client.post("/v1/updates/check", unix))
    found: list[client.Document] = json.loads(answer.text)["workloads"]
    return found


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...", shell_complete=complete)
@click.option("--all", "every", is_flag=True, help="Update all workloads that have a newer image.")
@click.option("--dry-run", is_flag=True, help="Only say what would be rolled out.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the rollouts have ended.")
@waiting.timeout("How long it waits at the most.")
@click.option("--reason", default="", help="Why, for the history.")
@output_.option
@click.option("--socket", "unix", help="Ask at this Unix socket.")
@click.pass_context
def update(
    ctx: click.Context,
    names: tuple[str, ...],
    every: bool,
    dry_run: bool,
    no_wait: bool,
    timeout: float,
    reason: str,
    output: str,
    unix: str | None,
) -> None:
    """Roll out newer images of the same tags, whatever the workloads' policies and windows say.

    The image is pulled before anything is stopped, and a version that does not hold is rolled back
    as with any change.

    Exit status: 0 where all run the newest image, 3 where one was rolled back or could not be
    pulled, or is not done in time, 1 where it cannot be asked for.
    """
    if bool(names) == every:
        raise click.UsageError("name workloads, or write --all", ctx)
    if dry_run or every:
        found = [one for one in _check(unix) if every or one["workload"] in names]
        if dry_run:
            _show(found, output)
            return
        names = tuple(one["workload"] for one in found if one["newer"])
    before = {name: client.workload(name, unix)[0] for name in names}
    asked = {name: _ask(name, reason, unix) for name in before}
    until, progress = time.monotonic() + timeout, Progress(many=len(asked))
    ended: list[client.Document] = [
        {"workload": name, "asked": at}
        if no_wait
        else _ended(name, at, before[name], unix, until, progress)
        for name, at in asked.items()
    ]
    if output != "table":
        output_.show({"workloads": ended}, output)
    elif not ended:
        click.echo("all images are the newest of their tags")
    elif no_wait:
        click.echo(f"asked for: {', '.join(asked)}")
    else:
        for one in ended:
            click.echo(f"{one['workload']}: {one['message']}", err=not one["good"])
    ctx.exit(0 if all(one.get("good", True) for one in ended) else codes.NOT_WELL)


def _show(found: list[client.Document], output: str) -> None:
    if output == "table":
        _print(found)
    else:
        output_.show({"workloads": found}, output)


def _ask(name: str, reason: str, unix: str | None) -> float:
    """Ask for the update of one; when that was."""
    path = f"{client.workload_path(name)}/update?{urlencode({'reason': reason})}"
    answer = client.good(client.post(path, unix))
    at: float = json.loads(answer.text)["asked"]
    return at


def _ended(
    name: str,
    asked: float,
    before: client.Document,
    unix: str | None,
    until: float,
    progress: Progress,
) -> client.Document:
    """Wait for the end of an update, saying how it goes on; how it ended."""
    good, message = False, ""
    try:
        for status, looked in waiting.looks(name, unix, until, progress.away):
            busy = status["rollout"] or status["state"] == "RollingOut" or _asked(status)
            if looked >= asked and not busy:
                good, message = _outcome(before, status)
                break
            progress.tell(name, status)
    except waiting.LateError as error:
        message = error.message
    return {"workload": name, "good": good, "message": message}


def _asked(status: client.Document) -> bool:
    return any(hand["kind"] == "update" for hand in status["by_hand"])


def _outcome(before: client.Document, status: client.Document) -> tuple[bool, str]:
    """Whether it ended well, and how in words."""
    old, new = ((one["current"] or {}).get("revision", "") for one in (before, status))
    last = status["last_rollout"] or {}
    tried = last.get("ended") != (before["last_rollout"] or {}).get("ended")
    if old != new:
        image = status["image"]
        return True, f"runs {image['reference']} {image['digest']} ({new[:_SHORT]})"
    if tried and last.get("outcome") != "stable":
        return False, f"{last['outcome']}: {last['message']}"
    found = {c["type"]: c for c in status["conditions"]}.get("UpToDate")
    if found and found["status"] != "True":
        return False, found["message"]
    return True, "runs the newest image already"
