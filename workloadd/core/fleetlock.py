"""Whether the host may be rebooted for an update, as a lock that one client at a time may hold.

The client (Zincati) asks until it is told yes, reboots, and says after that that all is well. The
lock is kept in the history, so neither a daemon that was killed nor the reboot itself loses it.
Pure: what becomes of the lock is a table of stages and events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from workloadd.core.errors import Problem


class Stage(Enum):
    """Where the host is between two reboots."""

    FREE = "nobody asked for a reboot"
    DRAINING = "the workloads are being stopped for a reboot"
    GRANTED = "the workloads are stopped, and the host may be rebooted"
    REBOOTED = "the host was rebooted, and the client has yet to say that all is well"


class Event(Enum):
    """What happens to the lock."""

    ASKED = "a reboot was asked for"
    HINDERED = "it was asked for, and something must not be interrupted"
    STOPPED = "it was asked for again, and all workloads are stopped"
    ASKED_BY_OTHER = "it was asked for by another client than the one that holds the lock"
    RELEASED = "the client says that all is well"
    RELEASED_BY_OTHER = "a client that does not hold the lock says that all is well"
    EXPIRED = "it was neither asked for again nor released for the time that a grant lasts"
    BOOTED = "the host was booted"


class Move(Enum):
    """What is done about it."""

    DRAIN = "begin to stop the workloads; the answer is: ask again"
    AWAIT = "the answer is: ask again"
    GRANT = "the answer is yes"
    REFUSE = "refuse, with the reason"
    ABANDON = "start the workloads again, and refuse with the reason"
    UNDO = "start the workloads again"
    FREE = "forget the lock"
    RESUME = "the workloads start as after every boot"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """A move, and the stage that it leads to."""

    move: Move
    to: Stage


def _asked(stage: Stage, step: Step) -> dict[Event, Step]:
    """A reboot is asked for while nothing is stopped for one."""
    return {
        Event.ASKED: step,
        Event.HINDERED: Step(Move.REFUSE, stage),
        # A pass has to hold all new starts before what it sees counts.
        Event.STOPPED: step,
    }


def _held(stage: Stage, end: Step) -> dict[Event, Step]:
    """Somebody holds the lock."""
    return {
        Event.ASKED_BY_OTHER: Step(Move.REFUSE, stage),
        Event.RELEASED: end,
        Event.RELEASED_BY_OTHER: Step(Move.NOTHING, stage),
        Event.EXPIRED: end,
    }


_DRAIN = Step(Move.DRAIN, Stage.DRAINING)
_GRANT = Step(Move.GRANT, Stage.GRANTED)
_UNDO = Step(Move.UNDO, Stage.FREE)
_RESUME = Step(Move.RESUME, Stage.REBOOTED)

TABLE: Mapping[Stage, Mapping[Event, Step]] = {
    Stage.FREE: {
        **_asked(Stage.FREE, _DRAIN),
        # Nobody holds it, so there is no other.
        Event.ASKED_BY_OTHER: _DRAIN,
        **dict.fromkeys(
            (Event.RELEASED, Event.RELEASED_BY_OTHER, Event.EXPIRED, Event.BOOTED),
            Step(Move.NOTHING, Stage.FREE),
        ),
    },
    Stage.DRAINING: {
        **_held(Stage.DRAINING, _UNDO),
        Event.ASKED: Step(Move.AWAIT, Stage.DRAINING),
        # It began in the moment in which the drain did; it may last, and so would the drain.
        Event.HINDERED: Step(Move.ABANDON, Stage.FREE),
        Event.STOPPED: _GRANT,
        Event.BOOTED: _RESUME,
    },
    Stage.GRANTED: {
        **_held(Stage.GRANTED, _UNDO),
        **dict.fromkeys((Event.ASKED, Event.HINDERED, Event.STOPPED), _GRANT),
        Event.BOOTED: _RESUME,
    },
    Stage.REBOOTED: {
        **_held(Stage.REBOOTED, Step(Move.FREE, Stage.FREE)),
        **_asked(Stage.REBOOTED, _DRAIN),
        Event.BOOTED: _RESUME,
    },
}


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, as the protocol has it."""

    id: str
    group: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock as it is kept. Times are seconds since the epoch.

    `began` is when the workloads were last begun to be stopped, `at` when the lock was last asked
    for, or came to its stage otherwise. `boot` is the boot in which that was. `undone` says why the
    workloads were last started again with no reboot. `owed` is set while the upstream server has
    yet to be told that the lock was released.
    """

    stage: Stage = Stage.FREE
    client: Client = Client("", "")
    began: float = 0.0
    at: float = 0.0
    boot: str = ""
    undone: str = ""
    owed: bool = False

    @property
    def drains(self) -> bool:
        """Whether workloads are to be stopped, and kept so."""
        return self.stage in (Stage.DRAINING, Stage.GRANTED)

    @property
    def why(self) -> str:
        """Why a workload does not run, while the lock drains."""
        granted = "granted to" if self.stage is Stage.GRANTED else "asked for by"
        return f"stopped for a reboot {granted} {self.client.id}"

    def stopped(self, at: float) -> bool:
        """Whether what stopped then did so for a reboot that did not come, in this boot."""
        return bool(self.undone) and self.began - 1 <= at <= self.at + 1


NO_LOCK = Lock()


@dataclass(frozen=True, slots=True)
class Look:
    """What a pass saw of the workloads: what must not be interrupted, and how many are stopped.

    `began` is that of the drain that the pass kept to, 0.0 where it kept to none.
    """

    hindrances: tuple[str, ...] = ()
    stopped: int = 0
    total: int = 0
    began: float = 0.0

    @property
    def progress(self) -> str:
        """How far a drain is."""
        return f"{self.stopped} of {self.total} workloads are stopped"


def asked(lock: Lock, client: Client, look: Look | None) -> Event:
    """What it is that a client asks for a reboot; `look` is None while no pass has looked."""
    if lock.stage is not Stage.FREE and lock.client.id != client.id:
        return Event.ASKED_BY_OTHER
    if look is None:
        # What was begun by an earlier daemon goes on as soon as this one has looked.
        return Event.ASKED if lock.drains else Event.HINDERED
    if look.hindrances:
        return Event.HINDERED
    known = look.began == lock.began and lock.drains
    return Event.STOPPED if known and look.stopped == look.total else Event.ASKED


def released(lock: Lock, client: Client) -> Event:
    """What it is that a client says that all is well."""
    return Event.RELEASED if lock.client.id == client.id else Event.RELEASED_BY_OTHER


def apply(lock: Lock, event: Event, now: float, boot: str, client: Client | None = None) -> Lock:
    """The lock after an event; `client` is who asks."""
    step = TABLE[lock.stage][event]
    match step.move:
        case Move.DRAIN:
            return Lock(step.to, client or lock.client, now, now, boot)
        case Move.AWAIT | Move.GRANT:
            return replace(lock, stage=step.to, at=now)
        case Move.ABANDON | Move.UNDO:
            return replace(lock, stage=step.to, at=now, undone=_UNDONE[event])
        case Move.FREE:
            return replace(lock, stage=step.to, at=now)
        case Move.RESUME:
            again = lock.stage is Stage.REBOOTED and lock.boot == boot
            return lock if again else replace(lock, stage=step.to, at=now, boot=boot)
    return lock


_UNDONE = {
    Event.EXPIRED: "the host was not rebooted in time",
    Event.RELEASED: "the reboot was called off",
    Event.HINDERED: "something began that must not be interrupted",
}


def refusal(lock: Lock, event: Event, look: Look | None) -> Problem:
    """Why the answer is not yes; the reason is of a small number, as the protocol asks for."""
    match event:
        case Event.ASKED_BY_OTHER:
            held = f"cannot grant a reboot: {lock.client.id} holds the lock"
            return Problem("FailedLockHeld", held, "it ends when that client says steady-state")
        case Event.HINDERED if look is None:
            said = "cannot grant a reboot: workloadd has not looked at the workloads yet"
            return Problem("FailedLockNotReady", said, "ask again")
        case Event.HINDERED:
            said = f"cannot grant a reboot: {'; '.join(look.hindrances) if look else ''}"
            return Problem("FailedLockBusy", said, "ask again when that has ended")
    known = look is not None and look.began == lock.began
    progress = look.progress if look and known else "workloads are being stopped"
    return Problem("FailedLockDraining", f"draining: {progress}", "ask again")
