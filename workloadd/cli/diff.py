"""`workloadctl diff`: what a change would change, or has changed."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import click

from workloadd.cli import client, names
from workloadd.cli import output as output_
from workloadd.spec.text import printable

_DIFFERS = 1
_TROUBLE = 2
_SHORT = 12


class _Trouble(click.ClickException):
    """What keeps it from being found out."""

    exit_code = _TROUBLE


@click.command()
@click.argument("name", shell_complete=names.complete)
@click.argument("revision", required=False, default="")
@output_.option
@client.options
@click.pass_context
def diff(
    ctx: click.Context, name: str, revision: str, output: str, url: str | None, unix: str | None
) -> None:
    """Show how what serves differs from the file as it is now, field by field.

    With REVISION (or how it begins): how what serves differs from that one. Of variables, secrets
    and the content of files it is told that they changed, never their values.

    Exit status, as of diff(1): 0 where nothing differs, 1 where something does, 2 for trouble.
    """
    query = f"?{urlencode({'revision': revision})}" if revision else ""
    path = f"{client.workload_path(name)}/diff{query}"
    try:
        answer = client.get(path, "application/json", url, unix)
    except click.ClickException as error:
        raise _Trouble(error.message) from None
    if answer.status >= 400:
        raise _Trouble(client.problem(answer)[1])
    document = json.loads(answer.text)
    if output != "table":
        output_.show(document, output)
    elif not document["same"]:
        for line in _lines(document):
            click.echo(line)
    ctx.exit(0 if document["same"] else _DIFFERS)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield click.style(f"--- {_named(document['from'])}", bold=True)
    yield click.style(f"+++ {_named(document['to'])}", bold=True)
    for change in document["changes"]:
        where = change["field"]
        if change["hidden"]:
            yield click.style(f"~ {where} ({change['kind']})", fg="yellow")
            continue
        if change["kind"] != "added":
            yield click.style(f"- {where}: {printable(change['old'])}", fg="red")
        if change["kind"] != "removed":
            yield click.style(f"+ {where}: {printable(change['new'])}", fg="green")


def _named(one: dict[str, Any]) -> str:
    words = [one["what"], (one.get("revision") or "")[:_SHORT]]
    at = one.get("at")
    if at:
        words.append(f"of {at[:16].replace('T', ' ')} UTC")
    return " ".join(word for word in words if word)
