"""What holds of a workload and what does not: its conditions, and the one word for it all."""

from collections.abc import Mapping

from workloadd.core.actions import RestartUnit, StartUnit
from workloadd.core.dependencies import waits_in_pod
from workloadd.core.deployment import DeployedPart
from workloadd.core.drain import is_drained
from workloadd.core.errors import Problem
from workloadd.core.hand_status import held_finding, held_words, resting_state
from workloadd.core.job_status import job_of_view, job_ready, job_state
from workloadd.core.liveness import alive_finding
from workloadd.core.names import SHORT
from workloadd.core.readiness import lacks
from workloadd.core.rollout import KILLED_FOR_MEMORY, of_part, socket_problem
from workloadd.core.status import State
from workloadd.core.update_status import up_to_date
from workloadd.core.view import Finding, View, trouble_of


def findings(view: View) -> dict[str, Finding]:
    """The conditions of a workload by type, in the order in which they come about."""
    reloaded = _reloaded(view)
    found = [_loaded(view), _pulled(view), *_dependencies(view), _deployed(view), _ready(view)]
    found += [one for one in (reloaded, alive_finding(view)) if one]
    found += up_to_date(view)
    return {finding.type: finding for finding in (*found, _converged(view, reloaded))}


def _loaded(view: View) -> Finding:
    if view.declared is None:
        return Finding("Loaded", "False", "FileGone", "its workload file is gone")
    if view.declared.errors:
        first, more = view.declared.errors[0], len(view.declared.errors) - 1
        also = f" (and {more} more)" if more else ""
        return Finding("Loaded", "False", "InvalidFile", f"{first}{also}")
    if view.declared.problems:
        problem = view.declared.problems[0]
        return Finding("Loaded", "False", problem.reason, str(problem))
    return Finding("Loaded", "True", "Loaded", f"loaded {view.declared.path}")


def _pulled(view: View) -> Finding:
    revision, problem = view.resolution.revision, view.resolution.problem
    if revision:
        pinned = [
            f"{p.spec.image} is {p.image.digest}" for p in revision.parts if p.spec and p.image
        ]
        return Finding("Pulled", "True", "Present", "; ".join(pinned))
    if view.declared is None or view.declared.spec is None or view.declared.problems:
        return Finding("Pulled", "Unknown", "NoSpec", "there is no valid spec to pull for")
    if problem and problem.reason != "Pulling":
        return Finding("Pulled", "False", problem.reason, str(problem))
    return Finding("Pulled", "False", "Pulling", problem.message if problem else "")


def _dependencies(view: View) -> list[Finding]:
    """Whether all is there that it waits for; nothing where it waits for nothing."""
    lacking = [*view.waiting.lacking]
    current = view.current
    inner = [waits_in_pod(current, one, view.memory) for one in current.parts] if current else []
    lacking += [said for one in inner for said in one.lacking]
    if not view.waiting.standings and not any(one.standings for one in inner):
        return []
    if lacking:
        return [Finding("Dependencies", "False", "WaitingFor", f"it needs {', '.join(lacking)}")]
    return [Finding("Dependencies", "True", "Met", "all that it waits for is there")]


def _deployed(view: View) -> Finding:
    if held := held_finding(view):
        return held
    problem = _obstacle(view)
    if problem:
        return Finding("Deployed", "False", problem.reason, str(problem))
    if not view.target:
        serving = view.current is not None and view.container is not None
        said = "the last good deployment stays" if serving else "nothing is deployed"
        return Finding("Deployed", "Unknown", "NotResolved", said)
    if view.current and view.current.revision == view.target and view.current.complete:
        return Finding("Deployed", "True", "Deployed", f"revision {view.target[:SHORT]}")
    return Finding("Deployed", "False", "RollingOut", view.step or view.plan.why)


def _obstacle(view: View) -> Problem | None:
    """What keeps the wanted revision from being deployed, if anything does."""
    if view.seen.file and view.seen.file.problem:
        return view.seen.file.problem
    if problem := _name_taken(view):
        return problem
    bad = view.memory.bad.get((view.name, view.target))
    if bad:
        said = f"revision {view.target[:SHORT]} was rolled back: {bad.problem.message}"
        return Problem("RolledBack", said, bad.problem.hint)
    attempt = view.memory.attempts.get(view.name)
    if attempt and attempt.revision == view.target:
        return attempt.problem
    return view.resolution.obstacle


def _name_taken(view: View) -> Problem | None:
    """Something else has a name that the workload needs."""
    revision, current = view.resolution.revision, view.current
    parts = revision.made_of if revision else current.made_of if current else ()
    taken = view.seen.taken(view.name, parts)
    if not taken:
        return None
    return Problem(
        "NameTaken",
        f"cannot deploy: a container or pod named {taken} exists that is not workloadd's",
        f"rename it (podman rename {taken} NEW-NAME), or remove it where it is a pod",
    )


def _reloaded(view: View) -> Finding | None:
    """Whether containers were told of files that changed under them; None where none can."""
    attempt = view.memory.attempts.get(view.name)
    if attempt and view.target and attempt.revision.startswith(f"{view.target}+"):
        return Finding("Reloaded", "False", attempt.problem.reason, str(attempt.problem))
    parts = view.resolution.revision.parts if view.resolution.revision else ()
    if any(file.live for part in parts if part.spec for file in part.spec.files.values()):
        return Finding("Reloaded", "True", "Applied", "its files are as they are declared")
    return None


def _ready(view: View) -> Finding:
    if job := job_of_view(view):
        return job_ready(view, job)
    current = view.current
    if current is None or view.container is None:
        return Finding("Ready", "False", "NotDeployed", "no container is deployed")
    if not current.listening:
        problem = socket_problem(current)
        said = str(problem) if problem else "its socket does not listen"
        return Finding("Ready", "False", "NotListening", said)
    if current.asleep:
        return Finding("Ready", "True", "Listening", "listening, starts on the first connection")
    down = next((part for part in current.parts if not part.up), None)
    if down is not None:
        reason = "OOMKilled" if down.oom else "NotRunning"
        return Finding("Ready", "False", reason, _down(down))
    for part in current.parts:
        if part.container and (lack := lacks(part.container, view.memory.health)):
            said = f"{of_part(part.name)}{lack.message}"
            return Finding("Ready", "False", lack.reason, said)
    if any(c.state == "running" for c in current.containers):
        what = "its unit is active and its container runs"
        many = "its units are active and its containers run"
        return Finding("Ready", "True", "Running", many if len(current.parts) > 1 else what)
    return Finding("Ready", "True", "Completed", "it ran to its end, exit code 0")


def _down(part: DeployedPart) -> str:
    """What keeps a part from being up, in words."""
    unit, container = part.unit, part.container
    if container is None:
        return f"{of_part(part.name)}it is gone"
    said = f"unit {unit.active_state} ({unit.result}), container {container.state}"
    if container.exited_at and not container.running:
        said += f", exit code {container.exit_code}"
    if part.oom:
        said = f"{KILLED_FOR_MEMORY}: {said}"
    return f"{of_part(part.name)}{said}"


def _converged(view: View, reloaded: Finding | None) -> Finding:
    if view.step is not None:
        return Finding("Converged", "False", "Working", view.step)
    if not view.plan.empty:
        return Finding("Converged", "False", "Working", view.plan.why)
    if is_drained(view.name, view.declared, view.seen, view.memory) and view.plan.why:
        return Finding("Converged", "False", "Drained", view.plan.why)
    if view.unproven:
        return Finding("Converged", "False", "Verifying", view.plan.why)
    behind = view.target and not (view.current and view.current.revision == view.target)
    behind = behind and not view.held
    untold = reloaded is not None and reloaded.status == "False"
    if behind or untold or _unresolved(view):
        return Finding("Converged", "False", "Blocked", view.plan.why)
    return Finding("Converged", "True", "Converged", "nothing to do")


def _unresolved(view: View) -> bool:
    enabled = view.declared and (view.declared.spec is None or view.declared.spec.enabled)
    return bool(enabled) and view.resolution.revision is None


def state_of(view: View, findings: Mapping[str, Finding]) -> tuple[State, str]:
    """The one word for a workload, and the sentence that says why."""
    if view.seen.unit.masked:
        return "Paused", "its unit is masked; unmask it to have workloadd manage it again"
    if rests := resting_state(view, findings):
        return rests
    if view.declared is None:
        problem = view.seen.file.problem if view.seen.file else None
        return "Removing", str(problem) if problem else "its workload file is gone"
    if view.declared.spec and not view.declared.spec.enabled:
        return "Disabled", "the file says enabled: false"
    if is_drained(view.name, view.declared, view.seen, view.memory):
        return "Drained", view.plan.why or view.memory.lock.why
    if job := job_of_view(view):
        begun = bool(view.memory.runs.get(view.name))
        if view.waiting.lacking and not job.scheduled and not begun:
            return "Waiting", view.waiting.message
        return job_state(view, findings, job)
    serving = findings["Ready"].status == "True"
    trouble = trouble_of(findings)
    if view.waiting.lacking and not serving and view.step is None and not trouble:
        return "Waiting", view.waiting.message
    if _rolling_out(view) and not (serving and trouble):
        return "RollingOut", view.step or view.plan.why or "verifying"
    if serving:
        if trouble:
            return "Degraded", trouble
        if findings["Pulled"].reason == "Pulling":
            return "RollingOut", findings["Pulled"].message
        state, message = _serving(findings["Ready"])
        return state, message or held_words(view)
    return _not_serving(view, findings, trouble)


def _serving(ready: Finding) -> tuple[State, str]:
    if ready.reason == "Completed":
        return "Completed", ""
    return "Ready", ready.message if ready.reason == "Listening" else ""


def _rolling_out(view: View) -> bool:
    """Whether something is being done, or a deployment has yet to prove itself."""
    if view.step is not None:
        return True
    if view.current is None or not view.unproven:
        return False
    last = view.memory.last.get(view.name)
    given_up = last and last.outcome == "failed" and last.revision == view.current.revision
    return view.name in view.memory.rollouts or not given_up


# It runs: what it lacks, its probes say.
_UNREADY: Mapping[str, State] = {"Starting": "Waiting", "NotReady": "NotReady"}


def _not_serving(view: View, findings: Mapping[str, Finding], trouble: str) -> tuple[State, str]:
    if findings["Loaded"].status == "False":
        return "Invalid", findings["Loaded"].message
    alive = findings.get("Alive")
    if alive and alive.reason == "Relapsing":
        return "Degraded", alive.message
    if trouble:
        return "Failed", trouble
    if findings["Pulled"].reason == "Pulling":
        return "Pulling", findings["Pulled"].message
    if view.container is None:
        return "Waiting", view.plan.why or findings["Deployed"].message
    down = [part for part in view.current.parts if not part.up] if view.current else []
    # What waits for one that is started again and again will not come.
    broken = any(part.unit.restarts or part.unit.active_state == "failed" for part in down)
    begun = any(isinstance(action, StartUnit | RestartUnit) for action in view.plan.actions)
    if not broken and (begun or any(part.starting for part in down)):
        return "RollingOut", "it is being started"
    ready = findings["Ready"]
    return _UNREADY.get(ready.reason, "Failed"), ready.message
