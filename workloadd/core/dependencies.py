"""What a workload waits for: how its dependencies are, and what that means for its start.

A dependency gates the start only. What runs already goes on whatever becomes of it later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from workloadd.core.deployment import Current, DeployedPart, completed
from workloadd.core.desired import Declared
from workloadd.core.memory import Memory
from workloadd.core.names import unit_part
from workloadd.core.readiness import lacks
from workloadd.core.revision import Need, Revision
from workloadd.core.runs import Run
from workloadd.core.world import World
from workloadd.spec.job import JobSpec


@dataclass(frozen=True, slots=True)
class Standing:
    """How something is that others wait for.

    `why` is what it lacks, as the end of a sentence. `replaced_at` is when the containers of its
    current deployment, which has proved itself, were made; `since` when it came up or ended
    (seconds since the epoch, 0.0 where that is not known).
    """

    started: bool = False
    healthy: bool = False
    completed: bool = False
    why: str = ""
    replaced_at: float = 0.0
    since: float = 0.0

    def lacks(self, need: Need) -> str:
        """Why a need is not met yet, empty where it is."""
        if {
            "started": self.started,
            "healthy": self.healthy,
            "completed": self.completed,
        }[need.condition]:
            return ""
        said = self.why or f"not {need.condition} yet"
        return f"{need.name} ({said})"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What keeps a workload from being started: sentences, and since when nothing does."""

    lacking: tuple[str, ...] = ()
    since: float = 0.0
    # By name: what it waits for, where it is there.
    standings: Mapping[str, Standing] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What it waits for, in words; empty where there is nothing."""
        return f"waits for {', '.join(self.lacking)}" if self.lacking else ""


NOTHING = Waiting()


def waiting_to_replace(wanted: Revision | None, world: World) -> Waiting:
    """What a revision waits for that is to be rolled out.

    Of what was changed along with it, it is the new revision that has to have run to its end.
    """
    return _waiting(wanted.parts[0].params.depends_on, world, anew=True) if wanted else NOTHING


def waiting_to_start(current: Current | None, world: World) -> Waiting:
    """What the current deployment waits for, whatever its file says by now."""
    params = current.container.params if current and current.container else None
    return _waiting(params.depends_on, world, anew=False) if params else NOTHING


def _waiting(needs: tuple[Need, ...], world: World, *, anew: bool) -> Waiting:
    if not needs:
        return NOTHING
    found = {need.name: standing(need.name, world, anew=anew) for need in needs}
    lacking = tuple(said for need in needs if (said := found[need.name].lacks(need)))
    return Waiting(lacking, max(one.since for one in found.values()), found)


def standing(name: str, world: World, *, anew: bool = False) -> Standing:
    """How a workload is that others wait for; `anew`: what ended counts in its declared revision
    only."""
    desired, memory = world.desired, world.memory
    declared, seen = desired.workloads.get(name), world.seen(name)
    if declared is None:
        other = next((one for one in desired.elsewhere if one.name == name), None)
        why = f"it is not for this host: {other.reason}" if other else "there is no such workload"
        return Standing(why=why)
    if declared.spec and not declared.spec.enabled:
        return Standing(why="it is disabled")
    stop = memory.hand(name, "stop")
    if stop and not any(c.running for c in seen.containers):
        return Standing(why=f"it was stopped {stop.words}")
    current = world.current(name)
    if current is None or current.container is None:
        return Standing(why=_undeployed(declared, world))
    job = isinstance(declared.spec, JobSpec) or _is_job(current)
    found = _of_job(memory.runs.get(name, ()), current) if job else _of_service(current, memory)
    if anew and found.completed and _is_behind(declared, current, world):
        return replace(found, completed=False, why="its new revision has not run yet")
    return found


def _undeployed(declared: Declared, world: World) -> str:
    """Why nothing of a workload is deployed, as the end of a sentence."""
    if declared.errors or declared.problems:
        return "its file is wrong"
    attempt = world.memory.attempts.get(declared.name)
    resolution = world.resolution(declared.name)
    problem = resolution.problem or resolution.obstacle or (attempt.problem if attempt else None)
    return problem.message if problem else "it is not deployed yet"


def _is_behind(declared: Declared, current: Current, world: World) -> bool:
    """Whether a right file asks for something else than what is deployed."""
    if declared.spec is None:
        return False
    wanted = world.resolution(declared.name).revision
    return wanted is None or wanted.digest != current.revision


def _is_job(current: Current) -> bool:
    params = current.container.params if current.container else None
    return params is not None and params.job is not None


def _of_job(runs: tuple[Run, ...], current: Current) -> Standing:
    """A job has started once it ran, and is done once its last run succeeded."""
    last = next((run for run in runs if run.revision == current.revision), None)
    if last is None:
        return Standing(why="it has not run yet")
    done = last.outcome == "succeeded"
    why = "" if done or last.on else f"its run {last.words}"
    return Standing(
        started=True,
        healthy=done,
        completed=done,
        why=why or ("" if done else "it runs"),
        replaced_at=_first_run(runs, current.revision),
        since=last.ended_at or last.started_at,
    )


def _first_run(runs: tuple[Run, ...], revision: str) -> float:
    """When a job began that runs once for each revision; a run at a time, or by hand, replaces
    nothing."""
    own = (run for run in runs if run.revision == revision and run.trigger == "revision")
    return min((run.started_at for run in own), default=0.0)


def _of_service(current: Current, memory: Memory) -> Standing:
    down = next((part for part in current.parts if not part.up), None)
    since = max(part.unit.active_since for part in current.parts)
    made = 0.0 if current.unproven else _made(current)
    if current.asleep:
        # A connection starts it.
        return Standing(started=True, healthy=True, replaced_at=made, since=since)
    if down is not None or not current.listening:
        state = down.unit.active_state if down else "not listening"
        return Standing(why=f"it is {state}", replaced_at=made)
    unready = _unready(current.parts, memory)
    ended = all(
        part.infra or (part.container and completed(part.container, part.unit))
        for part in current.parts
    )
    return Standing(
        started=True,
        healthy=not unready,
        completed=ended,
        why=unready,
        replaced_at=made,
        since=since,
    )


def standing_of_part(part: DeployedPart, memory: Memory) -> Standing:
    """How a container of a pod is that others of it wait for."""
    container = part.container
    if container is None:
        return Standing(why="it is gone")
    ended = completed(container, part.unit)
    since = container.exited_at if ended else part.unit.active_since
    unready = _unready((part,), memory)
    return Standing(
        started=part.up,
        healthy=part.up and not unready,
        completed=ended,
        why="" if part.up and not unready else unready or f"it is {part.unit.active_state}",
        replaced_at=container.created_at,
        since=since,
    )


def _unready(parts: Iterable[DeployedPart], memory: Memory) -> str:
    """What a probe says against it; what has none is ready as soon as it runs."""
    found = (lacks(part.container, memory.health) for part in parts if part.container)
    return next((lack.message for lack in found if lack), "")


def _made(current: Current) -> float:
    return max((c.created_at for c in current.containers), default=0.0)


def waits_in_pod(current: Current, part: DeployedPart, memory: Memory) -> Waiting:
    """What a container of a pod waits for among the others."""
    params = part.container.params if part.container else None
    if params is None or not unit_part(part.name) or not params.depends_on:
        return NOTHING
    others = {one.name: standing_of_part(one, memory) for one in current.parts}
    found = {n.name: others[n.name] for n in params.depends_on if n.name in others}
    lacking = tuple(
        said for n in params.depends_on if n.name in found and (said := found[n.name].lacks(n))
    )
    return Waiting(lacking, max((one.since for one in found.values()), default=0.0), found)
