"""Which lines of a workload file may be shown: those that cannot have a secret in them.

What belongs to a key that is known to hold none is shown, wherever in the file it stands: the keys
of a file that is YAML are known with their places. A file that is not even YAML need not have the
structure it was meant to have (the key `environment` may be what is damaged), so of such a file
only lines are shown that look like nothing else. Any other line is cut behind its key, or not shown
at all.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from pydantic import BaseModel

from workloadd.spec.catalogue import documents
from workloadd.spec.document import read_documents
from workloadd.spec.head import DocumentHead
from workloadd.spec.nodes import Document, Entry, FaultError, Node
from workloadd.spec.pod import PodContainer

Visible = Callable[[int], str]
"""What may be shown of the line with a 0-based index."""

_Place = tuple[int, int]

_CLOSED = {"environment", "secrets", "files", "instances", "containers"}
_MODELS: tuple[type[BaseModel], ...] = (DocumentHead, PodContainer, *documents())
_OPEN_KEYS = {name for model in _MODELS for name in model.model_fields} - _CLOSED

_KEY = re.compile(r"""(["']?)[A-Za-z_][\w.-]*\1""")
_LEAD = re.compile(r"[\s-]*")
_TOP_KEY = re.compile(r"""(["']?)([A-Za-z_][\w.-]*)\1\s*:(?:\s|$)""")
# What begins a top-level entry; items may stand below their key without an indentation.
_TOP = re.compile(r"(?!- )[^\s#]")
_NO_PAIR = re.compile(r"[^:=]*$")
# No second key on the line, no variable, and nothing that may be meant for another place.
_HARMLESS_VALUE = re.compile(r"(?!\s*[&*!])(?!.*(?:[{=#]|:(?:\s|$)))")
_COMMENT = re.compile(r"(?:^|\s)#")
_HARMLESS_ITEM = re.compile(r"""\s*-\s+["']?[^\s={]+["']?\s*$""")


def visible_lines(data: bytes, lines: Sequence[str]) -> Visible:
    """What may be shown of `lines`, which are those of `data`."""
    try:
        found = read_documents(data)
    except FaultError:
        return _Guess(lines).line
    if any(document.faults or not document.root.is_mapping for document in found):
        return _Guess(lines).line
    return _Known(lines, found).line


class _Known:
    """The lines of a file whose keys are known with their places."""

    def __init__(self, lines: Sequence[str], found: Sequence[Document]) -> None:
        self._lines = lines
        self._secret: dict[_Place, bool] = {}
        self._keys: set[_Place] = set()
        for document in found:
            self._root(document.root)
        self._hidden = set(self._covered())

    def line(self, index: int) -> str:
        line = self._lines[index]
        if index + 1 not in self._hidden:
            return _without_comment(line)
        lead = _LEAD.match(line)
        key = _KEY.match(line, lead.end()) if lead else None
        if lead and key and (index + 1, lead.end() + 1) in self._keys:
            return line[: key.end()]
        return ""

    def _root(self, root: Node) -> None:
        for key, entry in root.entries.items():
            if key != "containers":
                self._walk(entry, secret=key not in _OPEN_KEYS)
                continue
            self._note(entry, secret=False)
            for container in entry.node.entries.values():
                self._note(container, secret=not container.node.is_mapping)
                for name, field in container.node.entries.items():
                    self._walk(field, secret=name not in _OPEN_KEYS)

    def _walk(self, entry: Entry, secret: bool) -> None:
        if secret:
            self._keys.add((entry.line, entry.column))
        left = [entry]
        while left:
            one = left.pop()
            self._note(one, secret)
            left += one.node.entries.values()

    def _note(self, entry: Entry, secret: bool) -> None:
        # An alias leads to the same places again: what is a secret once is one.
        place = entry.line, entry.column
        self._secret[place] = self._secret.get(place, False) or secret

    def _covered(self) -> Iterator[int]:
        """The 1-based numbers of the lines from a secret entry to the next one."""
        places = sorted(self._secret)
        for place, following in zip(places, [*places[1:], (len(self._lines) + 1, 1)], strict=True):
            if self._secret[place]:
                yield from range(place[0], following[0])
                if self._is_shared(following):
                    yield following[0]

    def _is_shared(self, place: _Place) -> bool:
        """Whether something else stands before an entry on its line."""
        number, column = place
        before = self._lines[number - 1][: column - 1] if number <= len(self._lines) else ""
        return bool(before.strip(" \t-"))


def _without_comment(line: str) -> str:
    """What was written off may be anything, a variable with its value as well."""
    found = _COMMENT.search(line)
    return line[: found.start()] if found else line


class _Guess:
    """The lines of a file of which nothing is known."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def line(self, index: int) -> str:
        line = self._lines[index]
        at = next((at for at in range(index, 0, -1) if _TOP.match(self._lines[at])), 0)
        key = _TOP_KEY.match(self._lines[at])
        if key is None:
            return line if index == 0 and _NO_PAIR.match(line) else ""
        if key[2] in _OPEN_KEYS and self._is_plain(line, key if at == index else None):
            return line
        return line[: key.end(2)] if at == index else ""

    def _is_plain(self, line: str, key: re.Match[str] | None) -> bool:
        """Whether nothing but one key and its value, or an item below it, can be on the line."""
        found = _HARMLESS_VALUE.match(line, key.end()) if key else _HARMLESS_ITEM.match(line)
        return bool(found)
