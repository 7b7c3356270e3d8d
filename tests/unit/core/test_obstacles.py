"""What a host may lack for a workload that is right in itself."""

import pytest

from workloadd.core.obstacles import obstacle
from workloadd.spec.kinds import spec_of
from workloadd.spec.model import WorkloadSpec


def spec(**content: object) -> WorkloadSpec:
    made = spec_of({"image": "localhost/a:1", **content})
    assert isinstance(made, WorkloadSpec)
    return made


ARTIFACT = [{"type": "artifact", "source": "localhost/b:1", "target": "/b", "title": "c"}]


def test_an_older_podman_is_told_with_the_field_and_both_versions() -> None:
    problem = obstacle(spec(volumes=ARTIFACT), None, "5.4.2")
    assert problem
    assert problem.reason == "PodmanTooOld"
    assert problem.message == (
        "cannot deploy: it needs Podman 5.6, this host has 5.4.2: volumes./b.type (5.6)"
    )


@pytest.mark.parametrize("podman", ["5.6.0", "5.10.1", "6.0.0-dev", "", "unknown"])
def test_a_newer_or_unknown_podman_is_no_obstacle(podman: str) -> None:
    assert obstacle(spec(volumes=ARTIFACT), None, podman) is None


def test_the_newest_release_that_is_needed_is_named() -> None:
    image = {"type": "image", "source": "localhost/b:1", "target": "/i", "subpath": "a"}
    problem = obstacle(spec(volumes=[*ARTIFACT, image]), None, "5.2.0")
    assert problem
    assert "it needs Podman 5.6, this host has 5.2.0" in problem.message
    assert "volumes./i.subpath (5.4)" in problem.message


def test_what_is_left_at_its_default_needs_nothing() -> None:
    assert obstacle(spec(healthcheck={"test": "true"}), None, "5.0.0") is None


@pytest.mark.parametrize(
    ("limit", "controller"),
    [
        ({"memory": "64m"}, "memory"),
        ({"memory": "64m", "memory_swap": "64m"}, "memory"),
        ({"memory_reservation": "64m"}, "memory"),
        ({"cpus": 1}, "cpu"),
        ({"cpu_shares": 512}, "cpu"),
        ({"cpuset": "0"}, "cpuset"),
        ({"cpuset_mems": "0"}, "cpuset"),
        ({"pids": 5}, "pids"),
        ({"io_weight": 100}, "io"),
    ],
)
def test_a_limit_needs_its_controller(limit: dict[str, object], controller: str) -> None:
    all_of_them = frozenset({"memory", "cpu", "cpuset", "pids", "io"})
    assert obstacle(spec(resources=limit), all_of_them, "5.4.2") is None
    assert obstacle(spec(resources=limit), None, "5.4.2") is None
    problem = obstacle(spec(resources=limit), all_of_them - {controller}, "5.4.2")
    assert problem
    assert problem.reason == "ControllerMissing"
    assert f"cannot limit {controller}: " in problem.message
