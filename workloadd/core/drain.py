"""Stopping the workloads for a reboot of the host, and what has to end before that may begin."""

from collections.abc import Collection, Iterator, Mapping

from workloadd.core.actions import (
    Action,
    BeginRollout,
    Note,
    Plan,
    StopContainer,
    StopTimer,
    StopUnit,
    WorkloadPlan,
)
from workloadd.core.desired import Declared, Desired
from workloadd.core.fleetlock import Lock, Look
from workloadd.core.job_runs import retrying, run_is_on
from workloadd.core.memory import Memory
from workloadd.core.observed import Observed, Seen
from workloadd.core.on_demand import stop_sockets
from workloadd.core.revision import UnitParams
from workloadd.core.world import World
from workloadd.spec.job import JobSpec


def is_drained(name: str, declared: Declared | None, seen: Seen, memory: Memory) -> bool:
    """Whether a workload is to be stopped for a reboot: all that are kept running at all."""
    return memory.lock.drains and _is_kept(name, declared, seen, memory)


def _is_kept(name: str, declared: Declared | None, seen: Seen, memory: Memory) -> bool:
    if declared is None or (declared.spec is not None and not declared.spec.enabled):
        return False
    by_hand = any(memory.hand(name, kind) for kind in ("pause", "stop"))
    return not (by_hand or seen.unit.masked or (seen.file and seen.file.problem))


def _kept(desired: Desired, observed: Observed, memory: Memory) -> frozenset[str]:
    found = desired.workloads.items()
    seen = observed.workloads
    return frozenset(n for n, d in found if _is_kept(n, d, seen.get(n, Seen()), memory))


def drain(declared: Declared, seen: Seen, lock: Lock) -> WorkloadPlan:
    """Stop a workload, and begin nothing new. That it is its turn is for the caller to see."""
    if inhibits(declared, seen):
        return WorkloadPlan(why=f"{lock.why}, once its run has ended")
    actions: list[Action] = [StopTimer()] if seen.timer.active else []
    actions += stop_sockets(seen)
    if seen.unit.active_state in ("active", "activating", "reloading") and not _ended(seen):
        actions.append(StopUnit())
    elif seen.unit.active_state != "deactivating":
        running = [c for c in seen.containers if c.running]
        stops = ((c.id, (c.params or UnitParams()).stop_timeout) for c in running)
        actions += [StopContainer(container, timeout) for container, timeout in stops]
    note = [Note("drained", lock.why)] if actions else []
    return WorkloadPlan((*note, *actions), why=lock.why)


def is_stopped(seen: Seen) -> bool:
    """Whether nothing of a workload runs or is about to."""
    if any(c.running for c in seen.containers):
        return False
    units = (seen.timer, *seen.sockets.values(), *(() if _ended(seen) else seen.units.values()))
    return all(unit.active_state in ("inactive", "failed") and not unit.job for unit in units)


def _ended(seen: Seen) -> bool:
    """Whether all of it ran to its end: stopped, its unit would be started again."""
    states = {(unit.active_state, unit.sub_state) for unit in seen.units.values()}
    return states == {("active", "exited")} and not any(c.running for c in seen.containers)


def inhibits(declared: Declared | None, seen: Seen) -> bool:
    """Whether a run is on that no reboot may interrupt; one that is to be tried again counts."""
    return _inhibit_reboot(declared, seen) and (run_is_on(seen) or retrying(seen))


def _inhibit_reboot(declared: Declared | None, seen: Seen) -> bool:
    """By the file; while that is wrong, by what is deployed."""
    if declared and declared.spec:
        return isinstance(declared.spec, JobSpec) and declared.spec.inhibit_reboot
    jobs = (c.params.job for c in seen.containers if c.params)
    return any(job is not None and job.inhibit_reboot for job in jobs)


def look(world: World, plan: Plan, busy: Collection[str]) -> Look:
    """What a pass saw, and what it is about to do."""
    names = _kept(world.desired, world.observed, world.memory)
    stopped = [name for name in names if name not in busy and is_stopped(world.seen(name))]
    lock = world.memory.lock
    began = lock.began if lock.drains else 0.0
    found = tuple(_hindrances(world, plan.workloads, busy))
    return Look(found, len(stopped), len(names), began)


def _hindrances(
    world: World, plans: Mapping[str, WorkloadPlan], busy: Collection[str]
) -> Iterator[str]:
    """What must not be interrupted, in words."""
    for name in sorted({*world.desired.workloads, *world.observed.workloads}):
        if inhibits(world.desired.workloads.get(name), world.seen(name)):
            yield f"a run of {name} is on, which says inhibit_reboot"
        elif said := _rollout(name, world, plans.get(name), name in busy):
            yield f"a rollout of {name} {said}"


def _rollout(name: str, world: World, plan: WorkloadPlan | None, busy: bool) -> str:
    """How far a rollout is that goes on; one that only waits for others does not count.

    That of a job lasts as long as its run, for which inhibit_reboot is there.
    """
    declared, memory = world.desired.workloads.get(name), world.memory
    if declared and isinstance(declared.spec, JobSpec):
        return ""
    begins = plan is not None and any(isinstance(a, BeginRollout) for a in plan.actions)
    if begins or (busy and name in memory.rollouts):
        return "is being prepared"
    if name not in memory.rollouts:
        return ""
    current = world.current(name)
    if current and (current.unproven or current.trial):
        return "has yet to prove itself"
    return "goes on" if plan and plan.actions else ""
