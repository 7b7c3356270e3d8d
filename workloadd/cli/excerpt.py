"""The offending line of a workload file with a caret below it; never a value of `environment`.

A line is shown where it belongs to a top-level key that is known not to hold secrets. A file that
is not even YAML need not have the structure it was meant to have (the key `environment` may be
what is damaged), so of such a file only lines are shown that look like nothing else. Any other line
is cut behind the offending key, or not shown at all.
"""

import re
from dataclasses import dataclass

from workloadd.spec.document import read_documents
from workloadd.spec.errors import SpecError
from workloadd.spec.model import ServiceSpec
from workloadd.spec.nodes import FaultError

_OPEN_KEYS = frozenset(ServiceSpec.model_fields) - {"environment"}
_TOP_KEY = re.compile(r"""(["']?)([A-Za-z_][\w.-]*)\1\s*:(?:\s|$)""")
# What begins a top-level entry; items may stand below their key without an indentation.
_TOP = re.compile(r"(?!- )[^\s#]")
_NO_PAIR = re.compile(r"[^:=]*$")
# No second key on the line, and no variable.
_HARMLESS_VALUE = re.compile(r"(?!.*(?:[{=]|:(?:\s|$)))")
_HARMLESS_ITEM = re.compile(r"""\s*-\s+["']?[^\s={]+["']?\s*$""")
# What YAML counts as the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Source:
    """The lines of a workload file, and whether they are YAML."""

    lines: tuple[str, ...] = ()
    is_yaml: bool = False

    @classmethod
    def of(cls, data: bytes) -> "Source":
        """The source in the bytes of a file."""
        lines = tuple(_BREAK.split(data.decode("utf-8-sig", "replace")))
        try:
            documents = read_documents(data)
        except FaultError:
            return cls(lines, is_yaml=False)
        return cls(lines, is_yaml=all(one.root.is_mapping for one in documents))

    def excerpt(self, error: SpecError) -> list[str]:
        """The offending line and the caret, or nothing where the line may hold a secret."""
        if not 1 <= error.line <= len(self.lines):
            return []
        line = self._visible(error.line - 1)
        if not line.strip() or error.column > len(line) + 1:
            return []
        before = line[: error.column - 1].expandtabs(4)
        start = max(0, len(before) - _WIDTH * 2 // 3)
        shown = line.expandtabs(4)[start : start + _WIDTH].rstrip()
        caret = " " * len(before[start:]) + "^"
        return ["".join(c if c.isprintable() else "\ufffd" for c in shown), caret]

    def _visible(self, index: int) -> str:
        """What of a line may be shown."""
        line = self.lines[index]
        at = self._owner(index)
        key = _TOP_KEY.match(self.lines[at])
        if key is None:
            return line if index == 0 and not self.is_yaml and _NO_PAIR.match(line) else ""
        if key[2] in _OPEN_KEYS and (self._is_plain(line) if at == index else self._is_below(line)):
            return line
        return line[: key.end(2)] if at == index else ""

    def _is_plain(self, line: str) -> bool:
        """Whether nothing but one key and its value can be on the line."""
        key = _TOP_KEY.match(line)
        return key is not None and bool(_HARMLESS_VALUE.match(line, key.end()))

    def _is_below(self, line: str) -> bool:
        """Whether a line below a key that holds no secrets belongs to that key."""
        return self.is_yaml or bool(_HARMLESS_ITEM.match(line))

    def _owner(self, index: int) -> int:
        """The line where the top-level entry begins to which line `index` belongs."""
        return next((at for at in range(index, 0, -1) if _TOP.match(self.lines[at])), 0)
