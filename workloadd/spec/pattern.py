"""Regular expressions that a workload file has for what a container answers.

They are RE2's (github.com/google/re2/wiki/Syntax): whatever the pattern and the text, a search
takes time in proportion to the text, where Python's `re` may take for ever.
"""

from __future__ import annotations

import re2

from workloadd.spec.problems import reject
from workloadd.spec.text import as_line, bounded, excerpt

MAX_PATTERN = 1024
# Bytes that a pattern may become, and that a search may remember.
_MEMORY = 256 * 1024
_SYNTAX = (
    "put a backslash before what is meant literally; the syntax is RE2's, "
    "which has no back references and no lookaround"
)


def parse_pattern(value: object) -> str:
    """A pattern as it stands in a file."""
    text = bounded(value, MAX_PATTERN) if isinstance(value, str) else as_line(value)
    try:
        _compiled(text)
    except re2.error as caught:
        why = excerpt(caught.args[0].decode(errors="replace"))
        raise reject("BadValue", f"it is not a regular expression: {why}", _SYNTAX) from None
    return text


def is_found(pattern: str, text: bytes) -> bool:
    """Whether a pattern matches somewhere in a text, of which a last line break is no end.

    Blocks, but RE2 lets other threads run meanwhile.
    """
    compiled, shorter = _compiled(pattern), text.removesuffix(b"\n")
    return bool(compiled.search(text) or (shorter != text and compiled.search(shorter)))


def _compiled(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    options.never_capture = True
    return re2.compile(pattern, options)
