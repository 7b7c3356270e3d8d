"""`workloadctl outdated` and `update`: newer images of the same tags."""

import json
import time
from urllib.parse import urlencode

import click

from workloadd.cli import client, codes
from workloadd.cli import output as output_
from workloadd.cli.names import complete

# Seconds between two looks at an update that is waited for.
_PAUSE = 0.3
_SHORT = 12


@click.command()
@output_.option
@click.option("--socket", "unix", help="Ask at this Unix socket.")
def outdated(output: str, unix: str | None) -> None:
    """Ask the registries which workloads do not run the newest image of their tags.

    Nothing is pulled. An image that is named by its digest never moves, and is not asked about.

    Exit status: 0, or 1 where the daemon does not answer.
    """
    found = _check(unix)
    if output != "table":
        output_.show({"workloads": found}, output)
        return
    _print(found)


def _print(found: list[client.Document]) -> None:
    told = [one for one in found if one["newer"] or one["unknown"]]
    for one in told:
        for said in (*one["newer"], *one["unknown"]):
            click.echo(f"{one['workload']} ({one['policy']}): {said}")
    if not any(one["newer"] for one in found):
        rest = " that could be checked" if told else ""
        click.echo(f"all images{rest} are the newest of their tags")


def _check(unix: str | None) -> list[client.Document]:
    answer = client.post("/v1/updates/check", unix)
    if answer.status >= 400:
        raise click.ClickException(client.problem(answer)[1])
    found: list[client.Document] = json.loads(answer.text)["workloads"]
    return found


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...", shell_complete=complete)
@click.option("--all", "every", is_flag=True, help="Update all workloads that have a newer image.")
@click.option("--dry-run", is_flag=True, help="Only say what would be rolled out.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the rollouts have ended.")
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--socket", "unix", help="Ask at this Unix socket.")
@click.pass_context
def update(
    ctx: click.Context,
    names: tuple[str, ...],
    every: bool,
    dry_run: bool,
    no_wait: bool,
    reason: str,
    unix: str | None,
) -> None:
    """Roll out newer images of the same tags, whatever the workloads' policies and windows say.

    The image is pulled before anything is stopped, and a version that does not hold is rolled back
    as with any change.

    Exit status: 0 where all run the newest image, 3 where one was rolled back or could not be
    pulled, 1 where it cannot be asked for.
    """
    if bool(names) == every:
        raise click.UsageError("name workloads, or write --all", ctx)
    if dry_run or every:
        found = [one for one in _check(unix) if every or one["workload"] in names]
        if dry_run:
            _print(found)
            return
        names = tuple(one["workload"] for one in found if one["newer"])
        if not names:
            click.echo("all images are the newest of their tags")
    before = {name: client.workload(name, unix)[0] for name in names}
    asked: dict[str, float] = {}
    for name in names:
        answer = client.post(
            f"{client.workload_path(name)}/update?{urlencode({'reason': reason})}", unix
        )
        if answer.status >= 400:
            raise click.ClickException(client.problem(answer)[1])
        asked[name] = json.loads(answer.text)["asked"]
    if no_wait:
        click.echo(f"asked for: {', '.join(names)}")
        return
    ended = [_ended(name, asked[name], before[name], unix) for name in names]
    ctx.exit(0 if all(ended) else codes.NOT_WELL)


def _ended(name: str, asked: float, before: client.Document, unix: str | None) -> bool:
    """Wait for the end of an update, saying how it goes on; whether it ended well."""
    said = ""
    while True:
        status, looked = client.workload(name, unix)
        if (
            looked >= asked
            and not _asked(status)
            and not status["rollout"]
            and status["state"] != "RollingOut"
        ):
            return _outcome(name, before, status)
        message = status["message"] or status["state"]
        if message != said:
            said = message
            click.echo(f"{name}: {said}", err=True)
        time.sleep(_PAUSE)


def _asked(status: client.Document) -> bool:
    return any(hand["kind"] == "update" for hand in status["by_hand"])


def _outcome(name: str, before: client.Document, status: client.Document) -> bool:
    old, new = (one["current"]["revision"] for one in (before, status))
    last = status["last_rollout"] or {}
    tried = last.get("ended") != (before["last_rollout"] or {}).get("ended")
    if old != new:
        image = status["image"]
        click.echo(f"{name}: runs {image['reference']} {image['digest']} ({new[:_SHORT]})")
        return True
    if tried and last.get("outcome") != "stable":
        click.echo(f"{name}: {last['outcome']}: {last['message']}", err=True)
        return False
    found = {c["type"]: c for c in status["conditions"]}.get("UpToDate")
    if found and found["status"] != "True":
        click.echo(f"{name}: {found['message']}", err=True)
        return False
    click.echo(f"{name}: runs the newest image already")
    return True
