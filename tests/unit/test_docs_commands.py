"""No command in a document slips by its test, and no link leads nowhere."""

import re
from pathlib import Path

import click
import pytest

from tests.documents import (
    COMMANDS,
    DOCS,
    FILES,
    ROOT,
    SHOWN,
    Block,
    Command,
    blocks,
    matches,
    pages,
)
from workloadd.cli.main import main as cli

# Why commands are not run: all there are, so that it is seen when there is one more.
NOT_RUN = {
    "README.md": 2,
    "contrib/docs/access.md": 1,
    "contrib/docs/howto/limits.md": 1,
    "contrib/docs/howto/maintenance.md": 1,
    "contrib/docs/howto/migrate.md": 1,
    "contrib/docs/howto/private-registry.md": 1,
    "contrib/docs/howto/prometheus.md": 1,
    "contrib/docs/howto/web-server.md": 1,
    "contrib/docs/secrets-files.md": 1,
}
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^(\$|#|workloads\$) \S")

PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]
OURS = [page for page in pages() if page.is_relative_to(DOCS) or page == ROOT / "README.md"]


@pytest.mark.parametrize("page", OURS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_of_a_known_kind(page: Path) -> None:
    for block in blocks(page):
        assert block.language in (*COMMANDS, *FILES, *SHOWN), block.place
        if block.language in COMMANDS:
            assert block.file or block.commands(), f"{block.place}: no command"
        else:
            said = [line for line in block.lines[1:] if _COMMAND.match(line)]
            assert block.language in FILES or not said, f"{block.place}: commands: {said}"


def test_what_is_not_run_is_known() -> None:
    found: dict[str, int] = {}
    for page in OURS:
        for block in blocks(page):
            if block.not_run:
                name = str(page.relative_to(ROOT))
                found[name] = found.get(name, 0) + 1
    assert found == NOT_RUN


def anchors(text: str) -> set[str]:
    """What a link may lead to in a document, as GitHub makes it."""
    titles = re.findall(r"^#+ (.*)$", _FENCED.sub("", text), re.MULTILINE)
    plain = (re.sub(r"[^\w -]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", t)) for t in titles)
    made = {title.strip().lower().replace(" ", "-") for title in plain}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCED.sub("", page.read_text())):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: there is no {target}"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{link}: no such heading"


def test_the_index_leads_to_all_of_them() -> None:
    index = DOCS / "README.md"
    text = _FENCED.sub("", index.read_text())
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in _LINK.findall(text)}
    assert set(DOCS.rglob("*.md")) - {index} <= linked


def _block(language: str, *lines: str) -> Block:
    return Block(DOCS / "x.md", 1, language, lines)


def test_commands_are_told_from_what_they_print() -> None:
    found = _block(
        "console",
        "$ cat > x <<'END'",
        "$ not a command",
        "END",
        '# echo "two',
        'lines"',
        "two",
        "lines",
        "workloads$ podman ps \\",
        "    --all   # what's there",
    ).commands()
    assert found == [
        Command("you", "cat > x <<'END'\n$ not a command\nEND", (), 2),
        Command("root", 'echo "two\nlines"', ("two", "lines"), 5),
        Command("workloads", "podman ps \\\n    --all   # what's there", (), 9),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("web  Ready  12s", "web   Ready  1h3m\n", True),
        ("web  Ready  12s", "web   Failed  1h3m\n", False),
        (
            "2026-11-24T20:02:32.379Z at 8d2f0a61c5be",
            "2030-01-01T00:00:00.1Z at 0abcdef12345",
            True,
        ),
        ("one\n…\nfive", "one\ntwo\nthree\n\nfive\n", True),
        ("one\n…\nfive", "one\nfive\n", True),
        ("one\n…\nfive", "one\n", False),
        ("cannot pull …: why", "cannot pull x/y:1: why", True),
        ("next run  2026-11-25 02:30:00 UTC", "next run  2026-11-26 02:30:00 UTC", True),
        ("after 3.4 s (run 13)", "after 12 ms (run 2)", True),
        ("a.b", "axb", False),
    ],
)
def test_what_is_shown_need_not_be_the_same_to_the_letter(
    shown: str, printed: str, same: bool
) -> None:
    assert matches(tuple(shown.splitlines()), printed) is same


# In the text of a page, and among the examples that `--help` ends with.
_MENTIONED = re.compile(
    r"(?:`(?:sudo )?|^ {4}(?:sudo )?)workloadctl ([a-z]+)((?: [^`\n]*?)??)(?:`|  |$)", re.M
)


def mentioned() -> set[tuple[str, str]]:
    """The commands that are not typed, but named: verb and what follows it."""
    return {(m[1], m[2]) for page in pages() for m in _MENTIONED.finditer(page.read_text())}


@pytest.mark.parametrize(("verb", "rest"), sorted(mentioned()))
def test_what_is_only_named_is_there_too(verb: str, rest: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command, f"there is no workloadctl {verb}"
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    asked = re.findall(r"(?<=[ \[])--?[a-z][a-z-]*", rest.partition(" -- ")[0])
    long = {option for option in asked if option.startswith("--")}
    short = {f"-{letter}" for option in asked if option not in long for letter in option[1:]}
    assert long | short <= known | {"--help", "-h"}
