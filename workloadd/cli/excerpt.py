"""The offending line of a workload file with a caret below it; never a value of `environment`.

A file with an error need not have the structure it was meant to have, so this goes by lines: one is
shown where it belongs to a top-level key that is known not to hold secrets, and is otherwise cut
behind the offending key, or not shown at all.
"""

import re
from collections.abc import Sequence

from workloadd.spec.errors import SpecError
from workloadd.spec.model import WorkloadSpec

_OPEN_KEYS = frozenset(WorkloadSpec.model_fields) - {"environment"}
_TOP_KEY = re.compile(r"""(["']?)([A-Za-z_][\w.-]*)\1\s*:(?:\s|$)""")
_ENVIRONMENT = re.compile(r"\benv(?!_file\b)", re.IGNORECASE)
_WIDTH = 96


def excerpt(lines: Sequence[str], error: SpecError) -> list[str]:
    """The line and the caret, or nothing where the line may hold a secret."""
    if not 1 <= error.line <= len(lines):
        return []
    line = _visible(lines, error)
    if not line.strip() or error.column > len(line) + 1:
        return []
    before = line[: error.column - 1].expandtabs(4)
    text = line.expandtabs(4)
    start = max(0, len(before) - _WIDTH * 2 // 3)
    shown = text[start : start + _WIDTH].rstrip()
    return ["".join(c if c.isprintable() else "\ufffd" for c in shown), _caret(before[start:])]


def _caret(before: str) -> str:
    return " " * len(before) + "^"


def _visible(lines: Sequence[str], error: SpecError) -> str:
    """What of the line may be shown."""
    line = lines[error.line - 1]
    owner = _owner(lines, error.line - 1)
    if owner is None:
        return "" if ":" in line or "=" in line else line
    key = _TOP_KEY.match(lines[owner])
    region = lines[owner : error.line]
    if key and key[2] in _OPEN_KEYS and not any(map(_ENVIRONMENT.search, region)):
        return line
    return line[: key.end(2)] if key and owner == error.line - 1 else ""


def _owner(lines: Sequence[str], index: int) -> int | None:
    """The line of the top-level key that line `index` belongs to."""
    return next((i for i in range(index, -1, -1) if _TOP_KEY.match(lines[i])), None)
