"""The rollout as a state machine: in which stage a workload is, what happened, what that leads to.

A stage is never stored: each pass reads it off the host, as it does the event. So a daemon that was
killed, or a host that lost its power, comes back into one of these rows and goes on from there.
The picture of it in the documentation is drawn from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Stage(Enum):
    """Where a workload is between two deployments."""

    EMPTY = "nothing is deployed"
    STABLE = "the current deployment has proved itself"
    TRIAL = "the new one has to prove itself beside the current one, which serves"
    VERIFYING = "the new one is committed and has to prove itself; the previous one is kept"
    ALONE = "the new one has to prove itself, with no other to go back to"
    GIVEN_UP = "the new one failed and stays; systemd goes on trying"


class Event(Enum):
    """What a pass finds: the first of these that holds."""

    WANTED = "another revision is wanted"
    WANTED_BESIDE = "another revision is wanted, and can start first"
    GONE = "a container was removed, and cannot be made anew"
    CONDEMNED = "it was found bad before, and going back was interrupted"
    DRIFT = "units are not as they should be"
    UNIT_FAILED = "a unit failed"
    RESTART_LOOP = "it was restarted too often"
    PROBE_FAILED = "a probe failed"
    OOM_KILLED = "it was killed for memory"
    LATE = "it was not up and ready in time"
    PROVED = "it was up and ready all through its soak"
    UNDECIDED = "it has yet to show"
    CALM = "nothing"


FAILURES = (
    Event.UNIT_FAILED,
    Event.RESTART_LOOP,
    Event.PROBE_FAILED,
    Event.OOM_KILLED,
    Event.LATE,
)


class Move(Enum):
    """What is done about it."""

    ROLL_FORWARD = "make the containers, write the units, start"
    TRY = "make the container, start it beside the current one"
    SWITCH = "write the units, stop the older one"
    DISCARD = "stop and remove the new one; remember it as bad if it failed"
    ROLL_BACK = "remember it as bad, let the previous one serve again"
    FALL_BACK = "let the previous one serve again"
    GIVE_UP = "note that it failed"
    CONCLUDE = "give it the plain names, remove what is older than is to be kept"
    REPAIR = "put the units right"
    TIDY = "remove what belongs to no deployment"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Step:
    """A move, and the stage that it leads to once it is carried out."""

    move: Move
    to: Stage


def _wanted(to: Stage) -> dict[Event, Step]:
    step = Step(Move.ROLL_FORWARD, to)
    return {Event.WANTED: step, Event.WANTED_BESIDE: step}


def _row(stage: Stage, quiet: Move, steps: Mapping[Event, Step]) -> dict[Event, Step]:
    """A full row: what is not said is met with `quiet`, and leads nowhere else."""
    return {event: steps.get(event, Step(quiet, stage)) for event in Event}


def _failing(step: Step) -> dict[Event, Step]:
    return dict.fromkeys(FAILURES, step)


TABLE: Mapping[Stage, Mapping[Event, Step]] = {
    Stage.EMPTY: _row(
        Stage.EMPTY,
        Move.WAIT,
        _wanted(Stage.ALONE),
    ),
    Stage.STABLE: _row(
        Stage.STABLE,
        Move.TIDY,
        {
            Event.WANTED: Step(Move.ROLL_FORWARD, Stage.VERIFYING),
            Event.WANTED_BESIDE: Step(Move.TRY, Stage.TRIAL),
            Event.GONE: Step(Move.FALL_BACK, Stage.GIVEN_UP),
            Event.DRIFT: Step(Move.REPAIR, Stage.STABLE),
        },
    ),
    Stage.TRIAL: _row(
        Stage.TRIAL,
        Move.WAIT,
        {
            Event.WANTED: Step(Move.DISCARD, Stage.STABLE),
            Event.WANTED_BESIDE: Step(Move.DISCARD, Stage.STABLE),
            # What serves is lost: the new one is the best there is.
            Event.GONE: Step(Move.SWITCH, Stage.ALONE),
            Event.CONDEMNED: Step(Move.DISCARD, Stage.STABLE),
            Event.DRIFT: Step(Move.REPAIR, Stage.TRIAL),
            **_failing(Step(Move.DISCARD, Stage.STABLE)),
            Event.PROVED: Step(Move.SWITCH, Stage.VERIFYING),
        },
    ),
    Stage.VERIFYING: _row(
        Stage.VERIFYING,
        Move.WAIT,
        {
            **_wanted(Stage.VERIFYING),
            Event.GONE: Step(Move.FALL_BACK, Stage.STABLE),
            Event.CONDEMNED: Step(Move.ROLL_BACK, Stage.STABLE),
            Event.DRIFT: Step(Move.REPAIR, Stage.VERIFYING),
            **_failing(Step(Move.ROLL_BACK, Stage.STABLE)),
            Event.PROVED: Step(Move.CONCLUDE, Stage.STABLE),
        },
    ),
    Stage.ALONE: _row(
        Stage.ALONE,
        Move.WAIT,
        {
            **_wanted(Stage.ALONE),
            Event.GONE: Step(Move.FALL_BACK, Stage.EMPTY),
            Event.DRIFT: Step(Move.REPAIR, Stage.ALONE),
            **_failing(Step(Move.GIVE_UP, Stage.GIVEN_UP)),
            Event.PROVED: Step(Move.CONCLUDE, Stage.STABLE),
        },
    ),
    Stage.GIVEN_UP: _row(
        Stage.GIVEN_UP,
        Move.WAIT,
        {
            **_wanted(Stage.ALONE),
            Event.GONE: Step(Move.FALL_BACK, Stage.EMPTY),
            Event.DRIFT: Step(Move.REPAIR, Stage.GIVEN_UP),
            **_failing(Step(Move.GIVE_UP, Stage.GIVEN_UP)),
            Event.PROVED: Step(Move.CONCLUDE, Stage.STABLE),
        },
    ),
}
