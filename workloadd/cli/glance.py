"""What `status --watch` shows on a terminal: as much as fits, with what is in trouble first.

Pure: `now`, the size and what is known are parameters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workloadd.api.text import TABLE, row, summary_of
from workloadd.api.words import clean, columns
from workloadd.core.status import SETTLED, Status, WorkloadStatus

# Lines for what is wrong with the host, above the table.
_HOST_LINES = 3
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of which the first `fixed` stay where they are when one scrolls."""

    lines: Sequence[str]
    fixed: int


class Known:
    """The status, from the events that were heard."""

    def __init__(self) -> None:
        self._host: Mapping[str, Any] = {}
        self._workloads: dict[str, WorkloadStatus] = {}

    def hear(self, kind: str, document: Any) -> None:
        """One of the daemon's events."""
        match kind:
            case "reset" if document.get("workloads") is not None:
                here = set(document["workloads"])
                self._workloads = {n: w for n, w in self._workloads.items() if n in here}
            case "workload":
                found = WorkloadStatus.model_validate(document)
                self._workloads[found.name] = found
            case "gone":
                self._workloads.pop(document["name"], None)
            case "host":
                self._host = document

    def status(self) -> Status | None:
        """All that is known; None before the daemon has said anything."""
        if not self._host:
            return None
        found = sorted(self._workloads.values(), key=lambda one: one.name)
        return Status.model_validate({**self._host, "workloads": tuple(found)})


def page(status: Status, now: datetime, width: int) -> Page:
    """All workloads, those in trouble first."""
    head = [f"workloadd {status.version} for {status.user}: {summary_of(status)}"]
    head += list(_host(status))[:_HOST_LINES]
    ordered = sorted(status.workloads, key=lambda one: (one.state in SETTLED, one.name))
    titles, *rows = columns(TABLE, [row(one, now) for one in ordered], width)
    body = [
        line for one, told in zip(ordered, rows, strict=True) for line in (told, *_trouble(one))
    ]
    lines = [cut(clean(line), width) for line in head]
    lines += [""] if not ordered else ["", cut(titles, width)]
    return Page([*lines, *(cut(line, width) for line in body)], len(lines))


def _trouble(workload: WorkloadStatus) -> Iterator[str]:
    """In one line why it is not as declared."""
    said = workload.message
    if workload.errors:
        first = workload.errors[0]
        said = f"{first.file}:{first.line}:{first.column}: {first.message}"
    if workload.state not in SETTLED and said:
        yield " " * _INDENT + clean(said)


def _host(status: Status) -> Iterator[str]:
    for condition in status.host:
        if condition.status == "False":
            yield f"host, {condition.type}: {condition.message}"
    for problem in status.problems:
        yield f"problem: {problem}"


def cut(line: str, width: int) -> str:
    """A line that is no longer than that."""
    return line if len(line) <= width else line[: width - 1] + "…"


def window(shown: Page, height: int, skip: int, note: str = "") -> tuple[list[str], int]:
    """As much as fits from the line `skip` on, and how far was skipped really.

    The last line is for a `note`, or says what is left out; without either it is not there.
    """
    fixed, rest = list(shown.lines[: shown.fixed]), list(shown.lines[shown.fixed :])
    fits = len(shown.lines) + bool(note) <= height
    room = max(1, height - len(fixed) - (not fits or bool(note)))
    skip = max(0, min(skip, len(rest) - room))
    below = len(rest) - skip - room
    foot = [f"… {skip} lines above, {max(below, 0)} below (arrow keys; q ends)"] if not fits else []
    foot = [note] if note else foot
    return [*fixed, *rest[skip : skip + room], *foot][:height], skip
