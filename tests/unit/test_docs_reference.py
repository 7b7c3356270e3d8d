"""Whatever the reference shows as an example is right where it is said to belong."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from workloadd.docs.reference import markdown
from workloadd.spec.document import read_documents
from workloadd.spec.introspect import KIND, NAME, FieldDoc, ModelDoc, kinds
from workloadd.spec.load import load_workload
from workloadd.spec.lookup import Group, groups
from workloadd.spec.quadlet import SECTIONS
from workloadd.spec.scope import Scope
from workloadd.spec.translate import validated
from workloadd.spec.variables import Substitution
from workloadd.spec.written import yaml_of

TEXT = markdown()
_FIELD = re.compile(r"\n### `(\w+)`\n(.*?)(?=\n<a id|\n## |\Z)", re.DOTALL)
_YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def sections() -> Iterator[tuple[Group, FieldDoc, str]]:
    """Every field's part of the document."""
    for group in groups():
        title = f"{group.title[:1].upper()}{group.title[1:]}"
        _, _, rest = TEXT.partition(f"\n## {title}\n")
        body = re.split(r"\n## ", rest)[0]
        fields = {field.name: field for field in group.fields}
        for found in _FIELD.finditer(body):
            yield group, fields.pop(found[1]), found[2]
        assert not fields, f"the reference has nothing on {list(fields)}"


def snippets() -> Iterator[Any]:
    for group, field, body in sections():
        blocks = _YAML.findall(body)
        assert blocks, f"{group.title}.{field.name} has no example"
        for block in blocks:
            for number, text in enumerate(block.split("\n# or\n")):
                identity = f"{group.title}.{field.name}.{number}"
                yield pytest.param(field, text, id=identity.replace(" ", "-"))


def read(text: str) -> Any:
    (document,) = read_documents(text.encode())
    assert not document.faults
    return Substitution(Scope()).node(document.root).value


def least(model: ModelDoc) -> dict[str, Any]:
    """What has to be said at least."""
    said = {f.name: f.examples[0] for f in model.fields if f.required and f.examples}
    field = model.model.model_fields.get(KIND)
    kind = {KIND: field.examples[0]} if field and field.examples else {}
    return kind | (read(model.tag) if model.tag else {}) | said


def kind_of(content: dict[str, Any]) -> ModelDoc:
    """What declares a document of a kind."""
    wanted = content[KIND]
    return next(k for k in kinds() if k.model.model_fields[KIND].annotation == Literal[wanted])


def root_of(field: FieldDoc) -> ModelDoc:
    return next(kind for kind in kinds() if field in tuple(kind.walk()))


@pytest.mark.parametrize(("field", "text"), list(snippets()))
def test_a_snippet_is_right(field: FieldDoc, text: str) -> None:
    content = read(text)
    kind = root_of(field) if field.name != KIND else kind_of(content)
    assert content.keys() == {*field.beside, field.name}
    whole = least(kind)
    if NAME in field.path:
        (part,) = next(f.parts for f in kind.fields if f.name == field.path[0])
        whole[field.path[0]] = whole[field.path[0]] | {"other": least(part) | content}
    else:
        whole |= content
    loaded = load_workload("web", yaml_of(whole).encode(), "web.yaml")
    assert [str(error) for error in loaded.errors] == []


def parts() -> Iterator[tuple[ModelDoc, FieldDoc]]:
    for kind in kinds():
        for field in kind.walk():
            for part in field.parts:
                for inner in part.fields:
                    yield part, inner


def test_the_examples_in_its_tables_are_right() -> None:
    tried = 0
    for part, field in parts():
        row = re.search(rf"^\| `{field.name}` \|.*\| `(.*)` \|\n", TEXT, re.MULTILINE)
        if field.examples and row:
            assert field.name in read(f"{{{row[1]}}}".replace("\\|", "|"))
            validated(part.model, least(part) | field.sample(field.examples[0]))
            tried += 1
    assert tried > 10


def test_every_link_leads_somewhere() -> None:
    anchors = set(re.findall(r'<a id="([^"]+)">', TEXT))
    titles = {re.sub(r"[^a-z0-9 -]", "", t.lower()) for t in re.findall(r"^## (.*)$", TEXT, re.M)}
    places = anchors | {title.replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= places


def test_the_table_of_quadlet_s_keys_has_no_empty_cell() -> None:
    table = TEXT.partition("## Quadlet's keys\n")[2]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    assert len(rows) == sum(map(len, SECTIONS.values()))
    assert all(len(here) > 3 for _, here in rows)
