"""Waiting for what was asked for: for how long, and while the daemon may be away for a moment."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from workloadd.cli import client, codes
from workloadd.cli.client import Document
from workloadd.cli.wait import duration

# Seconds between two looks.
_PAUSE = 0.3


class LateError(click.ClickException):
    """It has not come about in time."""

    exit_code = codes.NOT_WELL


def timeout(text: str = "How long that is waited for.") -> Callable[..., Any]:
    """The option `--timeout`, which becomes `timeout`, in seconds."""
    return click.option(
        "--timeout", callback=duration, default="5m", show_default=True, metavar="TIME", help=text
    )


def looks(
    name: str, unix: str | None, until: float, away: Callable[[str], None]
) -> Iterator[tuple[Document, float]]:
    """A workload's status and when the host was looked at for it, again and again until `until` (of
    the monotonic clock). While the daemon does not answer, `away` is told so.

    Raises:
        LateError: it is too late.
        click.ClickException: there is no such workload any more.
    """
    last = "nothing is known of it"
    while True:
        try:
            status, looked = client.workload(name, unix)
        except client.UnreachableError as error:
            last = error.reason
            away(name)
        else:
            last = client.said(status)
            yield status, looked
        if time.monotonic() >= until:
            raise LateError(f"{name} has not settled in time: {last}")
        time.sleep(_PAUSE)
