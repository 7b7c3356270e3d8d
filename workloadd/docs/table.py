"""Which documents there are, and what makes each."""

from collections.abc import Callable, Mapping

from workloadd.docs import api, commands, man, reference, rollout, settings
from workloadd.spec.schema import schema_text

DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/api.md": api.markdown,
    "docs/reference.md": reference.markdown,
    "docs/rollouts.md": rollout.markdown,
    "docs/settings.md": settings.markdown,
    "docs/workloadctl.md": commands.markdown,
    "man/workloadctl.1": man.page,
    "openapi.json": api.openapi_text,
    "schema/workload.schema.json": schema_text,
}
"""By their path below contrib/."""
