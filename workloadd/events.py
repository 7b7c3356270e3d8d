"""Changes of the status, as they come about, for all who follow them.

A change is rendered once, whoever follows. The last ones are kept, so that a client that was cut
off goes on where it was; one that was away for longer gets everything anew.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from workloadd.board import Board
from workloadd.core.status import PassStatus, Status, WorkloadStatus

# Changes and bytes that are kept for clients that come back.
_KEPT, _KEPT_BYTES = 1024, 4 << 20
# Changes that a client may be behind; one that is further behind is cut off, and comes back.
MAX_BEHIND = 256
# Seconds for which changes are still kept with nobody following them.
_LINGER = 120.0
# What a status says of the host, and not of a workload.
_HOST = {"version", "user", "started", "host", "problems", "elsewhere", "networks", "volumes",
         "pruned", "reboot", "passes"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One change: `kind` is `workload`, `gone`, `host` or `reset`; `text` is how it is sent (the
    event stream of HTML's server-sent events)."""

    number: int
    kind: str
    workload: str
    text: bytes = field(repr=False)


@dataclass(eq=False)
class Subscription:
    """What a client is yet to be sent. `lost` is set once it is too far behind."""

    waiting: deque[Event] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False

    def put(self, event: Event) -> None:
        """Add a change, unless the client has been given up."""
        if len(self.waiting) >= MAX_BEHIND:
            self.lost = True
            self.waiting.clear()
        if not self.lost:
            self.waiting.append(event)
        self.news.set()

    async def next(self) -> list[Event]:
        """What there is to send, as soon as there is anything; nothing once it is lost."""
        await self.news.wait()
        self.news.clear()
        found = list(self.waiting)
        self.waiting.clear()
        return found


class Events:
    """Follows the board for those who follow it. `monotonic` gives seconds."""

    def __init__(self, board: Board, monotonic: Callable[[], float]) -> None:
        self._board = board
        self._monotonic = monotonic
        self._epoch = ""
        self._number = 0
        self._seen: Status | None = None
        self._host = ""
        self._kept: deque[Event] = deque()
        self._size = 0
        self._followers: set[Subscription] = set()
        self._left_at = 0.0
        self._everything: tuple[Status | None, int, list[Event]] = (None, 0, [])

    async def run(self) -> None:
        """Follow the board, for ever."""
        while True:
            status = await self._board.changed()
            while self._seen is not None and status is not self._seen:
                self._look(status)
                status = self._board.status

    def subscribe(self, last: str = "") -> tuple[Subscription, list[Event]]:
        """Follow from now on; and what comes before that: what happened since the event `last`, or
        everything as it is now."""
        if self._seen is None or self._is_forgotten():
            self._begin()
        else:
            self._look(self._board.status)
        subscription = Subscription()
        self._followers.add(subscription)
        return subscription, self._since(last)

    def leave(self, subscription: Subscription) -> None:
        """Follow no longer."""
        self._followers.discard(subscription)
        self._left_at = self._monotonic()
        if not self._followers:
            self._everything = (None, 0, [])

    def _is_forgotten(self) -> bool:
        return not self._followers and self._monotonic() - self._left_at > _LINGER

    def _begin(self) -> None:
        """Numbers of before mean nothing any more."""
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._kept.clear()
        self._size = 0
        self._seen = self._board.status
        self._host = _host(self._seen)

    def _since(self, last: str) -> list[Event]:
        epoch, _, number = last.partition("-")
        first = self._kept[0].number if self._kept else self._number + 1
        if epoch == self._epoch and number.isascii() and number.isdecimal():
            after = int(number[:12])
            if first - 1 <= after <= self._number:
                return [event for event in self._kept if event.number > after]
        return self._all()

    def _all(self) -> list[Event]:
        """Everything as it is now, made once however many come at a time."""
        status = self._board.status
        known, at, events = self._everything
        if known is not status or at != self._number:
            events = [
                self._event("reset", "", _names(status), self._number),
                self._event("host", "", _host(status), self._number),
                *(
                    self._event("workload", workload.name, _told(workload), self._number)
                    for workload in status.workloads
                ),
            ]
            self._everything = status, self._number, events
        return events

    def _look(self, status: Status) -> None:
        """Tell what has changed since the last look."""
        before, self._seen = self._seen, status
        if before is None or before is status:
            return
        if self._is_forgotten():
            self._seen = None
            return
        if first := not before.passes.count and status.passes.count > 0:
            # Only now it is known which workloads there are: what a daemon before this one told
            # of is here, or gone.
            self._tell("reset", "", _names(status))
        old = {} if first else {one.name: one for one in before.workloads}
        for workload in status.workloads:
            known = old.pop(workload.name, None)
            if known is not workload and known != workload:
                self._tell("workload", workload.name, _told(workload))
        for name in old:
            self._tell("gone", name, json.dumps({"name": name}))
        if (text := _host(status)) != self._host or first:
            self._host = text
            self._tell("host", "", text)

    def _tell(self, kind: str, workload: str, data: str) -> None:
        self._number += 1
        event = self._event(kind, workload, data, self._number)
        self._kept.append(event)
        self._size += len(event.text)
        while len(self._kept) > _KEPT or self._size > _KEPT_BYTES:
            self._size -= len(self._kept.popleft().text)
        for follower in self._followers:
            follower.put(event)

    def _event(self, kind: str, workload: str, data: str, number: int) -> Event:
        text = f"id: {self._epoch}-{number}\nevent: {kind}\ndata: {data}\n\n"
        return Event(number, kind, workload, text.encode())


def _told(workload: WorkloadStatus) -> str:
    return workload.model_dump_json()


def _names(status: Status) -> str:
    """What is forgotten is what is not among these; null where that is not known yet."""
    known = status.passes.count > 0
    return json.dumps({"workloads": [one.name for one in status.workloads] if known else None})


def _host(status: Status) -> str:
    """Of the loop only what does not change with each pass: was there one, and do they fail."""
    passes = status.passes
    known = PassStatus(
        count=min(passes.count, 1), problem=passes.problem, failing_since=passes.failing_since
    )
    return status.model_copy(update={"passes": known}).model_dump_json(include=_HOST)
