"""Waiting until workloads are as their files want them, and telling each step of the way."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import click

from workloadd.cli import client
from workloadd.cli.hands import verdict, works
from workloadd.cli.progress import Progress

# Seconds between two looks.
_PAUSE = 0.3


@dataclass
class _Waited:
    """A workload that is waited for. `good` is None while that is open."""

    name: str
    state: str = ""
    message: str = "the daemon does not know of it yet"
    good: bool | None = None

    def look(self, since: float, progress: Progress) -> None:
        """See how it is, and tell so; `since` is when what is waited for was asked for."""
        try:
            answer = client.get(client.workload_path(self.name), "application/json", None, None)
        except click.ClickException as error:
            self.state, self.message = "", error.message
            progress.away(self.name)
            return
        if answer.status >= 400:
            self.state, self.message = "", client.problem(answer)[1]
            return
        status = json.loads(answer.text)
        fresh = float(answer.headers.get("workloadd-looked", "inf")) >= since
        if fresh or works(status):
            self.state, self.message = status["state"], status["message"]
            progress.tell(self.name, status)
        if fresh:
            self.good = verdict(status)


def settle(names: Iterable[str], since: float, timeout: float) -> tuple[bool, list[dict[str, Any]]]:
    """Whether all came out well in time, and how each did."""
    waited = [_Waited(name) for name in names]
    progress = Progress(many=len(waited))
    until = time.monotonic() + timeout
    while True:
        for one in waited:
            if one.good is None:
                one.look(since, progress)
        left = [one for one in waited if one.good is None]
        if not left or time.monotonic() >= until:
            break
        time.sleep(_PAUSE)
    for one in left:
        click.echo(
            f"Error: {one.name} has not settled in time: {one.message or one.state}", err=True
        )
    return all(one.good for one in waited), [asdict(one) for one in waited]
