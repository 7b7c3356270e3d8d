"""What the status says of what people asked for by hand."""

from collections.abc import Mapping

from workloadd.core.status import HandStatus, State, moment
from workloadd.core.view import Finding, View

_AT_REST = ("inactive", "failed")


def hand_statuses(view: View) -> tuple[HandStatus, ...]:
    """What was asked for and holds, or is not done yet."""
    hands = view.memory.hands.get(view.name, {}).values()
    return tuple(
        HandStatus(
            kind=hand.kind,
            by=hand.by,
            reason=hand.reason,
            since=moment(hand.at),
            revision=hand.revision,
        )
        for hand in sorted(hands, key=lambda hand: hand.at)
        if hand.kind != "start"
    )


def resting_state(view: View, findings: Mapping[str, Finding]) -> tuple[State, str] | None:
    """The state of what somebody stopped or paused; None for what nobody did."""
    pause, stop = view.hand("pause"), view.hand("stop")
    if stop and view.declared is not None:
        units = (*view.seen.units.values(), *view.seen.sockets.values(), view.seen.timer)
        if any(unit.active_state not in _AT_REST for unit in units):
            return "RollingOut", f"being stopped {stop.words}"
        return "Stopped", f"stopped {stop.words}; start it with workloadctl start {view.name}"
    if pause:
        ready = findings["Ready"]
        how = "" if ready.status == "True" else f" ({ready.message})"
        said = f"paused {pause.words}{how}; go on with workloadctl resume {view.name}"
        return "Paused", said
    return None


def held_finding(view: View) -> Finding | None:
    """That what serves is what it is held at, whatever the file asks for."""
    return Finding("Deployed", "True", "Held", held_words(view)) if view.held else None


def held_words(view: View) -> str:
    """Where and why it is held, and what ends that; nothing where it is not."""
    hold = view.hand("hold")
    if hold is None or not view.held:
        return ""
    return f"held at {hold.where} {hold.words}; go on with workloadctl resume {view.name}"
