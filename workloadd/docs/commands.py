"""What `workloadctl` can be told, as its own help says it."""

from collections.abc import Iterator

from workloadd.cli.main import main

_HEAD = """\
# workloadctl

What `workloadctl --help` says, for reading. Colours are for terminals only, and off where
`NO_COLOR` is set.

| exit status | meaning |
|---|---|
| 0 | all is well; each command says below what that is |
| 1 | it is not: a file is wrong, nothing was found, or the daemon did not answer |
| 2 | the call is wrong: an unknown option, a file that is not there |
| 3 | `status` only: something is not as declared, or not yet |
"""


def markdown() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *_sections()])


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
