"""The status as plain text, for curl and `workloadctl status`. Pure: `now` is a parameter."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from workloadd.api import text_containers, text_runs
from workloadd.api.words import Column, clean, clean_line, columns, duration, sentence, since
from workloadd.core.names import SHORT
from workloadd.core.status import (
    Condition,
    Deployment,
    FileError,
    HostConditionStatus,
    SharedStatus,
    Status,
    WorkloadStatus,
    summary,
)
from workloadd.history.rows import RolloutRow
from workloadd.history.runs import RunRow

# Errors of one file that the table shows; the detail shows all.
_ERRORS = 5
_LOG_LINES = 20
_LABEL = 14

TABLE = (
    Column("NAME", 12),
    Column("STATE"),
    Column("FOR"),
    Column("RESTARTS"),
    Column("IMAGE", 14, end=True),
    Column("PORTS", 8),
)
_SHARED = (Column("SHARED", 12), Column("KIND"), Column("STATE"), Column("USED BY", 14))
_CONDITIONS = (Column("CONDITION"), Column("STATUS"), Column("FOR"), Column("REASON", 12))


def table(status: Status, now: datetime) -> str:
    """All workloads in 80 columns, and below it what is wrong and what to do about it."""
    lines = sentence(f"workloadd {status.version} for {status.user}: {summary_of(status)}")
    if status.workloads:
        lines += ["", *columns(TABLE, [row(w, now) for w in status.workloads])]
    for workload in status.workloads:
        if trouble := list(_trouble(workload)):
            serving = ", the last good deployment serves" if _serves_still(workload) else ""
            lines += ["", f"{clean(workload.name)} ({workload.state}){serving}:", *trouble]
    if shared := _shared(status):
        lines += ["", *columns(_SHARED, shared)]
    for one in (*status.networks, *status.volumes):
        if one.state not in ("Ready", "Making"):
            lines += ["", *_shared_trouble(one)]
    if wrong := list(_host(status)):
        lines += ["", *wrong]
    return _text(lines)


def detail(
    workload: WorkloadStatus,
    rollouts: Sequence[RolloutRow],
    now: datetime,
    runs: Sequence[RunRow] = (),
    uses: str = "",
) -> str:
    """Everything about one workload; `rollouts` and a job's `runs` come with the newest first.

    `uses` says what it uses of the host.
    """
    sections = (
        _head(workload, now, uses),
        text_containers.containers(workload.containers, now),
        _conditions(workload.conditions, now),
        text_containers.probes(workload.probes, now),
        _deployments(workload, now),
        [line for error in workload.errors for line in _file_error(error)],
        [line for error in workload.warnings for line in _file_error(error, "warning: ")],
        text_runs.runs(workload.job, runs, now),
        _rollouts(workload, rollouts, now),
    )
    return _text([line for section in sections if section for line in ("", *section)][1:])


def summary_of(status: Status) -> str:
    """How the workloads are, or why that cannot be told, in a sentence."""
    if status.passes.problem:
        return f"cannot tell how the workloads are: {status.passes.problem}"
    return summary(status) if status.passes.count else "the first pass is not done yet"


def row(workload: WorkloadStatus, now: datetime) -> tuple[str, ...]:
    """A workload's cells in the table."""
    image = workload.image.reference if workload.image else ""
    if not image and workload.current:
        image = workload.current.image
    return (
        workload.name,
        workload.state,
        _age(workload, now),
        str(workload.restarts),
        _short(image) + text_containers.more_images(workload.containers) or "-",
        " ".join(workload.ports) or "-",
    )


def _age(workload: WorkloadStatus, now: datetime) -> str:
    """How long it has been ready, or has not; systemd's own word outlives a daemon's restart."""
    ready = workload.condition("Ready")
    if workload.unit.active_since and ready and ready.status == "True":
        return since(workload.unit.active_since, now)
    return since(ready.since if ready else None, now)


def _short(image: str) -> str:
    """The reference with its digest shortened."""
    name, at, digest = image.partition("@")
    algorithm, _, value = digest.partition(":")
    return f"{name}@{algorithm}:{value[:SHORT]}" if at else name


def _trouble(workload: WorkloadStatus) -> Iterator[str]:
    """What keeps a workload from being as declared."""
    if workload.state == "Disabled":
        return
    for error in workload.errors[:_ERRORS]:
        yield from _file_error(error, indent=2)
    if (more := len(workload.errors) - _ERRORS) > 0:
        yield f"  and {more} more errors"
    if workload.message and not workload.errors:
        yield from sentence(workload.message, 2)


def _serves_still(workload: WorkloadStatus) -> bool:
    ready = workload.condition("Ready")
    return workload.state == "Degraded" and ready is not None and ready.status == "True"


def _shared(status: Status) -> list[tuple[str, ...]]:
    """Networks and volumes of files of their own."""
    of = (("network", status.networks), ("volume", status.volumes))
    return [
        (one.name, kind, one.state, ", ".join(one.used_by) or "-")
        for kind, all_ in of
        for one in all_
    ]


def _shared_trouble(shared: SharedStatus) -> Iterator[str]:
    yield f"{clean(shared.name)} ({shared.state}):"
    for error in shared.errors[:_ERRORS]:
        yield from _file_error(error, indent=2)
    if shared.message:
        yield from sentence(shared.message, 2)


def _file_error(error: FileError, what: str = "", indent: int = 0) -> Iterator[str]:
    where = f"{error.file}:{error.line}:{error.column}"
    yield from sentence(f"{where}: {what}{error.message}", indent, 2)
    if error.text:
        yield " " * (indent + 4) + clean_line(error.text)
    if error.hint:
        yield from sentence(f"hint: {error.hint}", indent + 2, 2)


def _host(status: Status) -> Iterator[str]:
    for other in status.elsewhere:
        yield from sentence(f"{clean(other.name)} is not for this host: {other.reason}", 0, 2)
    for problem in status.problems:
        yield from sentence(f"problem: {problem}", 0, 2)
    if status.reboot and status.reboot.message:
        yield from sentence(f"reboot, {status.reboot.state}: {status.reboot.message}", 0, 2)
    for condition in status.host:
        if condition.status != "True":
            yield from _host_condition(condition)


def _host_condition(condition: HostConditionStatus) -> Iterator[str]:
    doubt = "" if condition.status == "False" else " (not known)"
    yield from sentence(f"host, {condition.type}{doubt}: {condition.message}", 0, 2)
    if condition.fix:
        # Commands are there to be pasted, so they are never wrapped.
        yield f"  fix: {clean(condition.fix)}"


def _head(workload: WorkloadStatus, now: datetime, uses: str) -> list[str]:
    lines = sentence(f"{workload.name}: {workload.state} for {_age(workload, now)}")
    for text in (workload.description, "" if workload.errors else workload.message):
        if text:
            lines += sentence(text, 2)
    unit = workload.unit
    image = workload.image
    facts = (
        ("file", workload.source or "gone"),
        ("drop-ins", ", ".join(f for f in workload.files if f != workload.source)),
        ("in its shadow", ", ".join(workload.shadows)),
        ("image", image.reference if image else ""),
        ("digest", image.digest if image else ""),
        ("ports", " ".join(workload.ports)),
        *text_runs.facts(workload.job, now),
        ("file wants", workload.wanted.reference if workload.wanted else ""),
        ("unit", f"{unit.name}: {unit.active_state} ({unit.sub_state}), result {unit.result}"),
        ("restarts", str(workload.restarts)),
        ("uses", uses),
        ("last error", workload.last_error if workload.last_error != workload.message else ""),
    )
    return lines + [line for label, value in facts if value for line in _fact(label, value)]


def _fact(label: str, value: str) -> list[str]:
    first, *rest = sentence(value, _LABEL) or [""]
    return [f"{label:<{_LABEL}}{first[_LABEL:]}".rstrip(), *rest]


def _conditions(conditions: Iterable[Condition], now: datetime) -> list[str]:
    rows = [(c.type, c.status, since(c.since, now), c.reason) for c in conditions]
    if not rows:
        return []
    lines = columns(_CONDITIONS, rows)
    for index, condition in reversed(list(enumerate(conditions, 1))):
        if condition.status != "True" and condition.message:
            lines[index + 1 : index + 1] = sentence(condition.message, 4)
    return lines


def _deployments(workload: WorkloadStatus, now: datetime) -> list[str]:
    known = (
        ("next", workload.next),
        ("current", workload.current),
        ("previous", workload.previous),
        *(("older", one) for one in workload.older),
    )
    return [line for label, one in known if one for line in _deployment(label, one, now)]


def _deployment(label: str, one: Deployment, now: datetime) -> list[str]:
    state = one.state if one.exit_code is None else f"{one.state}, exit code {one.exit_code}"
    began = f", started {since(one.started, now)} ago" if one.started else ""
    return [
        *_fact(label, f"revision {one.revision[:SHORT]}, {state}{began}"),
        *_fact("", f"container {one.container[:SHORT]} {one.container_name}"),
        *_fact("", one.image),
        *_fact("", one.image_digest or one.image_id),
    ]


def _rollouts(workload: WorkloadStatus, rollouts: Sequence[RolloutRow], now: datetime) -> list[str]:
    lines: list[str] = []
    if workload.rollout:
        going = workload.rollout
        lines += _fact("rollout", f"{going.revision[:SHORT]}: {going.cause}; now: {going.step}")
    ended = next((r for r in rollouts if r.outcome), None)
    if ended is None:
        return lines
    ago = duration(now.timestamp() - ended.ended_at)
    said = f"{ended.revision[:SHORT]} {ended.outcome} {ago} ago: {ended.cause}"
    lines += _fact("last rollout", said)
    if ended.problem:
        lines += _fact("", f"{ended.problem.reason}: {ended.problem}")
    if ended.log:
        lines += ["", "last log lines of the container:"]
        lines += [f"  | {clean_line(line)}".rstrip() for line in ended.log[-_LOG_LINES:]]
    return lines


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
