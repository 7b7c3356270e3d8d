"""`workloadctl status --watch`: on a terminal redrawn in place, else a line for each change."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import click
from pydantic import ValidationError

from workloadd.cli import client, events, following, glance
from workloadd.cli.glance import Page
from workloadd.cli.screen import Screen, size, usable

# Seconds after which it is drawn anew without news: it says how long things have been so.
_TICK = 1.0
# Seconds between two looks at one workload without news.
_AGAIN = 2.0

Paint = Callable[[str], str]


class View(Protocol):
    """What is shown, made of what is heard."""

    def hear(self, kind: str, document: Any) -> None: ...

    def page(self, now: datetime, width: int) -> Page: ...


def watch(
    name: str | None, output: str, url: str | None, unix: str | None, paint: Paint
) -> None:  # fmt: skip
    """Show it for ever; `paint` gives colours to what is drawn."""
    client.known(name, url, unix)
    if output != "table" or not usable():
        events.tell(name, output != "table", url, unix)
        return
    view = _One(name, url, unix) if name else _All()
    feed = _Feed(name, url, unix)
    feed.start()
    try:
        with Screen() as screen:
            _show(view, feed, screen, paint)
    except ValidationError:
        raise click.ClickException(
            "cannot read what workloadd tells: it is not of the same version; restart it"
        ) from None


def _show(view: View, feed: "_Feed", screen: Screen, paint: Paint) -> None:
    skip, note = 0, ""
    while True:
        for kind, document in feed.take():
            if kind in following.NOTES:
                note = following.NOTES[kind] if kind == "away" else ""
            else:
                view.hear(kind, document)
        width, height = size()
        page = view.page(datetime.now(UTC), width)
        lines, skip = glance.window(page, height, skip, note)
        screen.draw([paint(glance.cut(line, width)) for line in lines])
        key = screen.wait(feed.news, _TICK)
        if key == "quit":
            return
        skip = _scrolled(key, skip, height) if key else skip


def _scrolled(key: str, skip: int, height: int) -> int:
    by = {"up": -1, "down": 1, "page-up": 4 - height, "page-down": height - 4, "top": -skip}
    return max(0, skip + by[key])


class _All:
    """All workloads."""

    def __init__(self) -> None:
        self._known = glance.Known()

    def hear(self, kind: str, document: Any) -> None:
        self._known.hear(kind, document)

    def page(self, now: datetime, width: int) -> Page:
        status = self._known.status()
        return glance.page(status, now, width) if status else Page((), 0)


class _One:
    """One workload: the words of the daemon, asked for whenever it changes."""

    def __init__(self, name: str, url: str | None, unix: str | None) -> None:
        self._path = client.workload_path(name)
        self._place = url, unix
        self._text = ""
        self._until = 0.0

    def hear(self, _kind: str, _document: Any) -> None:
        self._until = 0.0

    def page(self, now: datetime, width: int) -> Page:
        if now.timestamp() >= self._until:
            self._until = now.timestamp() + _AGAIN
            try:
                answer = client.get(self._path, "text/plain", *self._place)
                good = answer.status < 400
                self._text = answer.text if good else client.problem(answer)[1]
            except client.UnreachableError:
                pass  # what was seen last stays, and it is said that nobody answers
        return Page(self._text.splitlines(), 1)


class _Feed(threading.Thread):
    """Hears what changes while the screen is drawn. `news` can be read where there is some."""

    def __init__(self, name: str | None, url: str | None, unix: str | None) -> None:
        super().__init__(daemon=True)
        self._asked = name, url, unix
        self._context = click.get_current_context()
        self._heard: deque[tuple[str, Any]] = deque()
        self.news, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def run(self) -> None:
        """Hear, for ever."""
        try:
            # What is asked goes by options, which click knows by thread.
            with self._context.scope(cleanup=False):
                for heard in following.follow(*self._asked):
                    self._tell(heard)
        except Exception as error:  # noqa: BLE001 - it is raised where somebody sees it
            self._tell(("failed", error))

    def take(self) -> Iterator[following.Heard]:
        """What was heard since the last time; raises what it ended with."""
        with suppress(BlockingIOError):
            os.read(self.news, 4096)
        while self._heard:
            kind, document = self._heard.popleft()
            if kind == "failed":
                raise document
            yield kind, document

    def _tell(self, heard: following.Heard) -> None:
        self._heard.append(heard)
        with suppress(BlockingIOError):  # then there are rings enough
            os.write(self._bell, b"!")
