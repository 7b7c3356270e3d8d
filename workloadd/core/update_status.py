"""The condition that says whether a workload runs the newest image of its tags."""

from workloadd.core.updates import doorway, freshness
from workloadd.core.view import Finding, View


def up_to_date(view: View) -> list[Finding]:
    """`UpToDate`, for what is to be told of newer images, or has one here already."""
    spec = view.declared.spec if view.declared else None
    if spec is None or view.current is None or view.observed is None:
        return []
    found = freshness(spec, view.current, view.observed, view.memory)
    if spec.update.policy == "manual" and not found.newer:
        return []
    if found.newer:
        door = doorway(view.name, spec, view.memory, view.now)
        said = "; ".join(found.newer)
        if not door.open:
            return [Finding("UpToDate", "False", "Outdated", f"{said}; {door.why}")]
        if view.target == view.current.revision and not view.resolution.pulls:
            why = "it was rolled back, and is not tried again until there is a newer one"
            return [Finding("UpToDate", "False", "RolledBack", f"{said}; {why}")]
        return [Finding("UpToDate", "False", "Updating", said)]
    if told := (*found.failed, *found.unknown):
        reason = "CheckFailed" if found.failed else "NotChecked"
        return [Finding("UpToDate", "Unknown", reason, "; ".join(told))]
    return [Finding("UpToDate", "True", "Newest", "its images are the newest of their tags")]
