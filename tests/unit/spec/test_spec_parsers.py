"""Two YAML parsers, one meaning."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workloadd.spec import document
from workloadd.spec.nodes import Document, FaultError, Node

# What YAML is made of; long runs of letters find nothing, and tags are refused whoever reads them.
PIECES = st.sampled_from(
    ["a", "b: ", "c:", "- ", "? ", ": ", "[", "]", "{", "}", ",", "\n", "\n  ", "\n    ", "\n- ",
     " ", "#", "# x", "'", '"', "|\n", "|-\n", ">\n", "&a ", "*a", "---\n", "...\n",
     "%YAML 1.2\n", "\\n", "\\x41", "0", "é", "~", "@", "`", "$", "${A}", "<<: ", "?", ":", "a:b",
     "8080:80", "\r\n", '"a":', "😀", "\u00a0", "\t", "\u2028", "\x85"]
)  # fmt: skip


def fast(text: str) -> tuple[Document, ...] | None:
    try:
        return document._read_fast(text, "f")
    except FaultError:
        return None


def exact(text: str) -> tuple[Document, ...] | None:
    try:
        return document._read_exactly(text, "f")
    except FaultError:
        return None


def seen(one: Document) -> object:
    return _seen(one.root), one.faults


def _seen(node: Node) -> object:
    """All of a node; a value or a key that is not there stands nowhere in particular."""
    if node.value is None:
        return None
    inner = [
        (key, *((e.line, e.column) if key else ()), _seen(e.node))
        for key, e in node.entries.items()
    ]
    return node.line, node.column, node.plain, node.dollars, node.size, inner or node.value


@settings(max_examples=600)
@given(st.lists(PIECES, max_size=12).map("".join))
@example("{a: b:c, 'd':e}")
@example("b: {? }")
@example("a: |\n  x\n\n y: ${Z}")
@example("a:\n- b\n-\n  - c: '${X}\n    ${Y}'")
def test_what_libyaml_reads_is_what_the_exact_parser_reads(text: str) -> None:
    text = f"key: 1\n{text}"
    quick = fast(text)
    precise = exact(text)
    # Where a block of text that is a whole document ends they disagree; it is refused anyway.
    if quick and precise and not any(isinstance(one.root.value, str) for one in quick):
        assert list(map(seen, quick)) == list(map(seen, precise))


@pytest.mark.parametrize("text", ["a:\t1", "a: 'x\u2028y'", "a: &x 1\nb: {*x: 1}", "*a: b"])
def test_what_the_versions_of_yaml_see_differently_is_left_to_the_exact_parser(text: str) -> None:
    assert document._read_fast(text, "f") is None


def test_without_libyaml_everything_is_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"image: a\nports: [8080:80]\n"
    with_it = document.read_documents(text)
    monkeypatch.setattr(document.yaml, "__with_libyaml__", False)
    assert document.read_documents(text) == with_it
