"""How far workloads have come: on a terminal a line for each that is redrawn, with a bar while a
deployment proves itself; elsewhere a line for each change."""

import os
import sys
import time
from datetime import datetime
from typing import TextIO

import click

from workloadd.api.words import clean
from workloadd.cli import client
from workloadd.cli.client import Document

_BAR = 20
_AWAY = "workloadd does not answer; asking again"


class Progress:
    """Tells it on standard error, or with `out` on standard output; not at all where `quiet`."""

    def __init__(self, *, out: bool = False, quiet: bool = False, many: int = 1) -> None:
        self._stream: TextIO = sys.stdout if out else sys.stderr
        self._err = not out
        self._quiet = quiet
        self._live = not quiet and _fits(self._stream, many)
        self._shown: dict[str, str] = {}
        self._most: dict[str, float] = {}
        self._drawn = 0

    def tell(self, name: str, status: Document) -> None:
        """How a workload is now."""
        said = clean(client.said(status))
        self._tell(name, said, self._soak(name, status) if self._live else "")

    def away(self, name: str) -> None:
        """The daemon does not answer."""
        self._tell(name, _AWAY, "")

    def _tell(self, name: str, said: str, bar: str) -> None:
        text = f"{name}: {said}"
        if self._quiet or self._shown.get(name) == text + bar:
            return
        self._shown[name] = text + bar
        if self._live:
            self._draw()
        else:
            click.echo(text, err=self._err)

    def _soak(self, name: str, status: Document) -> str:
        """How much is left of the time in which a deployment has to prove itself."""
        until = (status["rollout"] or {}).get("until")
        if not until:
            self._most.pop(name, None)
            return ""
        left = max(0.0, datetime.fromisoformat(until).timestamp() - time.time())
        most = self._most[name] = max(self._most.get(name, 0.0), left)
        done = round(_BAR * (1 - left / most)) if most else _BAR
        return f" [{'#' * done}{'-' * (_BAR - done)}] {left:.0f} s left"

    def _draw(self) -> None:
        width = os.get_terminal_size(self._stream.fileno()).columns
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        lines = (
            text if len(text) <= width else text[: width - 1] + "…" for text in self._shown.values()
        )
        self._stream.write(up + "".join(f"\r{line}\x1b[K\n" for line in lines))
        self._stream.flush()
        self._drawn = len(self._shown)


def _fits(stream: TextIO, many: int) -> bool:
    """Whether it is a terminal, of which lines can be redrawn, with a line for each."""
    if not stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return False
    return many < os.get_terminal_size(stream.fileno()).lines
