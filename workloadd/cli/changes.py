"""What applying files changes in them, shown without what may be secret."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from workloadd.cli.excerpt import Source
from workloadd.cli.given import Given
from workloadd.host.placing import Placing
from workloadd.sources.files import MAX_BYTES, shown
from workloadd.spec.text import printable


@dataclass(frozen=True, slots=True)
class Change:
    """A file, and what stands in its place: None for nothing, or for no regular file."""

    given: Given
    path: str
    before: bytes | None

    @property
    def changed(self) -> bool:
        """Whether it differs."""
        return self.before != self.given.content

    @property
    def kind(self) -> str:
        """What happens to it: created, changed or unchanged."""
        if self.before is None:
            return "created"
        return "changed" if self.changed else "unchanged"

    def word(self, dry: bool) -> str:
        """The same for people; `dry` where it only would be."""
        return f"would be {self.kind}" if dry and self.changed else self.kind

    def document(self, differ: bool) -> dict[str, Any]:
        """As JSON has it."""
        found = {"path": self.path, "source": self.given.source, "change": self.kind}
        return {**found, "diff": list(self.diff())} if differ else found

    def diff(self) -> Iterator[str]:
        """The lines that differ, as diff -u has them, and those around them."""
        old, new = Source.of(self.before or b""), Source.of(self.given.content)
        before = old.lines if self.before else ()
        matcher = SequenceMatcher(None, before, new.lines, autojunk=False)
        for group in matcher.get_grouped_opcodes():
            (_, first, _, other, _), (_, _, last, _, other_last) = group[0], group[-1]
            yield f"@@ -{_range(first, last)} +{_range(other, other_last)} @@"
            for kind, i, i_end, j, j_end in group:
                if kind == "equal":
                    yield from _lines(" ", old, range(i, i_end))
                    continue
                yield from _lines("-", old, range(i, i_end))
                yield from _lines("+", new, range(j, j_end))


def changes(given: Sequence[Given], placing: Placing) -> list[Change]:
    """What each of the files would change. Raises `OSError`."""
    # One byte more than a workload file may have: what is longer differs from all that are given.
    return [
        Change(
            one, shown(placing.path.joinpath(*one.target)), placing.read(one.target, MAX_BYTES + 1)
        )
        for one in given
    ]


def _range(first: int, end: int) -> str:
    length = end - first
    return f"{first + 1 if length else first},{length}"


def _lines(mark: str, source: Source, numbers: range) -> Iterator[str]:
    for number in numbers:
        line, visible = source.lines[number], source.visible(number)
        hidden = "" if visible == line else " …"
        yield f"{mark}{printable(visible)}{hidden}"
