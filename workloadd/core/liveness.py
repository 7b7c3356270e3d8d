"""What is not alive any more is started again: at once, then ever later, until it holds."""

from collections.abc import Iterator, Sequence

from workloadd.core.actions import Action, Note, RestartUnit
from workloadd.core.backoff import STEADY, delay
from workloadd.core.case import Case
from workloadd.core.deployment import Current, DeployedPart
from workloadd.core.memory import Memory
from workloadd.core.names import unit_part
from workloadd.core.readiness import asked, illness
from workloadd.core.rollout import of_part
from workloadd.core.view import Finding, View

NOTE = "liveness"
"""The kind of the events in the history by which restarts are counted."""

# Seconds between the first restart and the second; they double up to a ceiling below STEADY, which
# would else forget the restarts before.
_BASE = 5.0
_CEILING = 300.0
# So many restarts in a row, and it is said that they do not help.
SEVERAL = 3


def in_a_row(times: Sequence[float], now: float) -> int:
    """How many restarts, the newest first, came so soon after one another that it never held."""
    count, later = 0, now
    for at in times:
        if later - at >= STEADY:
            break
        count, later = count + 1, at
    return count


def due_at(times: Sequence[float], now: float) -> float:
    """When the next restart may be, after those before."""
    count = in_a_row(times, now)
    return times[0] + delay(count, _BASE, _CEILING, 0.0) if count else 0.0


def restart_ill(case: Case, current: Current) -> list[Action]:
    """Start again what is not alive, where it is time to."""
    if case.now < due_at(case.memory.relapses.get(case.name, ()), case.now):
        return []
    actions: list[Action] = []
    for part, said in _ill(current, case.memory):
        actions += [Note(NOTE, f"{of_part(part.name)}{said}"), RestartUnit(unit_part(part.name))]
    return actions


def look_again_at(case: Case, current: Current) -> float | None:
    """When what is not alive may be started again, if that is still to come."""
    at = due_at(case.memory.relapses.get(case.name, ()), case.now)
    return at if at > case.now and any(_ill(current, case.memory)) else None


def _ill(current: Current, memory: Memory) -> Iterator[tuple[DeployedPart, str]]:
    for part in current.parts:
        if part.container is None or not part.unit.active or part.unit.job:
            continue
        if said := illness(part.container, memory.health):
            yield part, said


def alive_finding(view: View) -> Finding | None:
    """Whether the containers are alive by their probes; None where nobody asks them."""
    current = view.current
    kinds = {kind for c in current.containers for kind in asked(c)} if current else set()
    if current is None or not kinds & {"startup", "liveness"}:
        return None
    said = next((f"{of_part(part.name)}{said}" for part, said in _ill(current, view.memory)), "")
    count = in_a_row(view.memory.relapses.get(view.name, ()), view.now)
    if count >= SEVERAL:
        why = f"it was started again {count} times in a row, as it was not alive"
        return Finding("Alive", "False", "Relapsing", f"{why}: {said}" if said else why)
    if said:
        return Finding("Alive", "False", "NotAlive", said)
    return Finding("Alive", "True", "Alive", "no probe says otherwise")
