"""Every key of Quadlet has its place in the format, or the reason why it has none."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from workloadd.spec.foreign import unknown_key
from workloadd.spec.introspect import kinds
from workloadd.spec.model import ServiceSpec
from workloadd.spec.network import NetworkSpec
from workloadd.spec.pod import PodContainer
from workloadd.spec.quadlet import KINDS, SECTIONS, Why
from workloadd.spec.volume import VolumeSpec

LIST = Path(__file__).parents[2] / "fixtures" / "quadlet-keys.txt"
KNOWN = {
    line.split()[0] for line in LIST.read_text().splitlines() if line and not line.startswith("#")
}
HERE = [
    (f"{section}.{key}", place) for section, keys in SECTIONS.items() for key, place in keys.items()
]


def fields_of(kind: str) -> set[str]:
    """The paths of all that may be written in documents of a kind."""
    return {
        field.dotted
        for document in kinds()
        if document.model.model_fields["kind"].examples == [kind]
        for field in document.walk()
    }


def test_the_list_is_whole() -> None:
    assert len(KNOWN) == 94 + 29 + 16 + 18 + 18 + 13 + 19


def test_every_key_is_here_and_no_other() -> None:
    assert {key for key, _ in HERE} == KNOWN


@pytest.mark.parametrize(("key", "place"), HERE, ids=[key for key, _ in HERE])
def test_a_field_exists_and_a_reason_says_something(key: str, place: tuple[str, ...] | Why) -> None:
    if isinstance(place, Why):
        assert len(place.reason) > 20
        return
    assert place
    assert set(place) <= fields_of(KINDS.get(key.partition(".")[0], "service"))


@pytest.mark.parametrize("key", [key.partition(".")[2] for key, _ in HERE if "Container" in key])
def test_who_brings_a_key_is_told_where_it_is(key: str) -> None:
    problem = unknown_key((key,), ServiceSpec)
    assert problem.hint.startswith(("write ", "leave it out: "))


@pytest.mark.parametrize(
    ("key", "model", "hint"),
    [
        ("Memory", ServiceSpec, "write resources: {memory: …}"),
        ("HealthStartupCmd", ServiceSpec, "write healthcheck: {startup: {test: …}}"),
        ("NetworkAlias", ServiceSpec, "write networks: {NAME: {aliases: …}}"),
        ("StopTimeout", PodContainer, "write stop_timeout"),
        ("UserNS", ServiceSpec, "write userns_mode, uid_map or gid_map"),
        ("NetworkDeleteOnStop", NetworkSpec, "write reclaim"),
        ("Copy", VolumeSpec, "write nocopy"),
    ],
)
def test_where_it_is_is_written_as_in_a_file(key: str, model: type[BaseModel], hint: str) -> None:
    assert unknown_key((key,), model).hint == hint
