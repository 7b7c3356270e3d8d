"""The commit record in the header of a workload's own unit (systemd ignores sections whose name
begins with X-, systemd.syntax(7)).

Renaming such a file into place is the commit point of a rollout, so the record is read back from
it, and a checksum tells a header that was edited by hand from one of ours.
"""

import hashlib
from collections.abc import Iterable, Iterator

from workloadd.core.observed import Ids, UnitRecord

_SECTION = "[X-Workloadd]"
# Between two deployments.
_BETWEEN = " / "


def render_record(record: UnitRecord) -> list[str]:
    """The lines of the section."""
    fields = [
        f"Workload={record.workload}",
        f"Revision={record.revision}",
        f"Containers={_written(record.containers)}",
        f"Previous={_written(record.previous)}",
        *([f"Older={_BETWEEN.join(map(_written, record.older))}"] if record.older else []),
        *([f"Trial={_written(record.trial)}"] if record.trial else []),
        f"Source={record.source}",
        f"Description={record.description}",
        f"Reclaim={' '.join(record.reclaim)}",
        f"Disabled={'yes' if record.disabled else 'no'}",
    ]
    return [_SECTION, *fields, f"Checksum={_checksum(fields)}"]


def parse_record(text: str) -> UnitRecord | None:
    """The commit record in a unit's text; None where it is not ours or its header was edited.

    What another version wrote is ours too: fields that we do not know are passed over, and
    those that it did not know have their defaults.
    """
    fields = [line for line in _section(text) if "=" in line]
    values = dict(line.split("=", 1) for line in fields)
    checksum = values.pop("Checksum", "")
    if checksum != _checksum(line for line in fields if not line.startswith("Checksum=")):
        return None
    containers = _read(values.get("Containers", ""))
    if not (values.get("Workload") and values.get("Revision") and containers):
        return None
    return UnitRecord(
        workload=values["Workload"],
        revision=values["Revision"],
        containers=containers,
        previous=_read(values.get("Previous", "")),
        older=tuple(filter(None, map(_read, values.get("Older", "").split(_BETWEEN)))),
        trial=_read(values.get("Trial", "")),
        source=values.get("Source", ""),
        description=values.get("Description", ""),
        reclaim=tuple(values.get("Reclaim", "").split()),
        disabled=values.get("Disabled") == "yes",
    )


def _section(text: str) -> Iterator[str]:
    """The lines of our section."""
    inside = False
    for line in text.splitlines():
        if line.startswith("["):
            inside = line == _SECTION
        elif inside:
            yield line


def _written(ids: Ids) -> str:
    return " ".join(f"{part}:{container}" for part, container in ids)


def _read(text: str) -> Ids:
    pairs = [word.partition(":") for word in text.split()]
    return tuple((part, container) for part, _, container in pairs if container)


def _checksum(fields: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(fields).encode()).hexdigest()
