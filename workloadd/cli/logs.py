"""`workloadctl logs`: what a workload's containers wrote."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http.client import HTTPException
from urllib.parse import urlencode

import click

from workloadd.cli import client, following, names
from workloadd.spec.problems import ProblemsError
from workloadd.spec.units import parse_duration

_MOST = 10_000
# Seconds before it is gone on with once the daemon ended it.
_PAUSE = 0.5


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

    What is followed goes on where the daemon is restarted, with no line twice or left out.

    Exit status: 0, or 1 where it cannot be found out, or the daemon is away for too long.
    """
    asked = {
        "follow": "true" if follow else "",
        "tail": "" if tail is None else str(tail),
        "since": since or "",
        "container": container or "",
    }
    accept = "application/x-ndjson" if as_json else "text/plain"
    place = client.places(url, unix)[0]

    def ask(said: Mapping[str, str]) -> Iterator[str]:
        query = urlencode({key: value for key, value in said.items() if value})
        path = f"{client.workload_path(name)}/logs?{query}".rstrip("?")
        return client.lines(path, accept, url, None if url else place, patience=None)

    try:
        _tell(ask, asked, _Seen(as_json), follow)
    except client.UnreachableError as error:
        if url:
            raise
        # Where nobody answers over TCP either, that says what to do about it.
        client.get("/healthz", "text/plain", None, None)
        hint = "ask as the user whose workloads they are, or as root"
        raise click.ClickException(f"cannot ask at {place}\n{hint}") from error


class _Seen:
    """What was shown already of the second that the last line is from: the daemon takes whole
    seconds for a place to go on from."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._second = int(time.time())
        self._lines: Counter[str] = Counter()
        self._again: Counter[str] = Counter()

    def on_from(self, asked: Mapping[str, str]) -> dict[str, str]:
        """What to ask for to go on."""
        self._again = self._lines.copy()
        return {**asked, "since": f"@{self._second}", "tail": str(_MOST)}

    def is_new(self, line: str) -> bool:
        """Whether it was not shown yet; it counts as shown then."""
        told = json.loads(line)["time"] if self._as_json else line.partition(" ")[0]
        second = int(datetime.fromisoformat(told).timestamp())
        if self._again and second == self._second:
            # They come in the order of the journal: what is before them was not asked for.
            self._again -= Counter([line])
            return False
        self._again.clear()
        if second != self._second:
            self._second = second
            self._lines.clear()
        self._lines[line] += 1
        return True


def _tell(
    ask: Callable[[Mapping[str, str]], Iterator[str]],
    asked: Mapping[str, str],
    seen: _Seen,
    follow: bool,
) -> None:
    """Show the lines; what is followed is gone on with after a restart of the daemon."""
    failures, again = 0, dict(asked)
    while True:
        try:
            for line in ask(again):
                failures = 0
                if seen.is_new(line):
                    click.echo(line)
            if not follow:
                return
        except (OSError, HTTPException):
            if not follow:
                raise click.ClickException("the log broke off; ask again") from None
        except client.UnreachableError:
            failures += 1
            if again == asked or failures == following.TIMES:
                raise
            if failures == 1:
                click.echo(following.NOTES["away"], err=True)
        again = seen.on_from(asked)
        time.sleep(_PAUSE)
