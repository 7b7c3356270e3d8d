"""`-o`: how an answer is told, to people or to programs."""

import functools
import json
from collections.abc import Callable
from typing import Any

import click

FORMS = ("table", "json", "yaml")


def option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `-o`, which becomes the parameter `output`, and `--json`, the same as -o json."""

    @functools.wraps(command)
    def told(*arguments: Any, as_json: bool, output: str, **options: Any) -> Any:
        return command(*arguments, output="json" if as_json else output, **options)

    short = click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
    form = click.option(
        "-o", "--output", type=click.Choice(FORMS), default="table", show_default=True,
        help="For people, or for programs.",
    )  # fmt: skip
    return form(short(told))


def show(document: Any, output: str) -> None:
    """A document, as a program reads it."""
    if output == "yaml":
        import yaml

        plain = json.loads(json.dumps(document))
        click.echo(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
