"""Which documents there are, and what makes each."""

from collections.abc import Callable, Mapping

from workloadd.docs import commands, reference, rollout, settings
from workloadd.spec.schema import schema_text

DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/reference.md": reference.markdown,
    "docs/rollouts.md": rollout.markdown,
    "docs/settings.md": settings.markdown,
    "docs/workloadctl.md": commands.markdown,
    "schema/workload.schema.json": schema_text,
}
"""By their path below contrib/."""
