"""What `workloadctl` can be told, as its own help says it."""

from collections.abc import Iterator

from workloadd.cli import codes
from workloadd.cli.main import main

_HEAD = """\
# workloadctl

What `workloadctl --help` says, for reading. Colours are for terminals only, and off where
`NO_COLOR` is set.

The exit statuses are the same for all commands, and stay what they are:

| exit status | meaning |
|---|---|
"""


def markdown() -> str:
    """The whole document."""
    statuses = "".join(f"| {code} | {meaning} |\n" for code, meaning in codes.MEANINGS.items())
    return "\n".join([_HEAD + statuses, *_sections()])


def _sections() -> Iterator[str]:
    # The width is that of the page, not that of whoever makes it.
    top = main.make_context("workloadctl", [], resilient_parsing=True, terminal_width=88)
    yield _block(main.get_help(top))
    for verb in main.list_commands(top):
        if command := main.get_command(top, verb):
            context = command.make_context(verb, [], parent=top, resilient_parsing=True)
            yield f"## `workloadctl {verb}`\n"
            yield _block(command.get_help(context))


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```\n"
