"""What a revision is like, and how two differ, with nobody's secret in it."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.sim import declared
from workloadd.core.describe import Change, Content, changes, describe, whole
from workloadd.core.given import GivenFile, GivenSecret
from workloadd.core.revision import EnvFile, Image, Inputs
from workloadd.spec.names import MAIN_CONTAINER

SECRET = "hunter2"
IMAGE = "localhost/app:1"


def fingerprint(text: str) -> str:
    return hashlib.sha256(f"key{text}".encode()).hexdigest()[:16]


def of(text: str, digest: str = "sha256:one", inputs: Inputs | None = None) -> Content:
    spec = declared("web", text).spec
    assert spec
    images = {IMAGE: Image("img", digest)} if digest else {}
    return describe(spec, images, {MAIN_CONTAINER: inputs or Inputs()}, fingerprint)


def test_what_a_file_says_field_by_field() -> None:
    before = of(f"image: {IMAGE}\nports: ['8080:80', '8443:443']\nlabels: {{a: b}}\n")
    after = of(f"image: {IMAGE}\nports: ['8080:80', '9443:443']\nuser: '1000'\n", "sha256:two")
    found = {(c.field, c.kind): (c.old, c.new) for c in changes(before, after)}
    assert found[(f"digest of {IMAGE}", "changed")] == ("sha256:one", "sha256:two")
    assert found[("labels.a", "removed")] == ("b", "")
    assert found[("user", "added")] == ("", "1000")
    removed, added = found[("ports", "removed")], found[("ports", "added")]
    assert "8443" in removed[0] and "9443" in added[1]
    assert "8080" not in str(found)


def test_the_order_of_a_list_is_a_difference() -> None:
    one = of(f"image: {IMAGE}\ncommand: [a, b]\n")
    other = of(f"image: {IMAGE}\ncommand: [b, a]\n")
    assert changes(one, other) == (Change("command", "changed", "[a, b]", "[b, a]"),)


def test_that_a_value_changed_and_never_the_value() -> None:
    text = f"image: {IMAGE}\nenvironment: {{PASSWORD: %s, MODE: fast}}\n"
    text += "files: {/etc/app.conf: {content: 'token %s'}}\n"
    inputs = [
        Inputs(
            env_files=(EnvFile("/etc/app.env", (("TOKEN", f"{SECRET}{n}"),)),),
            secrets=(GivenSecret("db", f"digest{n}", f"{SECRET}{n}".encode()),),
            files=(GivenFile("/etc/app.conf", (("", f"{SECRET}{n}".encode()),)),),
        )
        for n in (1, 2)
    ]
    one, two = (of(text % (f"{SECRET}{n}", f"{SECRET}{n}"), inputs=inputs[n - 1]) for n in (1, 2))
    assert SECRET not in json.dumps([dict(one), dict(two)])
    found = {change.field for change in changes(one, two) if change.hidden}
    assert found == {
        "environment.PASSWORD",
        "env_file /etc/app.env.TOKEN",
        "secrets.db.value",
        "files./etc/app.conf.content",
    }
    assert all(change.hidden for change in changes(one, two))
    assert changes(one, one) == ()


@given(st.dictionaries(st.sampled_from("abc"), st.integers() | st.lists(st.text())), st.data())
def test_nothing_differs_from_itself_and_else_both_ways(old: Content, data: st.DataObject) -> None:
    new = data.draw(st.dictionaries(st.sampled_from("abc"), st.integers() | st.lists(st.text())))
    assert changes(old, old) == ()
    there, back = changes(old, new), changes(new, old)
    assert {c.field for c in there} == {c.field for c in back}
    assert bool(there) == (old != new)


def test_the_whole_of_it_with_defaults_and_without_secrets() -> None:
    text = f"""\
image: {IMAGE}
environment: {{PASSWORD: {SECRET}}}
files: {{/etc/x: {{content: {SECRET}}}}}
probes: {{readiness: {{http: {{port: 80, headers: {{Authorization: {SECRET}}}}}}}}}
"""
    spec = declared("web", text).spec
    assert spec
    shown = whole(spec)
    assert SECRET not in json.dumps(shown)
    assert shown["environment"] == {"PASSWORD": "(hidden)"}
    assert shown["image"] == IMAGE
    assert shown["enabled"] is True
