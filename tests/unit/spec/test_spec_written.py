"""Values as people write them are read back as what they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.spec.document import read_documents
from workloadd.spec.scope import Scope
from workloadd.spec.variables import Substitution
from workloadd.spec.written import inline, yaml_of

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40).filter(
    lambda text: not set(text) & {"\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff"}
)
SCALAR = (
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT
    | st.sampled_from(["no", "0755", "1e3", "22:22", "a: b", "a #b", "- a", "~", "1.0", "$x"])
)  # fmt: skip
KEY = st.from_regex(r"[a-z][a-z0-9_./-]{0,20}|yes|[0-9]{1,3}", fullmatch=True)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> Any:
    (document,) = read_documents(text.encode())
    assert not document.faults
    substitution = Substitution(Scope())
    return substitution.node(document.root).value


@given(VALUE)
def test_it_is_read_back_as_it_was(value: Any) -> None:
    assert read(yaml_of(value)) == value
    assert read(inline(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"ports": ["8080:80"]}, 'ports: ["8080:80"]'),
        ({"ports": [{"target": 53, "published": 53}]}, "ports:\n  - {target: 53, published: 53}"),
        ({"command": "nginx -g 'daemon off;'"}, "command: nginx -g 'daemon off;'"),
        ({"memory": "512m", "stop": "1m30s"}, "memory: 512m\nstop: 1m30s"),
        ({"run": "one\ntwo $X\n"}, "run: |\n  one\n  two $$X"),
        ({"cpus": 2.0}, "cpus: 2"),
        ({"restart": "no"}, 'restart: "no"'),
        ({"volumes": ["data:/d", "./a:/b:ro"]}, "volumes: [data:/d, ./a:/b:ro]"),
    ],
)
def test_it_looks_as_people_write_it(value: Any, text: str) -> None:
    assert yaml_of(value) == text
