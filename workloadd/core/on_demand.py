"""Workloads that systemd starts on a connection: that their sockets listen is enough."""

from collections.abc import Iterable, Mapping

from workloadd.core.actions import Action, Note, RestartUnit, StartSockets, StopSockets, StopUnit
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.idle import next_look
from workloadd.core.observed import Seen, UnitState
from workloadd.core.revision import UnitParams
from workloadd.core.rollout import began_since


def repair_sockets(case: Case, current: Current) -> list[Action]:
    """Have systemd listen where it should and does not."""
    down = [unit for unit, state in current.sockets if not state.active]
    if not down or _pending(current) or case.retry_at(current.revision):
        return []
    ran = any(began_since(c, case.boot) for c in current.containers)
    note: list[Action] = []
    drained = any(case.memory.lock.stopped(c.exited_at) for c in current.containers)
    if ran and not current.unproven and not drained and not (case.record and case.record.disabled):
        note = [Note("drift", "its socket was stopped")]
    if any(part.unit.active for part in current.parts):
        # For a service that runs already systemd does not begin to listen.
        return [*note, RestartUnit()]
    if case.holding.lacking:
        # A connection would start it.
        return []
    return [*note, StartSockets(tuple(down))]


def _pending(current: Current) -> bool:
    """Whether systemd is about to start or stop something of it."""
    units = [*(state for _, state in current.sockets), *(part.unit for part in current.parts)]
    return any(unit.job or unit.active_state == "deactivating" for unit in units)


def release_sockets(
    seen: Seen, current: Current | None, params: Mapping[str, UnitParams]
) -> list[Action]:
    """Stop listening before units are written that listen elsewhere.

    systemd closes, on a reload, what a unit no longer names, but opens nothing. And whatever
    interrupts the change then, sockets that do not listen are seen to be missing.
    """
    before = {p.name: p.container.params for p in current.parts if p.container} if current else {}
    if all_sockets(p for p in before.values() if p) == all_sockets(params.values()):
        return []
    return stop_sockets(seen)


def stop_sockets(seen: Seen) -> list[Action]:
    """Stop whatever listens for a workload, and so what it was started for."""
    listening = tuple(sorted(u for u, s in seen.sockets.items() if not _is_down(s)))
    return [StopSockets(listening)] if listening else []


def _is_down(state: UnitState) -> bool:
    return state.active_state in ("inactive", "failed")


def stop_idle(case: Case, current: Current) -> tuple[list[Action], float | None]:
    """Stop what nobody has used for long enough, and when to look at that again."""
    timeout = idle_timeout(c.params for c in current.containers)
    if not timeout or not any(part.unit.active for part in current.parts):
        return [], None
    since = case.seen.idle_since
    if since is not None and case.now >= since + timeout:
        return [StopUnit()], None
    return [], next_look(since, timeout, case.now)


def idle_timeout(params: Iterable[UnitParams | None]) -> float:
    """Seconds without a connection after which a workload is stopped; 0 is never."""
    return max((p.idle_timeout for p in params if p), default=0.0)


def all_sockets(params: Iterable[UnitParams]) -> tuple[str, ...]:
    """The sockets of all parts of a workload, as they are kept."""
    return tuple(text for one in params for text in one.sockets)
