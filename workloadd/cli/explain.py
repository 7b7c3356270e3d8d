"""`workloadctl explain`: what may be written in a workload file, and what it means."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from workloadd.cli import output as output_
from workloadd.spec.introspect import FieldDoc, ModelDoc, kinds
from workloadd.spec.lookup import Foreign, Found, Group, find, groups, hint, of_quadlet
from workloadd.spec.text import quote
from workloadd.spec.written import yaml_of

_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
_EXAMPLES = """\b
Examples:
  workloadctl explain                        all fields, one line each
  workloadctl explain ports                  a field, with examples
  workloadctl explain volumes.create         a key of what a field holds
  workloadctl explain containers.NAME.init   a key of a pod's containers
  workloadctl explain network                all fields of a kind
  workloadctl explain PublishPort            what says a key of Quadlet's
"""


def _complete(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """For the shell: fields, and the keys within one as soon as it is written out."""
    dotted = dict.fromkeys(field.dotted for kind in kinds() for field in kind.walk())
    return [one for one in dotted if one.startswith(begun) and "." not in one[len(begun) :]]


@click.command(epilog=_EXAMPLES)
@click.argument("field", required=False, shell_complete=_complete)
@output_.option
def explain(field: str | None, output: str) -> None:
    """Explain FIELD of a workload file, or list all fields.

    Exit status: 0 where there is such a field, 1 where there is none, 2 for a wrong call.
    """
    if field is None:
        _list(groups(), output)
        return
    path = tuple(field.strip(".").split("."))
    if found := find(path):
        _explain(found, output)
    elif of_kind := [group for group in groups() if field in group.places]:
        _list(of_kind, output)
    elif foreign := of_quadlet(field):
        _translate(field, foreign, output)
    else:
        tip = hint(path)
        raise click.ClickException(
            f"cannot explain {quote(field)}: there is no such field"
            + (f"\n    hint: {tip}" if tip else "")
        )


def _list(listed: Sequence[Group], output: str) -> None:
    if output != "table":
        output_.show(_groups(listed), output)
    else:
        click.echo("\n".join(_overview(listed)))


def _explain(found: Sequence[Found], output: str) -> None:
    if output != "table":
        output_.show([_document(one.field) | {"places": one.places} for one in found], output)
    else:
        click.echo("\n\n".join("\n".join(_detail(one)) for one in found))


def _translate(key: str, foreign: Sequence[Foreign], output: str) -> None:
    """A key of Quadlet: its fields, or why there are none."""
    if output != "table":
        output_.show([_translation(one) for one in foreign], output)
        return
    for one in foreign:
        sections = ", ".join(f"[{section}]" for section in one.sections)
        said = f"there is no field for it: {one.reason}" if one.reason else "is said by"
        head = f"{key} of Quadlet's {sections}{':' if one.reason else ''} {said}"
        click.echo(textwrap.fill(head, _width()))
        for found in one.fields:
            click.echo("\n" + "\n".join(_detail(found)))
        click.echo()


def _translation(foreign: Foreign) -> dict[str, object]:
    fields = [_document(one.field) for one in foreign.fields]
    return {"sections": foreign.sections, "reason": foreign.reason or None, "fields": fields}


def _overview(listed: Iterable[Group]) -> Iterator[str]:
    for group in listed:
        yield click.style(f"{group.title}: {', '.join(group.places)}", bold=True)
        yield from _table(group.fields)
        yield ""
    yield "For more of one: workloadctl explain FIELD"


def _table(fields: tuple[FieldDoc, ...]) -> Iterator[str]:
    """A line for each, cut to the width of a terminal."""
    width = max((len(field.name) for field in fields), default=0) + 2
    room = max(_width() - width - 2, 20) if sys.stdout.isatty() else None
    for field in fields:
        first = _SENTENCE.split(field.description, maxsplit=1)[0].removesuffix(".")
        short = first if room is None or len(first) <= room else first[: room - 1].rstrip() + "…"
        yield f"  {click.style(field.name.ljust(width), fg='cyan')}{short}"


def _detail(found: Found) -> Iterator[str]:
    field = found.field
    yield f"{click.style(field.dotted, fg='cyan', bold=True)}: {field.form}"
    yield from textwrap.wrap(
        field.description, _width(), initial_indent="  ", subsequent_indent="  "
    )
    yield ""
    for fact in _facts(found):
        yield f"  {fact.name:9}{fact.value}"
    for example in field.examples:
        yield ""
        yield from textwrap.indent(yaml_of(field.sample(example)), "    ").splitlines()
    for part in field.parts:
        yield ""
        yield f"  {_heading(part)}"
        yield from (f"  {line}" for line in _table(_own_fields(part)))


def _own_fields(part: ModelDoc) -> tuple[FieldDoc, ...]:
    """Without those that the overview has, as a container's."""
    listed = {group.model for group in groups()} - {part.model}
    return tuple(field for field in part.fields if field.owner not in listed)


@dataclass(frozen=True, slots=True)
class _Fact:
    name: str
    value: str


def _facts(found: Found) -> Iterator[_Fact]:
    yield _Fact("in", ", ".join(found.places))
    if found.tag:
        yield _Fact("with", found.tag)
    if found.field.required:
        yield _Fact("required", "yes")
    elif found.field.default:
        yield _Fact("default", found.field.default)
    if found.field.podman:
        yield _Fact("needs", f"Podman {found.field.podman} or newer")
    if found.field.quadlet:
        yield _Fact("Quadlet", ", ".join(found.field.quadlet))


def _heading(part: ModelDoc) -> str:
    owners = {field.owner for field in part.fields} - {part.model}
    also = [group.title for group in groups() if group.model in owners]
    tag = f" with {part.tag}" if part.tag else ""
    has = f" Beside the fields of {', '.join(also)}:" if also else ""
    return click.style(f"A mapping{tag}: {part.summary}{has}", bold=True)


def _groups(listed: Iterable[Group]) -> list[dict[str, object]]:
    return [
        {
            "group": group.title,
            "summary": group.summary,
            "places": group.places,
            "fields": [_document(field) for field in group.fields],
        }
        for group in listed
    ]


def _document(field: FieldDoc) -> dict[str, object]:
    return {
        "field": field.dotted,
        "form": field.form,
        "required": field.required,
        "default": field.default or None,
        "description": field.description,
        "examples": field.examples,
        "podman": field.podman or None,
        "quadlet": field.quadlet,
        "fields": [
            {"with": part.tag or None, "fields": [_document(inner) for inner in part.fields]}
            for part in field.parts
        ],
    }


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 100)
