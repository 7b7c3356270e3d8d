"""The reference of workload files, made from their models."""

from collections.abc import Collection, Iterable, Iterator

from workloadd.spec.advice import RULES
from workloadd.spec.introspect import CONTAINERS, NAME, FieldDoc, ModelDoc
from workloadd.spec.lookup import Group, groups, kinds_of_section
from workloadd.spec.quadlet import SECTIONS, Place, Why
from workloadd.spec.written import inline, yaml_of

_HEAD = """\
# What may be written in a workload file

A workload file is YAML 1.2: `NAME.yaml` in one of the directories that the README names. What is
not said has a default; an unknown key is an error. The same in the terminal: `workloadctl explain`.
For editors there is [a JSON Schema](../schema/workload.schema.json), which `workloadctl schema`
prints; an editor with yaml-language-server finds it by a line at the top of a workload file:

```text
# yaml-language-server: $schema=/home/me/.config/workload.schema.json
```

- **A size** is a number of bytes or has a suffix: `512m`, `1.5g`, `64KiB`; all are 1024-based.
- **A duration** is a number of seconds or has suffixes: `500ms`, `10s`, `1m30s`, `2h`.
- **An octal mode** is written `0755` or `0o755`.
- `$$` in a value stands for one `$`.
- A number in quotes is text; `yes`, `no`, `on` and `off` are text as well.
"""

_WARNINGS = """\
## Warnings

What works, and is better said otherwise, is a warning: in the status, and with its line and advice
from `workloadctl validate`, which `--strict` makes fail then.

An image without its registry is no warning but an error: a short name means what the host's
`registries.conf` says, another image on each host. So is what would damage the host: `z` or `Z` on
`/`, `/etc`, `/usr`, a home directory and the like.
"""

_QUADLET = """\
## Quadlet's keys

Every key of Podman's own units, and what says it in a workload file, or why nothing does. Keys of
`[Build]` are not among them: images are built elsewhere. What `[Unit]`, `[Service]` and `[Install]`
say follows from the workload; drop-ins of `systemctl --user edit` are honoured.
"""


def markdown() -> str:
    """The whole document."""
    sections = [line for group in groups() for line in _group(group)]
    return "\n".join([_HEAD, *_contents(), *sections, *_warnings(), *_quadlet()]).rstrip() + "\n"


def _contents() -> Iterator[str]:
    for group in groups():
        title = _title(group)
        fields = ", ".join(f"[`{f.name}`](#{_anchor(group, f)})" for f in group.fields)
        yield f"- [{title}](#{title.lower().replace(' ', '-')}): {fields}"
    yield "- [Warnings](#warnings)"
    yield "- [Quadlet's keys](#quadlets-keys)"
    yield ""


def _group(group: Group) -> Iterator[str]:
    yield f"## {_title(group)}"
    yield ""
    yield f"{group.summary} In: {', '.join(_place(place) for place in group.places)}."
    yield ""
    for field in group.fields:
        yield f'<a id="{_anchor(group, field)}"></a>'
        yield f"### `{field.name}`"
        yield ""
        yield from _field(field)


def _field(field: FieldDoc) -> Iterator[str]:
    yield f"*{_facts(field)}*"
    yield ""
    yield field.description
    yield ""
    yield "```yaml"
    yield "\n# or\n".join(yaml_of(field.sample(example)) for example in field.examples)
    yield "```"
    yield ""
    for part in field.parts:
        if fields := [inner for inner in part.fields if inner.owner not in _LISTED]:
            yield from _part(part, fields)


def _part(part: ModelDoc, fields: list[FieldDoc]) -> Iterator[str]:
    with_tag = f" with `{part.tag}`" if part.tag else ""
    path = ".".join(fields[0].path[:-1])
    yield f"`{path}` as a mapping{with_tag}: {part.summary}{_inherited(part)}"
    yield ""
    yield "| key | written as | default | meaning | example |"
    yield "|---|---|---|---|---|"
    for field in fields:
        cells = (f"`{field.name}`", field.form, _default(field), _meaning(field), _example(field))
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""
    for inner in (inner for field in fields for inner in field.parts):
        yield from _part(inner, list(inner.fields))


def _inherited(part: ModelDoc) -> str:
    owners = {field.owner for field in part.fields} & (_LISTED - {part.model})
    titles = [group for group in groups() if group.model in owners]
    links = ", ".join(f"[{one.title}](#{one.title.replace(' ', '-')})" for one in titles)
    return f" Also with the fields of {links}." if links else ""


def _facts(field: FieldDoc) -> str:
    default = f"default `{field.default}`" if field.default else ""
    facts = [field.form, "required" if field.required else default]
    if field.podman:
        facts.append(f"Podman {field.podman} or newer")
    if field.quadlet:
        facts.append(f"Quadlet: {_codes(field.quadlet)}")
    return " · ".join(filter(None, facts))


def _default(field: FieldDoc) -> str:
    if field.required:
        return "required"
    return f"`{field.default}`" if field.default else ""


def _meaning(field: FieldDoc) -> str:
    needs = f" Podman {field.podman} or newer." if field.podman else ""
    quadlet = f" Quadlet: {_codes(field.quadlet)}." if field.quadlet else ""
    return f"{field.description}{needs}{quadlet}"


def _example(field: FieldDoc) -> str:
    return f"`{inline(field.sample(field.examples[0]))[1:-1]}`" if field.examples else ""


def _warnings() -> Iterator[str]:
    yield _WARNINGS
    yield "| reason | what it is about |"
    yield "|---|---|"
    yield from (f"| `{rule.reason}` | {rule.about} |" for rule in RULES)


def _quadlet() -> Iterator[str]:
    yield _QUADLET
    for section, keys in SECTIONS.items():
        yield f"### [{section}]"
        yield ""
        yield "| Quadlet | here |"
        yield "|---|---|"
        for key, place in sorted(keys.items()):
            links = (_link(path, kinds_of_section(section)) for path in _paths(place))
            here = f"– {place.reason}." if isinstance(place, Why) else ", ".join(links)
            yield f"| `{key}` | {_cell(here)} |"
        yield ""


def _paths(place: Place) -> tuple[str, ...]:
    return () if isinstance(place, Why) else place


def _link(path: str, within: Collection[str]) -> str:
    """A field, and where this page describes it or what it is in."""
    parts = path.split(".")
    name = parts[2] if parts[:2] == [CONTAINERS, NAME] else parts[0]
    for group in groups():
        for field in group.fields:
            if field.name == name and not set(within).isdisjoint(group.places):
                return f"[`{path}`](#{_anchor(group, field)})"
    raise LookupError(path)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _title(group: Group) -> str:
    return f"{group.title[:1].upper()}{group.title[1:]}"


def _place(place: str) -> str:
    path, of, kind = place.partition(" of a ")
    return f"`{path}`{of}{kind}" if of else path


def _anchor(group: Group, field: FieldDoc) -> str:
    return f"{group.title.replace(' ', '-')}-{field.name}"


_LISTED = {group.model for group in groups()}
