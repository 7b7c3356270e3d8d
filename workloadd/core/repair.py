"""Drift: units and what they start, put right as they should be."""

from collections.abc import Iterable
from dataclasses import replace

from workloadd.core.actions import (
    Action,
    DaemonReload,
    Note,
    RestartUnit,
    StartUnit,
    StopContainer,
    StopUnit,
    WriteUnits,
)
from workloadd.core.back import description_of, record_of
from workloadd.core.case import Case
from workloadd.core.dependencies import waits_in_pod
from workloadd.core.deployment import Current, DeployedPart, completed, slept, unproven
from workloadd.core.names import SLOTS, WHOLE, made_as, unit_part
from workloadd.core.observed import Container
from workloadd.core.on_demand import repair_sockets
from workloadd.core.revision import UnitParams
from workloadd.core.rollout import began_since, of_part

# Seconds that a unit may be active with no container of its own running before that counts as
# drift: Podman and systemd are looked at one after the other, and a crash may fall in between.
SETTLE = 5.0


def repair_units(case: Case, current: Current) -> list[Action]:
    """Write the units again where they were edited, deleted or disabled, or their source moved."""
    file = case.seen.file
    record = record_of(case, current)
    params = case.seen.params(record.running)
    if file is None or file.record is None:
        return [Note("drift", "its unit was deleted"), WriteUnits(record, params), DaemonReload()]
    wanted = replace(
        record, source=case.declared.path, description=description_of(case), disabled=False
    )
    write = WriteUnits(wanted, params)
    if file.record.disabled:
        return [Note("enabled", "it is to run again"), write, DaemonReload()]
    if not file.intact:
        note = Note("drift", "its unit was edited, or another version wrote it")
        return [note, write, DaemonReload()]
    if file.record != wanted:
        return [write, DaemonReload()]
    if file.enabled is False:
        return [Note("drift", "its unit was disabled"), write]
    return [DaemonReload()] if case.seen.needs_reload else []


def repair_activity(case: Case, current: Current) -> list[Action]:
    """Start what should run and does not; restart what runs something else.

    The parts of a pod follow its own unit: while that is being put right, they are left alone.
    """
    actions = repair_sockets(case, current)
    if actions or not current.listening:
        return actions
    if current.slot and (stale := _stale_slots(case, current)):
        return stale
    if current.asleep and not _to_be_started(current):
        return _repair_asleep(case)
    trial = current.trial
    for one, part in [(c, p) for c in (current, trial) if c for p in c.parts]:
        if part.container is not None and not (part.unit.job or case.retry_at(one.revision)):
            actions += _repair_part(case, current, part, part.container)
        whole = part.unit if unit_part(part.name) == WHOLE else None
        # While systemd is about to stop it, starting a member would undo that.
        if whole and (actions or whole.job or not whole.active):
            break
    return actions


def _stale_slots(case: Case, current: Current) -> list[Action]:
    """Stop what runs in a slot that the record does not name: a switch was interrupted."""
    named = {part.name for one in (current, current.trial) if one for part in one.parts}
    return [
        StopUnit(unit_part(slot))
        for slot in SLOTS
        if slot not in named and case.seen.unit_of(slot).active_state not in ("inactive", "failed")
    ]


def _repair_asleep(case: Case) -> list[Action]:
    """Nothing is to run; what has begun a moment ago may be what a connection just started."""
    running = [c for c in case.seen.containers if c.running and case.now - c.started_at > SETTLE]
    return [Note("drift", "it ran outside its unit"), *_stops(running)] if running else []


def _to_be_started(current: Current) -> bool:
    """Whether a deployment that waits for connections has yet to be started, to prove itself."""
    return any(unproven(c) and not slept(c) for c in current.containers)


def _repair_part(
    case: Case, current: Current, part: DeployedPart, container: Container
) -> list[Action]:
    unit = part.unit
    if unit.active_state == "deactivating":
        return []
    if unit.active_state == "activating":
        # systemd is starting it again and again: by its old text, if that was not read since.
        return [RestartUnit(unit_part(part.name))] if unit.needs_reload else []
    if completed(container, unit):
        return []
    if unit.active:
        return _repair_running(case, current, part, container)
    if _waits(case, current, part):
        return []
    start = StartUnit(unit_part(part.name))
    whole = unit_part(part.name) == WHOLE
    mine = case.seen.containers if whole else _in_its_place(case, current, part)
    running = [c for c in mine if c.running]
    if running:
        note = Note("drift", f"{of_part(part.name)}it ran outside its unit")
        return [note, *_stops(running), replace(start, reset=True)]
    if unit.active_state == "failed":
        restart = (container.params or UnitParams()).restart
        by_itself = restart != "always" and began_since(container, case.boot)
        return [] if by_itself else [replace(start, reset=True)]
    ran = began_since(container, case.boot) and container.exited_at >= container.started_at > 0
    by_hand = ran and not (case.record and case.record.disabled)
    return [*([_stopped(case, container, part.name)] if by_hand else []), start]


def _stopped(case: Case, container: Container, part: str) -> Note:
    """What stopped a container, as the history is told when it is started again."""
    if case.memory.lock.stopped(container.exited_at):
        return Note("undrained", f"started again: {case.memory.lock.undone}")
    return Note("drift", f"{of_part(part)}it was stopped")


def _waits(case: Case, current: Current, part: DeployedPart) -> bool:
    """Whether something has to be there first before a part is started."""
    if part.name == current.parts[0].name:
        return bool(case.holding.lacking)
    return bool(waits_in_pod(current, part, case.memory).lacking)


def _after_replaced(case: Case, current: Current, part: DeployedPart) -> list[Action]:
    """Restart what asked for it when something that it waits for was replaced."""
    first = part.name == current.parts[0].name
    params = part.container.params if part.container else None
    found = case.holding if first else waits_in_pod(current, part, case.memory)
    if params is None or found.lacking or not part.unit.active:
        return []
    for need in params.depends_on:
        standing = found.standings.get(need.name)
        if need.restart and standing and standing.replaced_at > part.unit.active_since:
            said = f"{of_part(part.name)}restarted, as {need.name} was replaced"
            return [Note("dependency", said), RestartUnit(unit_part(part.name))]
    return []


def _in_its_place(case: Case, current: Current, part: DeployedPart) -> list[Container]:
    """The containers that only the unit of a part may run: of its name, or of no part's at all."""
    names = {made_as(one.name) for one in current.parts}
    trial = current.trial.ids if current.trial else ()
    others = {id for _, id in (*current.ids, *trial)} - {part.id}
    first = part.name == current.parts[0].name
    return [
        c
        for c in case.others(others)
        if c.container == made_as(part.name) or (first and c.container not in names)
    ]


def _repair_running(
    case: Case, current: Current, part: DeployedPart, container: Container
) -> list[Action]:
    """The unit is active: its own container has to be what runs, and nothing else of ours."""
    rivals = _in_its_place(case, current, part)
    others = _stops(c for c in rivals if c.running and c.id != part.id)
    restart = RestartUnit(unit_part(part.name))
    if container.running:
        if others:
            return [Note("drift", "an older container was started"), *others]
        return _after_replaced(case, current, part)
    if others:
        # The unit was written, and the daemon ended before the restart.
        return [restart]
    if case.now - max(container.exited_at, part.unit.active_since) > SETTLE:
        note = Note("drift", f"{of_part(part.name)}its unit was active with no container running")
        return [note, restart]
    return []


def _stops(containers: Iterable[Container]) -> list[Action]:
    return [StopContainer(c.id, (c.params or UnitParams()).stop_timeout) for c in containers]
