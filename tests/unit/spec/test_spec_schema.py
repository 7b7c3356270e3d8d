"""The JSON schema, by a validator that knows nothing of us: what loads is right by it too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.unit.spec.strategies import Content, pods, services
from workloadd.spec.catalogue import documents, models
from workloadd.spec.document import read_documents
from workloadd.spec.head import DocumentHead
from workloadd.spec.introspect import kinds
from workloadd.spec.load import load_workload
from workloadd.spec.model import PodSpec, ServiceSpec
from workloadd.spec.nodes import FaultError
from workloadd.spec.problems import ProblemsError
from workloadd.spec.schema import ID, workload_schema
from workloadd.spec.translate import validated

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests/fixtures/spec"
RIGHT = [*sorted((ROOT / "examples").glob("*.yaml")), *sorted((FIXTURES / "good").glob("*.yaml"))]
VALIDATOR = Draft202012Validator(workload_schema())
# What is wrong there a schema can see: an unknown or a missing key, another type, another word.
VISIBLE = (
    "compose-file", "empty", "env-file-by-mistake", "environment-list",
    "environment-text", "image-missing", "image-number", "keys-with-values", "not-a-mapping",
    "null-entries", "null-values", "ports-as-text", "process-types", "resources",
    "resources-more", "resources-text", "several-at-once", "unknown-keys", "unknown-nested-keys",
)  # fmt: skip


def contents_of(path: Path) -> list[Any]:
    """What each document of a file says."""
    return [document.root.value for document in read_documents(path.read_bytes())]


def errors_of(path: Path) -> list[str]:
    return [error for content in contents_of(path) for error in errors(content)]


def errors(content: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(content)]


def test_it_is_a_schema() -> None:
    schema = workload_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == ID


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_right_file_is_right_by_it(path: Path) -> None:
    assert errors_of(path) == []


@pytest.mark.parametrize("name", VISIBLE)
def test_a_wrong_file_is_wrong_by_it(name: str) -> None:
    assert errors_of(FIXTURES / "bad" / f"{name}.yaml")


def test_it_refuses_what_can_be_seen_in_a_value() -> None:
    """Files that are not even YAML aside, it finds a good share of what the loader finds."""
    found = total = 0
    for path in (FIXTURES / "bad").glob("*.yaml"):
        try:
            wrong = bool(errors_of(path))
        except FaultError:
            continue
        total += 1
        found += wrong
    assert found / total > 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"image": "a", "imag": "b"}, "'imag' was unexpected"),
        ({"kind": "deployment", "image": "a"}, "'deployment' is not one of"),
        ({"image": "a", "containers": {"b": {"image": "c"}}}, "'image' was unexpected"),
        ({"containers": {"b": {"image": "c", "ports": []}}}, "'ports' was unexpected"),
        ({}, "'image' is a required property"),
        ([], "is not of type 'object'"),
    ],
)
def test_a_mistake_is_told_of_the_kind_that_was_meant(content: Any, message: str) -> None:
    (found,) = errors(content)
    assert message in found


@pytest.mark.parametrize(
    "content",
    [
        {"read_only": "${READ_ONLY}"},
        {"pull": "${PULL:-newer}"},
        {"resources": {"memory": "${MEMORY}", "pids": "${PIDS:?say how many}"}},
        {"volumes": [{"type": "tmpfs", "target": "/a", "size": "${SIZE}"}]},
        {"volumes": [{"type": "tmpfs", "target": "/a", "mode": 755}]},
        {"restart": "on-failure:3"},
        {"stop_timeout": "1m 30s"},
        {"resources": {"memory": "1.5GiB"}},
    ],
)
def test_it_lets_pass_what_only_the_loader_can_judge(content: dict[str, Any]) -> None:
    assert errors({"image": "localhost/a:1", **content}) == []


@pytest.mark.parametrize(
    "text",
    [
        "networks: {back: }", "networks: [back]", "instances: {blue: , green: {A: 1.5}}",
        "when: {A: 1.5, B: true, C: [1, x]}", "dns: 1.1.1.1", "ports: []", "files: {/a: text}",
        "sysctls: {net.core.somaxconn: 1024}", "ulimits: {nofile: 10}", "umask: 0027",
        "ulimits: {nofile: {soft: 1, hard: 2}}", "extra_hosts: {a: 1.2.3.4}", "user: 0",
        "extra_hosts: ['a:1.2.3.4']", "extra_hosts: {a: [1.2.3.4]}", "stop_timeout: 1.5",
        "restart: no", "devices: [/dev/null]", "group_add: [audio, 5]", "expose: [80, 81/udp]",
        "healthcheck: {test: [CMD, 'true']}", "healthcheck: {test: curl x}", "sockets: [8080]",
        "command: []", "resources: {memory: 1g, cpus: 1}", "annotations: [a=1]", "labels: {a: }",
        "stop_signal: 9", "uid_map: ['0:1:1000']", "healthcheck: ", "environment: {A: 1}",
    ],
)  # fmt: skip
def test_what_loads_is_right_by_it(text: str) -> None:
    whole = f"image: localhost/a:1\n{text}\n".encode()
    assert load_workload("web", whole, "web.yaml").errors == ()
    assert errors(read_documents(whole)[0].root.value) == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(services, pods))
def test_whatever_validates_is_right_by_it(content: Content) -> None:
    try:
        validated(PodSpec if "containers" in content else ServiceSpec, content)
    except ProblemsError:
        return
    assert errors(content) == []


@pytest.mark.parametrize(
    "content",
    [
        {"read_only": "yes"},
        {"pull": "allways"},
        {"restart": "unless-stopped"},
        {"stop_timeout": "soon"},
        {"resources": {"memory": "much"}},
        {"resources": {"memory": -1}},
        {"volumes": [{"type": "tmpfs", "target": "/a", "source": "b"}]},
        {"volumes": [{"type": "bind", "target": "/a"}]},
    ],
)
def test_it_refuses_what_cannot_be_meant(content: dict[str, Any]) -> None:
    assert errors({"image": "localhost/a:1", **content})


def test_every_example_of_a_field_is_right_by_it() -> None:
    definitions = workload_schema()["$defs"]
    for name, model in models().items():
        for field, schema in definitions.get(name, {}).get("properties", {}).items():
            validator = Draft202012Validator(schema | {"$defs": definitions})
            for example in (DocumentHead.model_fields | model.model_fields)[field].examples or ():
                validator.validate(example)


def test_every_default_is_right_by_it() -> None:
    for name, definition in workload_schema()["$defs"].items():
        for field, schema in definition.get("properties", {}).items():
            if "default" in schema:
                whole = schema | {"$defs": workload_schema()["$defs"]}
                assert list(Draft202012Validator(whole).iter_errors(schema["default"])) == [], (
                    f"{name}.{field}"
                )


def test_no_two_models_have_one_name() -> None:
    assert {model.__name__ for model in documents()} <= models().keys()
    assert all(models()[part.model.__name__] is part.model for part in kinds())
