"""`workloadctl pause`, `resume`, `stop`, `start`, `restart`, `rollback`: what is done by hand."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import click

from workloadd.cli import client, codes, waiting
from workloadd.cli import output as output_
from workloadd.cli.client import Document
from workloadd.cli.names import complete
from workloadd.cli.progress import Progress

_BAD = ("Failed", "Degraded", "Invalid")
_GOOD = ("Ready", "Completed", "Scheduled", "Running", "Paused", "Stopped", "Disabled")


@dataclass
class Asked:
    """A request that was accepted, and how far it has come."""

    name: str
    verb: str
    answer: Document
    state: str = ""
    failed: bool = False
    shown: str = field(default="", repr=False)

    def look(self, status: Document) -> bool:
        """Whether it has come to an end, as the status has it."""
        self.state = status["state"]
        hands = {hand["kind"]: hand for hand in status["by_hand"]}
        end = getattr(self, f"_{self.verb}")(status, hands)
        if end is None:
            return False
        self.failed = not end
        return True

    def _pause(self, status: Document, hands: Document) -> bool | None:
        return True if "pause" in hands else None

    def _stop(self, status: Document, hands: Document) -> bool | None:
        return True if status["state"] == "Stopped" else None

    def _start(self, status: Document, hands: Document) -> bool | None:
        return None if "stop" in hands else verdict(status)

    def _resume(self, status: Document, hands: Document) -> bool | None:
        return None if {"stop", "pause", "hold"} & hands.keys() else verdict(status)

    def _restart(self, status: Document, hands: Document) -> bool | None:
        since = status["unit"]["active_since"]
        done = since is not None and _seconds(since) >= self.answer["at"] - 0.001
        if "restart" in hands:
            return False if status["state"] in _BAD and not works(status) else None
        return verdict(status) if done else None

    def _rollback(self, status: Document, hands: Document) -> bool | None:
        target = self.answer["revision"]
        held = hands.get("hold", {}).get("revision") == target
        if held:
            self.shown = self.shown or "held"
        elif self.shown and not works(status):
            return False  # it failed, and was taken back
        there = (status["current"] or {}).get("revision") == target
        return verdict(status) if held and there else None


def works(status: Document) -> bool:
    """Whether something is being done, or has yet to show."""
    converged = next((c for c in status["conditions"] if c["type"] == "Converged"), None)
    busy = converged is not None and converged["reason"] in ("Working", "Verifying")
    return busy or status["rollout"] is not None


def verdict(status: Document) -> bool | None:
    """Whether it came out well; None while that is open."""
    if works(status):
        return None
    if status["state"] in _GOOD:
        return True
    return False if status["state"] in _BAD else None


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--socket", "unix", help="Ask at this Unix socket."),
        output_.option,
        waiting.timeout("How long it waits at the most."),
        click.option("--no-wait", is_flag=True, help="Return as soon as it is asked for."),
        click.option("--reason", default="", metavar="TEXT", help="Why; kept in the history."),
    ):
        command = option(command)
    return command


def _verb(verb: str, text: str) -> click.Command:
    """The command that asks for one action about any number of workloads."""

    @click.command(verb, help=text + _STATUS)
    @click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete)
    @_options
    @click.pass_context
    def command(
        ctx: click.Context,
        names: tuple[str, ...],
        reason: str,
        no_wait: bool,
        timeout: float,
        output: str,
        unix: str | None,
    ) -> None:
        _do(ctx, verb, names, {"reason": reason}, 0.0 if no_wait else timeout, output, unix)

    return command


def _do(
    ctx: click.Context,
    verb: str,
    names: tuple[str, ...],
    parameters: dict[str, str],
    timeout: float,
    output: str,
    unix: str | None,
) -> None:
    until = time.monotonic() + timeout
    query = urlencode({key: value for key, value in parameters.items() if value})
    accepted, refused = [], 0
    for name in dict.fromkeys(names):
        answer = client.post(f"{client.workload_path(name)}/{verb}?{query}".rstrip("?"), unix)
        if answer.status >= 400:
            click.echo(f"Error: {client.problem(answer)[1]}", err=True)
            refused += 1
            continue
        asked = Asked(name, verb, json.loads(answer.text))
        accepted.append(asked)
        if output == "table":
            click.echo(f"{name}: {asked.answer['message']}")
    progress = Progress(out=True, quiet=output != "table", many=len(accepted))
    for asked in accepted if timeout else ():
        _wait(asked, unix, until, progress)
    if output != "table":
        output_.show([{**asked.answer, "state": asked.state} for asked in accepted], output)
    failed = any(asked.failed for asked in accepted)
    ctx.exit(1 if refused else codes.NOT_WELL if failed else 0)


def _wait(asked: Asked, unix: str | None, until: float, progress: Progress) -> None:
    """Look at it until it is done, and tell each step of the way."""
    if not asked.answer["changed"] and asked.verb in ("start", "resume", "restart"):
        return
    try:
        for status, looked in waiting.looks(asked.name, unix, until, progress.away):
            # What was looked at before it was asked for says nothing of it.
            done = looked >= asked.answer["asked"] and asked.look(status)
            if done or works(status):
                progress.tell(asked.name, status)
            if done:
                return
    except waiting.LateError as error:
        click.echo(f"Error: {error.message}", err=True)
        asked.failed = True


_STATUS = """

    It waits until that is done, and tells how far it is. Exit status: 0 where it is done (or was so
    already), 3 where it did not come out well or not in time, 1 where it cannot be done, 2 for a
    wrong call.
    """

pause = _verb(
    "pause",
    """Leave workloads alone: no rollout, no repair, no update of images.

    systemd still keeps them running, after a reboot as well. Until workloadctl resume.""",
)
resume = _verb(
    "resume",
    """Take back pause, stop and rollback: the file decides again.

    Revisions that were found bad may be tried again.""",
)
stop = _verb(
    "stop",
    """Stop workloads, and keep them stopped over reboots and changes of their files.

    Until workloadctl start or resume.""",
)
start = _verb("start", """Start what was stopped with workloadctl stop.""")
restart = _verb("restart", """Restart workloads once.""")


@click.command(
    help="""Let the previous deployment of a workload serve again, and hold it there.

    It has to prove itself like any other; where it fails, the one that served does so again, and
    is held no longer. What serves is held until workloadctl resume, or until its file changes.
    --to takes any revision whose containers are still here, or how it begins."""
    + _STATUS
)
@click.argument("name", shell_complete=complete)
@click.option("--to", default="", metavar="REVISION", help="Go to this revision.")
@_options
@click.pass_context
def rollback(
    ctx: click.Context,
    name: str,
    to: str,
    reason: str,
    no_wait: bool,
    timeout: float,
    output: str,
    unix: str | None,
) -> None:
    parameters = {"reason": reason, "to": to}
    _do(ctx, "rollback", (name,), parameters, 0.0 if no_wait else timeout, output, unix)
