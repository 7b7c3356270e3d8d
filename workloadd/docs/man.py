"""workloadctl(1), from what its own help says."""

import inspect
import re
from collections.abc import Iterable, Iterator

import click

from workloadd.cli import codes
from workloadd.cli.main import main

_ENVIRONMENT = {
    "NO_COLOR": "No colours, on a terminal either.",
    "WORKLOADD_URL": "Where to ask the daemon, in place of its socket.",
    "WORKLOADD_ROOT": "Put before /usr/lib, /etc and /run.",
    "XDG_RUNTIME_DIR": "Where the daemon's socket is: workloadd/workloadd.sock.",
}
_FILES = {
    "/etc/workloadd/workloads.d": "Workload files of the administrator.",
    "~/.config/workloadd/workloads.d": "Workload files of the user that they run as.",
}


def page() -> str:
    """The whole page."""
    lines = ['.TH WORKLOADCTL 1 "" "workloadd" "User Commands"', *_head(), ".SH COMMANDS"]
    top = main.make_context("workloadctl", [], resilient_parsing=True)
    for verb in main.list_commands(top):
        if command := main.get_command(top, verb):
            lines += _command(command, click.Context(command, parent=top, info_name=verb))
    lines += [".SH OPTIONS", *_options(main, top)]
    lines += [".SH EXIT STATUS", *_tagged({str(c): m for c, m in codes.MEANINGS.items()})]
    lines += [".SH ENVIRONMENT", *_tagged(_ENVIRONMENT), ".SH FILES", *_tagged(_FILES)]
    lines += [".SH SEE ALSO", ".BR podman (1),", ".BR systemd.unit (5),", ".BR journalctl (1)"]
    return "\n".join(lines) + "\n"


def _head() -> Iterator[str]:
    yield from (".SH NAME", r"workloadctl \- containers declared as files, and how they are")
    yield from (
        ".SH SYNOPSIS",
        ".B workloadctl",
        r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]",
    )
    yield from (".SH DESCRIPTION", *_text(main.help or ""), ".PP", *_text(main.epilog or ""))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {_escaped(f'{context.info_name} {usage}')}"
    yield from _text(command.help or "")
    yield from _options(command, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            names, said = record
            yield from (".TP", f".B {_escaped(names)}", *_plain(said))


def _text(text: str) -> Iterator[str]:
    """Paragraphs, of which those that begin with \\b keep their lines, as in click."""
    for number, block in enumerate(re.split(r"\n\s*\n", inspect.cleandoc(text))):
        if number:
            yield ".PP"
        if block.startswith("\b"):
            yield from (".nf", *_plain(block.removeprefix("\b").strip("\n")), ".fi")
        else:
            yield from _plain(block)


def _plain(text: str) -> Iterator[str]:
    return (_line(line) for line in text.splitlines())


def _line(line: str) -> str:
    """One that roff takes for text."""
    escaped = _escaped(line)
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(text: str) -> str:
    """`text` with what means something to roff taken for itself; hyphens are those of commands."""
    for mark, said in (("\\", r"\e"), ("-", r"\-"), ("…", "..."), ("“", r"\(lq"), ("”", r"\(rq")):
        text = text.replace(mark, said)
    return text.replace("`", "")


def _tagged(items: dict[str, str]) -> Iterable[str]:
    for name, meaning in items.items():
        yield from (".TP", f".B {_escaped(name)}", *_plain(meaning))
