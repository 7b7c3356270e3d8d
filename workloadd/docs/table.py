"""Which documents there are, and what makes each."""

from collections.abc import Callable, Mapping

from workloadd.docs import settings
from workloadd.spec.schema import schema_text

DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/settings.md": settings.markdown,
    "schema/workload.schema.json": schema_text,
}
"""By their path below contrib/."""
