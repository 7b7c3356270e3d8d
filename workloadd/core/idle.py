"""Telling whether anybody uses what a socket started.

The kernel counts no accepted connections for one socket alone, and one that came and went between
two looks leaves no trace in its tables. So a look also takes in how many connections the whole host
has accepted, and the processor time that the workload has used: where both have grown, it served.
"""

from dataclasses import dataclass

# Shares of a processor: what a program that serves uses at least, and what one does that has
# timers of its own. Connections to Unix sockets are not counted, so there the latter decides.
_SERVES = 0.000_02
_RUNS_ON = 0.001
# Looks in the time after which an idle workload is stopped, and seconds between two at most.
_LOOKS = 4
_LONGEST = 30.0


@dataclass(frozen=True, slots=True)
class Activity:
    """One look, at `at` (seconds since the epoch).

    `connections` are open to the workload's sockets, `accepted` counts those that the host ever
    accepted, `processor` is the seconds of processor time used; `since` is when the workload was
    started. `unix` says that one of its sockets is a Unix socket.
    """

    at: float
    since: float
    connections: int
    accepted: int
    processor: float
    unix: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """The last look, and since when nobody has used the workload; None while somebody does."""

    last: Activity
    since: float | None


def watch(before: Idle | None, look: Activity) -> Idle:
    """What is known after a further look."""
    if look.connections:
        return Idle(look, None)
    if before is None or before.last.since != look.since or _served(before.last, look):
        return Idle(look, look.at)
    return Idle(look, before.since if before.since is not None else look.at)


def _served(last: Activity, look: Activity) -> bool:
    seconds = max(look.at - last.at, 0.001)
    share = (look.processor - last.processor) / seconds
    if look.unix and share > _RUNS_ON:
        return True
    return look.accepted != last.accepted and share > _SERVES


def next_look(idle_since: float | None, timeout: float, now: float) -> float:
    """When (seconds since the epoch) to look again; in time for the moment to stop it."""
    pause = min(timeout / _LOOKS, _LONGEST)
    return now + pause if idle_since is None else min(now + pause, idle_since + timeout)
