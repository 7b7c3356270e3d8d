"""Bytes that are hard to read."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from workloadd.spec.document import MAX_BYTES
from workloadd.spec.load import MAX_ERRORS, load_workload
from workloadd.spec.model import ServiceSpec
from workloadd.spec.ports import PortEntry
from workloadd.spec.process import EnvFile
from workloadd.spec.resources import Resources
from workloadd.spec.volumes import BindVolume, NamedVolume, TmpfsVolume

SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b"a: b\nc: \xff", (2, 4), "BadEncoding"),
        ("ä: ".encode() + b"\xe4", (1, 4), "BadEncoding"),
        (b"\xff\xfea\x00", (1, 1), "BadEncoding"),
        (b"a: b\r\n\x00", (2, 1), "BadCharacter"),
        (b"a: \x1b[31m", (1, 4), "BadCharacter"),
        (b"x" * (MAX_BYTES + 1), (1, 1), "TooLarge"),
        (b"[" * 100_000, (1, 17), "TooDeep"),
        (b"\n".join(b"- a" for _ in range(300)), (257, 3), "TooLarge"),
        (b"%", (1, 2), "YamlSyntax"),
        (b"a: |3x\n", (1, 6), "YamlSyntax"),
    ],
)
def test_unreadable(data: bytes, place: tuple[int, int], reason: str) -> None:
    (error,) = load_workload("web", data, "web.yaml").errors
    assert ((error.line, error.column), error.reason) == (place, reason)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    result = load_workload("web", data, "web.yaml")
    assert (result.spec is None) == bool(result.errors)


@given(st.text(alphabet="abi:-[]{}#&*!|>'\"%@`,?\\ \n\t0$=~<", max_size=80))
def test_no_yaml_raises_and_loading_is_deterministic(text: str) -> None:
    data = b"image: localhost/a:1\n" + text.encode()
    one, other = (load_workload("web", data, "web.yaml") for _ in range(2))
    assert one == other
    assert (one.spec is None) == bool(one.errors)


@example("  K: {}", "${", "")
@given(
    st.sampled_from(
        ["  K: {}", "  - K={}", "  K: [{}", "  - {}", '  K: "{}', "  K: {}: x", "  {}"]
    ),
    st.text(alphabet="abi:-[]{}#&*!|>'\"%@`,?\\ \n\t0$=", max_size=6),
    st.text(alphabet=":-[]{}#&*!|>'\"%@`,?\\ \n\t", max_size=6),
)
def test_no_error_shows_a_value_of_the_environment(line: str, before: str, after: str) -> None:
    # What is between ${ and } is the name of a variable, and no secret.
    assume(not before.endswith("${") or "}" not in after)
    if line == "  {}" and "=" not in before:
        before += "="
    text = "image: localhost/a:1\nenvironment:\n" + line.replace("{}", before + SECRET + after)
    result = load_workload("web", text.encode(), "web.yaml")
    if "\n" not in before:  # else the secret is no value, but may be a key in a line of its own
        assert SECRET not in repr(result)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["a:/a", "/a:/a:ro", "80:80", "1g", "10s", "bind", "volume", "tmpfs", "no"]),
)  # fmt: skip
nested = st.sampled_from(
    [*BindVolume.model_fields, *NamedVolume.model_fields, *TmpfsVolume.model_fields,
     *PortEntry.model_fields, *Resources.model_fields, *EnvFile.model_fields]
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(nested | st.text(max_size=3), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(ServiceSpec.model_fields)), values, max_size=4))
def test_no_content_raises(content: dict[str, object]) -> None:
    data = json.dumps(content).encode()  # JSON is YAML 1.2
    result = load_workload("web", data, "web.yaml")
    assert (result.spec is None) == bool(result.errors)


def test_errors_are_bounded() -> None:
    ports = "\n".join("  - x:1" for _ in range(200))
    errors = load_workload("web", f"image: a.b/c:1\nports:\n{ports}".encode(), "f").errors
    assert len(errors) == MAX_ERRORS + 1
    assert errors[-1].reason == "TooManyErrors"
    assert "other 100 errors" in errors[-1].message


def test_positions_find_the_nearest_that_exists() -> None:
    text = b"image: localhost/a:1\nports:\n  - target: 80\n    published: 8080\n"
    positions = load_workload("web", text, "f").positions
    assert positions.at(("ports", 0, "published")) == (4, 16)
    assert positions.at_key(("ports", 0, "published")) == (4, 5)
    assert positions.at(("ports", 0, "host_ip")) == (3, 5)
    assert positions.at(("labels", "x")) == (1, 1)
    assert positions.at_key(("ports",)) == (2, 1)


def test_host_paths_lead_to_the_entries() -> None:
    text = b"image: localhost/a:1\nports: [9000-9001:90-91]\nsockets: [8080, '%t/web.sock']\n"
    assert load_workload("web", text, "f").host_paths == {
        ("", 9000, "tcp"): ("ports", 0),
        ("", 9001, "tcp"): ("ports", 0),
        ("", 8080, "tcp"): ("sockets", 0),
        ("%t/web.sock", 0, "unix"): ("sockets", 1),
    }
