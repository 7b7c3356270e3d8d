"""What makes a new revision, and what does not."""

import pytest

from tests.fakes.revisions import revised
from tests.unit.core.sim import declared
from workloadd.core.probes import HttpCheck, Probe
from workloadd.core.revision import EnvFile, UnitParams


def digest(text: str, image: str = "sha256:one", env_files: tuple[EnvFile, ...] = ()) -> str:
    found = declared("web", f"image: r.example/app:1\n{text}")
    assert found.spec, found.errors
    return revised("web", found.spec, "id", image, env_files).digest


@pytest.mark.parametrize(
    "text",
    [
        "enabled: false",
        "pull: always",
        "# a comment",
        "restart: always",
        "ports: []",
        "description: What people call it",
    ],
)
def test_the_same(text: str) -> None:
    assert digest(text) == digest("")


@pytest.mark.parametrize("text", ["command: x", "restart: no", "stop_timeout: 5s", "user: 1"])
def test_another(text: str) -> None:
    assert digest(text) != digest("")


def test_another_image_digest_is_another_revision() -> None:
    assert digest("", "sha256:two") != digest("")


def test_the_content_of_env_files_is_part_of_it() -> None:
    one, two = EnvFile("/a", (("A", "1"),)), EnvFile("/a", (("A", "2"),))
    assert len({digest("", env_files=files) for files in [(), (one,), (two,)]}) == 3


def test_short_and_long_forms_are_the_same_revision() -> None:
    assert digest("ports: ['8080:80']") == digest("ports: [{target: 80, published: 8080}]")


def test_values_of_env_files_are_in_no_repr() -> None:
    assert "hunter2" not in repr(EnvFile("/a", (("PASSWORD", "hunter2"),)))
    found = declared("web", "image: r.example/app:1\nenvironment: {P: hunter2}")
    assert found.spec
    assert "hunter2" not in repr(revised("web", found.spec, "id", "d"))


def test_a_unit_s_parameters_survive_their_label() -> None:
    params = UnitParams("init", "on-failure", 3, 2.5, ("web_data",), "r.example/app:1")
    assert UnitParams.from_label(params.to_label()) == params


PROBES = (
    Probe("startup", exec=("test", "-e", "/run/ready"), failure_threshold=0),
    Probe("readiness", http=HttpCheck(80, "/x", headers=(("A", "b"),), status=((200, 200),))),
    Probe("liveness", tcp=80, timeout=0.5),
)


def test_probes_survive_their_label() -> None:
    params = UnitParams(probes=PROBES)
    assert UnitParams.from_label(params.to_label()) == params
    label = '{"probes": [{"kind": "liveness", "tcp": 80, "http": {"port": 1, "later": 2}}]}'
    read = UnitParams.from_label(label)
    assert read is not None
    assert read.probes == (Probe("liveness", tcp=80, http=HttpCheck(1)),)
    assert UnitParams.from_label('{"probes": [5]}') is None


def test_a_probe_says_what_it_asks_and_no_command_or_header() -> None:
    shown = [str(probe) for probe in PROBES]
    assert shown == ["startup (exec)", "readiness (http 80/x)", "liveness (tcp 80)"]
    assert [probe.port for probe in PROBES] == [0, 80, 80]
    assert "ready" not in repr(PROBES[0])
    assert "'b'" not in repr(PROBES[1])


@pytest.mark.parametrize("label", ["", "x", "[]", "{}", '{"later": 1}'])
def test_a_label_that_cannot_be_read(label: str) -> None:
    expected = UnitParams() if label.startswith("{") else None
    assert UnitParams.from_label(label) == expected


CHECK = "healthcheck: {test: check, interval: 10s, timeout: 5s, retries: 4, start_period: 1m"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 90),
        (f"{CHECK}}}", 90),
        ("notify: healthy", 90),
        (f"{CHECK}}}\nnotify: healthy", 90 + 60 + 4 * 15),
        (
            f"{CHECK}, startup: {{test: up, interval: 2s, timeout: 1s, retries: 5}}}}\n"
            "notify: healthy",
            90 + 60 + 4 * 15 + 6 * 3,
        ),
    ],
)
def test_a_start_may_take_as_long_as_checks_may_still_turn_out_well(
    text: str, seconds: float
) -> None:
    found = declared("web", f"image: r.example/app:1\n{text}")
    assert found.spec, found.errors
    assert revised("web", found.spec).parts[0].params.start_timeout == seconds
