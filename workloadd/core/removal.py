"""Taking down a workload whose file is gone."""

from workloadd.core.actions import (
    Action,
    DaemonReload,
    EndRollout,
    Note,
    RemoveNetworks,
    RemoveUnits,
    RemoveVolumes,
    StopTimer,
    StopUnit,
    WorkloadPlan,
)
from workloadd.core.by_hand import forget_all
from workloadd.core.desired import Desired
from workloadd.core.errors import Problem
from workloadd.core.forward import removals
from workloadd.core.memory import Memory
from workloadd.core.observed import Seen
from workloadd.core.on_demand import stop_sockets


def remove(name: str, desired: Desired, seen: Seen, memory: Memory) -> WorkloadPlan:
    """Stop, then containers, volumes to reclaim, networks, the history; the unit last.

    The unit says what to reclaim, and that there is something to end and to note, so whatever
    interrupts the removal, the rest is still known.
    A stopped unit whose file is gone leaves systemd's memory by itself, or does no harm there: no
    daemon-reload but for timers.
    """
    forgotten = forget_all(memory.hands.get(name, {}))
    if not seen.containers and seen.file is None and not forgotten:
        return WorkloadPlan()
    if desired.unreadable:
        return WorkloadPlan(why=f"not removed: {desired.unreadable[0].message}")
    if not seen.containers and seen.file is None:
        return WorkloadPlan(tuple(forgotten), why="its workload file is gone")
    record = seen.file.record if seen.file else None
    if record and record.source in desired.unsure:
        return WorkloadPlan(why=f"not removed: {record.source} does not say what it declares")
    other = next((one for one in desired.elsewhere if one.name == name), None)
    gone = f"it is not for this host: {other.reason}" if other else "its workload file is gone"
    actions: list[Action] = stop_sockets(seen)
    if seen.timer.loaded:
        actions.append(StopTimer(forget=True))
    if seen.unit.active_state != "inactive":
        actions.append(StopUnit())
    actions += removals(seen.containers)
    if reclaim := _reclaim(seen):
        actions.append(RemoveVolumes(reclaim))
    actions.append(RemoveNetworks())
    if rollout := memory.rollouts.get(name):
        problem = Problem("Removed", "the workload was removed during its rollout")
        actions.append(EndRollout(rollout.revision, "removed", problem))
    actions += [*forgotten, Note("removed", gone)]
    if seen.file:
        actions.append(RemoveUnits())
    if seen.timer.loaded:
        # The target still wants it, and `systemctl list-timers` would go on listing it.
        actions.append(DaemonReload())
    return WorkloadPlan(tuple(actions), why=f"remove: {gone}")


def _reclaim(seen: Seen) -> tuple[str, ...]:
    """The volumes to delete: what the unit says, or without one what the containers say."""
    if seen.file and seen.file.record:
        return seen.file.record.reclaim
    params = [c.params for c in seen.containers if c.params]
    return tuple(sorted({volume for p in params for volume in p.reclaim}))
