"""Files that change under containers which stay."""

from collections.abc import Iterator

from workloadd.core.actions import Note, ReplaceFiles, WorkloadPlan
from workloadd.core.case import Case
from workloadd.core.deployment import Current
from workloadd.core.given import applied


def bring_files(case: Case, current: Current) -> WorkloadPlan | None:
    """The plan that gives the current deployment the contents that are declared now, if need be.

    Only of the declared revision itself: what an older one has stays as that needs it.
    """
    actions = tuple(_replacements(case, current))
    if not actions:
        return None
    changed = sorted({path for action in actions for path in action.changed})
    note = Note("files", f"changed without a new container: {', '.join(changed)}")
    return WorkloadPlan((*actions, note), why=note.message)


def _replacements(case: Case, current: Current) -> Iterator[ReplaceFiles]:
    wanted = case.wanted
    if wanted is None or wanted.digest != current.revision:
        return
    parts = {part.name: part for part in wanted.parts}
    for deployed in current.parts:
        part, container = parts.get(deployed.name), deployed.container
        if part is None or part.spec is None or container is None:
            continue
        files = applied(part.inputs.files, part.spec.files)
        changed = tuple(
            path for path, digest in files.items() if container.live.get(path) != digest
        )
        if changed or container.live.keys() - files.keys():
            yield ReplaceFiles(wanted, part.name, container.id, changed, tell=container.running)
