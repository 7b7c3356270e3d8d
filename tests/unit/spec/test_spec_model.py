"""The model as documentation and the JSON schema see it, and its canonical form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from workloadd.spec.catalogue import models
from workloadd.spec.introspect import beside_of
from workloadd.spec.model import PodSpec, ServiceSpec
from workloadd.spec.ports import PortEntry
from workloadd.spec.translate import validated

# The fields without which an example of another would not load.
REQUIRED: dict[str, dict[str, Any]] = {
    "ServiceSpec": {"image": "localhost/a:1"},
    "PodSpec": {"containers": {"a": {"image": "localhost/a:1"}}},
    "PodContainer": {"image": "localhost/a:1"},
    "JobSpec": {"kind": "job", "image": "localhost/a:1", "schedule": "daily"},
    "EnvFile": {"path": "a"},
    "PortEntry": {"target": 80, "published": 8080},
    "BindVolume": {"type": "bind", "source": "/a", "target": "/a"},
    "NamedVolume": {"type": "volume", "source": "a", "target": "/a"},
    "TmpfsVolume": {"type": "tmpfs", "target": "/a"},
    "ImageVolume": {"type": "image", "source": "localhost/a:1", "target": "/a"},
    "ArtifactVolume": {"type": "artifact", "source": "localhost/a:1", "target": "/a"},
    "DevptsVolume": {"type": "devpts", "target": "/a"},
    "DeviceEntry": {"source": "/dev/null"},
    "SocketEntry": {"listen": "%t/web.sock"},
    "StartupCheck": {"test": "true"},
    "Ulimit": {"soft": 1, "hard": -1},
    "NetworkSpec": {"kind": "network"},
    "Subnet": {"subnet": "10.89.7.0/24"},
    "VolumeSpec": {"kind": "volume"},
}


def fields() -> Iterator[Any]:
    for model in models().values():
        for name, field in model.model_fields.items():
            yield pytest.param(model, name, field, id=f"{model.__name__}.{name}")


@pytest.mark.parametrize(("model", "name", "field"), list(fields()))
def test_every_field_is_documented_by_examples_that_load(
    model: type[BaseModel], name: str, field: Any
) -> None:
    assert field.description and field.description.endswith(".")
    assert field.examples or name == "type" or field.exclude
    for example in field.examples or []:
        given_ = REQUIRED.get(model.__name__, {}) | {name: example}
        if model is PortEntry and "-" in str(example):
            given_ = {"target": example, "published": example}
        validated(model, given_ | beside_of(field))


def test_json_schema_is_of_what_people_write() -> None:
    properties = ServiceSpec.model_json_schema()["properties"]
    assert set(properties) == set(ServiceSpec.model_fields)
    assert {"type": "string"} in properties["ports"]["items"]["anyOf"]
    assert {"type": "integer"} in properties["user"]["anyOf"]


def spec(**content: Any) -> ServiceSpec:
    return validated(ServiceSpec, {"image": "localhost/a:1", **content})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"command": "a 'b c'"}, {"command": ["a", "b c"]}),
        ({"environment": {"A": 1, "B": True}}, {"environment": ["B=true", "A=1"]}),
        ({"labels": {"a": None}}, {"labels": ["a"]}),
        ({"env_file": "a"}, {"env_file": [{"path": "a", "required": True}]}),
        ({"user": 1000}, {"user": "1000"}),
        ({"cap_add": ["CHOWN", "kill"]}, {"cap_add": ["CAP_KILL", "CAP_CHOWN"]}),
        ({"resources": {"memory": "1g", "cpus": 1}}, {"resources": {"memory": 2**30, "cpus": 1.0}}),
        ({"resources": {}}, {}),
        ({"restart": "always"}, {}),
        ({"stop_timeout": "10s"}, {}),
        ({"stop_signal": 3}, {"stop_signal": "quit"}),
        ({"hostname": "WEB"}, {"hostname": "web"}),
        (
            {"volumes": ["b:/b", "./a:/a:ro,Z"]},
            {"volumes": [
                {"type": "bind", "source": "./a", "target": "/a/", "selinux": "Z",
                 "read_only": True},
                {"type": "volume", "source": "b", "target": "//b"},
            ]},
        ),
        (
            {"ports": ["127.0.0.1:1-2:3-4"]},
            {"ports": [{"host_ip": "127.0.0.1", "published": "1-2", "target": "3-4"}]},
        ),
    ],
)  # fmt: skip
def test_equal_meanings_are_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert spec(**one) == spec(**other)
    assert spec(**one).canonical() == spec(**other).canonical()


def test_canonical_form_leaves_defaults_out() -> None:
    assert spec().canonical() == '{"image":"localhost/a:1"}'
    assert spec(command=[]).canonical() == '{"command":[],"image":"localhost/a:1"}'


def test_only_the_order_of_init_containers_means_anything() -> None:
    def pod(**init: bool) -> str:
        parts = {name: {"image": "localhost/a:1", "init": one} for name, one in init.items()}
        return validated(PodSpec, {"containers": parts}).canonical()

    assert pod(a=False, b=False) == pod(b=False, a=False)
    assert pod(a=True, b=True, c=False) == pod(a=True, c=False, b=True)
    assert pod(a=True, b=True, c=False) != pod(b=True, a=True, c=False)


def test_spec_is_frozen_and_hides_the_environment() -> None:
    frozen = spec(environment={"TOKEN": "hunter2"})
    assert "hunter2" not in repr(frozen)
    with pytest.raises(ValidationError):
        frozen.image = "localhost/b:1"  # type: ignore[misc]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
contents = st.fixed_dictionaries(
    {"image": st.sampled_from(["localhost/a:1", "docker.io/nginx"])},
    optional={
        "command": st.lists(texts, max_size=3),
        "environment": st.dictionaries(
            st.from_regex(r"[A-Z_]{1,9}", fullmatch=True), texts, max_size=3
        ),
        "labels": st.dictionaries(st.from_regex(r"[a-z.]{1,9}", fullmatch=True), texts, max_size=3),
        "resources": st.fixed_dictionaries(
            {},
            optional={
                "memory": st.integers(2**20, 2**40),
                "cpus": st.floats(0.01, 4096),
                "pids": st.integers(1, 10**6),
            },
        ),
        "restart": st.sampled_from(["always", "on-failure", "no", "on-failure:7"]),
        "stop_timeout": st.integers(0, 86400),
        "stop_signal": st.integers(1, 31),
        "read_only": st.booleans(),
        "enabled": st.booleans(),
        "volumes": st.lists(
            st.sampled_from(["a:/a", "./b:/b:ro", "~/c:/c:z,rslave"]), unique=True, max_size=3
        ),
    },
)


@given(contents)
def test_what_is_valid_stays_the_same_spec(content: dict[str, Any]) -> None:
    once = validated(ServiceSpec, content)
    again = validated(ServiceSpec, once.model_dump(mode="json"))
    assert again == once
    assert again.canonical() == once.canonical()
