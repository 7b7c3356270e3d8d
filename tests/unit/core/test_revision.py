"""What makes a new revision, and what does not."""

from dataclasses import replace

import pytest

from tests.fakes.revisions import revised
from tests.unit.core.sim import declared
from workloadd.core.probes import HttpCheck, Probe, image_probe, probes_of
from workloadd.core.revision import EnvFile, Image, UnitParams, make_revision
from workloadd.spec.model import ServiceSpec


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


CHECK = "healthcheck: {test: check, timeout: 5s, retries: 4, start_period: 1m"
CHECKED = Probe(
    "readiness", exec=("/bin/sh", "-c", "check"), interval=30.0, timeout=5.0, failure_threshold=4,
    start_period=60.0,
)  # fmt: skip
OF_IMAGE = Probe("readiness", exec=("of-image",), interval=30.0)


@pytest.mark.parametrize(
    ("text", "probes"),
    [
        ("", (OF_IMAGE,)),
        ("healthcheck: {disable: true}", ()),
        (f"{CHECK}}}", (CHECKED,)),
        (f"{CHECK}, on_failure: restart}}", (CHECKED, replace(CHECKED, kind="liveness"))),
        (
            f"{CHECK}, startup: {{test: [CMD, up], interval: 2s, success: 5}}}}",
            (
                Probe(
                    "startup", exec=("up",), interval=2.0, timeout=30.0, failure_threshold=0,
                    success_threshold=5,
                ),
                CHECKED,
            ),
        ),
        ("probes: {readiness: {tcp: 80}}", (Probe("readiness", tcp=80),)),
        ("probes: {liveness: {exec: a b}}", (OF_IMAGE, Probe("liveness", exec=("a", "b")))),
        (
            "probes: {liveness: {tcp: 1, interval: 5s, timeout: 2s, failure_threshold: 4, "
            "success_threshold: 2, initial_delay: 1m}, "
            "readiness: {http: {port: 8443, path: /a, scheme: https, headers: {Host: x}, "
            "status: [204, 300-399], body: ok}}}",
            (
                Probe(
                    "readiness",
                    http=HttpCheck(
                        8443, "/a", "https", (("Host", "x"),), ((204, 204), (300, 399)), "ok"
                    ),
                ),
                Probe("liveness", None, 1, (), 5.0, 2.0, 4, 2, 60.0),
            ),
        ),
    ],
)  # fmt: skip
def test_what_a_container_is_asked(text: str, probes: tuple[Probe, ...]) -> None:
    found = declared("web", f"image: r.example/app:1\n{text}")
    assert isinstance(found.spec, ServiceSpec), found.errors
    assert probes_of(found.spec, OF_IMAGE) == probes
    assert revised("web", found.spec).parts[0].params.probes == tuple(
        probe for probe in probes if probe != OF_IMAGE
    )


def test_other_probes_are_another_revision() -> None:
    assert digest("probes: {readiness: {tcp: 80}}") != digest("probes: {readiness: {tcp: 81}}")


def test_what_runs_to_its_end_is_asked_nothing() -> None:
    image = Image("id", "sha256:one", OF_IMAGE)
    job = declared("web", "kind: job\nimage: r.example/app:1")
    pod = declared(
        "web", "containers: {a: {image: r.example/app:1, init: true}, b: {image: r.example/app:1}}"
    )
    assert job.spec and pod.spec
    for spec, expected in ((job.spec, [()]), (pod.spec, [(), (), (OF_IMAGE,)])):
        revision = make_revision("web", spec, {"r.example/app:1": image})
        assert [part.params.probes for part in revision.parts] == expected


@pytest.mark.parametrize(
    ("check", "probe"),
    [
        (None, None),
        ({}, None),
        ({"Test": ["NONE"]}, None),
        ({"Test": ["CMD"]}, None),
        (
            {"Test": ["CMD-SHELL", "a || b"]},
            Probe("readiness", exec=("/bin/sh", "-c", "a || b"), interval=30.0, timeout=30.0),
        ),
        (
            {"Test": ["CMD", "a"], "Interval": 5 * 10**9, "Timeout": 10**9, "Retries": 2,
             "StartPeriod": 7 * 10**9},
            Probe("readiness", exec=("a",), interval=5.0, failure_threshold=2, start_period=7.0),
        ),
    ],
)  # fmt: skip
def test_the_check_that_an_image_brings(check: object, probe: Probe | None) -> None:
    assert image_probe(check) == probe
