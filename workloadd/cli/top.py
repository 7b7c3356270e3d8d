"""`workloadctl top`: what workloads use of the host, as it is now."""

import json
import shutil
import sys
import time
from typing import Any

import click

from workloadd.cli import client, names, use_table
from workloadd.cli import output as output_
from workloadd.cli.screen import Screen, size, usable
from workloadd.cli.wait import duration

# Columns where nobody looks: a script needs names as they are.
_UNCUT = 1000


@click.command()
@click.argument("name", required=False, shell_complete=names.complete)
@click.option(
    "--sort",
    type=click.Choice(use_table.ORDERS),
    default="cpu",
    show_default=True,
    help="Those that use most first, or by name.",
)
@click.option("-n", "--once", is_flag=True, help="Show it once and end.")
@click.option(
    "--interval",
    callback=duration,
    default="2s",
    show_default=True,
    help="How often to ask; how often workloadd looks is in its settings.",
)
@output_.option
@client.options
def top(
    name: str | None,
    sort: str,
    once: bool,
    interval: float,
    output: str,
    url: str | None,
    unix: str | None,
) -> None:
    """Show what workloads use: processor, memory, network, block devices, processes.

    With NAME that one alone, and the containers of a pod. CPU% is of one processor; a dash is what
    is not known, as where the host gives its users no such controller. On a terminal it is redrawn
    until q or Ctrl-C; into a pipe, and with -o json or yaml, it is told once.

    Exit status: 0, or 1 where there is no such workload or the daemon does not answer.
    """
    asked = _Asked(name, sort, url, unix)
    if output != "table":
        output_.show(asked.document(), output)
    elif once or not usable():
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNCUT
        click.echo("\n".join(asked.lines(width)))
    else:
        _follow(asked, interval)


class _Asked:
    """What is asked for, as often as one likes."""

    def __init__(self, name: str | None, sort: str, url: str | None, unix: str | None) -> None:
        self._path = f"{client.workload_path(name)}/resources" if name else "/v1/resources"
        self._one = bool(name)
        self._sort = sort
        self._place = url, unix

    def document(self) -> Any:
        """What the daemon answers.

        Raises:
            click.ClickException: it does not, or refuses.
        """
        answer = client.good(client.get(self._path, "application/json", *self._place))
        return json.loads(answer.text)

    def lines(self, width: int) -> list[str]:
        """The same for people."""
        found = self.document()
        if self._one:
            uses = list(use_table.parts(found))
            running = uses[:1] if found["now"]["at"] else []
        else:
            running = uses = use_table.ordered(found["workloads"], self._sort)
        first = use_table.together(running, found["interval"])
        return [first, "", *use_table.table(uses, width)] if running else [first]


def _follow(asked: _Asked, interval: float) -> None:
    """Redraw it until somebody has seen enough."""
    lines = asked.lines(size()[0])
    with Screen() as screen:
        while True:
            width, height = size()
            screen.draw([line[:width] for line in lines[:height]])
            until = time.monotonic() + interval
            while (left := until - time.monotonic()) > 0:
                # There are no news but by asking.
                if screen.wait(sys.stdin.fileno(), left) == "quit":
                    return
            try:
                lines = asked.lines(size()[0])
            except client.UnreachableError as error:
                lines = error.message.splitlines()
