"""What the documents show: blocks of commands, of files, and the notes to their tests.

In a block of `console`, `$ ` is a person who may use sudo, `# ` is root, and `workloads$ ` the
workloads' user; what stands below a command is what it prints, where that is shown. A line that
is only `…` stands for any lines, within a line for any text. A last line `^C` interrupts it. In a
block of anything else, a first line such as `# /etc/workloadd/workloads.d/web.yaml` says which
file it is. Comments before a block, which no reader sees, say what its test has to know:
`<!-- exit: 3 -->` of its last command, `<!-- not run: WHY -->`, and, from `<!-- unseen:` to `-->`,
what is typed on the way that nobody has to read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "contrib/docs"

# Blocks of these are commands; these are files, or parts of files; and these are for looking at.
COMMANDS = ("console", "sh")
FILES = ("yaml", "yaml+jinja", "toml", "ini", "json")
SHOWN = ("text", "mermaid", "promql")

_FENCE = re.compile(r"^```(.*)$")
_NOTE = re.compile(r"^<!-- (not run|exit): (.+) -->$")
_NAMED = re.compile(r"^# ((?:/|~/|\w)[\w./@~-]*\.[a-z]+)(?:\s.*)?$")
_PROMPT = re.compile(r"^(\$|#|workloads\$) (.*)$")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")

USERS = {"$": "you", "#": "root", "workloads$": "workloads"}


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody types, and what they are shown."""

    user: str
    text: str
    shown: tuple[str, ...]
    line: int
    exit: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document."""

    page: Path
    line: int
    language: str
    lines: tuple[str, ...]
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file(self) -> str:
        """The name of the file that it is, or ""."""
        named = _NAMED.match(self.lines[0]) if self.lines else None
        return named[1] if named and self.language != "console" else ""

    @property
    def text(self) -> str:
        """Its content."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def not_run(self) -> str:
        """Why it is not run, or ""."""
        return self.notes.get("not run", "")

    def commands(self) -> list[Command]:
        """What is typed in it, in order."""
        if self.language not in COMMANDS or self.file:
            return []
        prompted = self.lines if self.language == "console" else _prompted(self.lines)
        found = list(_commands(prompted, self.line + 1))
        if found and "exit" in self.notes:
            last = found[-1]
            code = int(self.notes["exit"])
            found[-1] = Command(last.user, last.text, last.shown, last.line, code)
        return found


def pages() -> list[Path]:
    """All documents."""
    return [ROOT / "README.md", ROOT / "examples/README.md", *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a document."""
    found: list[Block] = []
    notes: dict[str, str] = {}
    opened: tuple[int, str] | None = None
    content: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if opened:
            if line in ("```", "-->"):
                found.append(Block(page, opened[0], opened[1], tuple(content), notes))
                opened, notes = None, {}
            else:
                content.append(line)
        elif fence := _FENCE.match(line.lstrip()):
            assert line == line.lstrip() or fence[1] in ("", *SHOWN), f"{page}:{number}: indented"
            opened, content = (number, fence[1]) if line == line.lstrip() else None, []
        elif line == "<!-- unseen:":
            opened, content = (number, "console"), []
        elif note := _NOTE.match(line):
            notes = notes | {note[1]: note[2]}
        elif line:
            notes = {}
    assert not opened, f"{page}: a block does not end"
    return found


def _prompted(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Lines of a script as a person types them."""
    return tuple(f"$ {line}" for line in lines if line and not line.startswith("#"))


def _commands(lines: tuple[str, ...], number: int) -> Iterator[Command]:
    """Each command with what is shown below it."""
    at = 0
    while at < len(lines):
        prompt = _PROMPT.match(lines[at])
        assert prompt, f"line {number + at}: output without a command: {lines[at]}"
        began, text = at, prompt[2]
        while not _whole(text):
            at += 1
            assert at < len(lines), f"line {number + began}: the command does not end: {text}"
            text += f"\n{lines[at]}"
        at += 1
        shown = []
        while at < len(lines) and not _PROMPT.match(lines[at]):
            shown.append(lines[at])
            at += 1
        yield Command(USERS[prompt[1]], text, tuple(shown), number + began)


def _whole(text: str) -> bool:
    """Whether a shell would take this for a whole command."""
    if text.endswith("\\"):
        return False
    if heredoc := _HEREDOC.search(text):
        return text.splitlines()[-1] == heredoc[2]
    outside = re.sub(r"\\.|\"[^\"]*\"|'[^']*'|(?<!\S)#.*", "", text)
    return not re.search(r"[\"']", outside)


# What differs from one time to the next, in what is shown as in what is printed.
_MOMENT = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC)?"
_VARIES = {
    "moment": _MOMENT,
    "day": r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b(?! *[.,-])",
    "spell": r"\b(?:\d+(?:\.\d+)?(?:ms|[dhms]))+\b",
    "seconds": r"\b\d+(?:\.\d+)? m?s\b",
    "id": r"\b(?=[0-9a-f]*[a-f])(?=[a-f]*\d)[0-9a-f]{7,64}\b",
    "run": r"\(run \d+\)",
}
_VARYING = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _VARIES.items()))


def matches(shown: tuple[str, ...], printed: str) -> bool:
    """Whether that is what was to be expected, times and IDs apart."""
    rule = "".join(_rule(line) for line in shown)
    lines = [_even(line) for line in printed.splitlines()]
    return re.fullmatch(rule, "".join(f"{line}\n" for line in lines if line)) is not None


def _rule(line: str) -> str:
    """A line that is shown, as a pattern of those that may be printed."""
    line = _even(line)
    if line in ("", "…"):
        return "(?:.*\n)*?" if line else ""
    parts, end = [], 0
    for found in _VARYING.finditer(line):
        assert found.lastgroup
        parts += [_text(line[end : found.start()]), f"(?:{_VARIES[found.lastgroup]})"]
        end = found.end()
    return "".join((*parts, _text(line[end:]), "\n"))


def _text(text: str) -> str:
    return ".*".join(re.escape(part) for part in text.split("…"))


def _even(line: str) -> str:
    """Columns are as wide as what is in them."""
    return " ".join(line.split())
