"""What a job's file may say beyond a container's."""

import json
from typing import Any

import pytest

from workloadd.spec.job import JobSpec
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.problems import ProblemsError
from workloadd.spec.translate import validated


def job(**content: Any) -> JobSpec:
    return validated(JobSpec, {"kind": "job", "image": "localhost/a:1", **content})


def problems(**content: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ProblemsError) as caught:
        job(**content)
    return [(problem.path, str(problem)) for problem in caught.value.problems]


def test_without_anything_it_runs_once_and_is_not_tried_again() -> None:
    spec = job()
    assert (spec.schedule, spec.retries, spec.timeout, spec.overlap) == ((), 0, None, "skip")
    assert list(spec.containers_by_name) == [MAIN_CONTAINER]
    assert spec.restart.policy == "no"


def test_the_time_zone_is_that_of_each_expression() -> None:
    spec = job(schedule=["daily", "Mon 10:00"], time_zone="Europe/Berlin")
    assert spec.calendar == ("daily Europe/Berlin", "Mon 10:00 Europe/Berlin")
    assert job(schedule="daily").calendar == ("daily",)


def test_its_canonical_form_is_valid_input_and_equal() -> None:
    spec = job(schedule="daily", timeout="1h", retries=2, retry_delay=60, catch_up=True)
    assert (spec.timeout, spec.retry_delay) == (3600.0, 60.0)
    assert validated(JobSpec, json.loads(spec.canonical())) == spec
    assert validated(JobSpec, spec.model_dump(mode="json")) == spec


def test_restart_is_a_service_s_word() -> None:
    ((path, said),) = problems(restart="no")
    assert path == ("restart",)
    assert said == "a job ends by itself and stays so (write retries: NUMBER)"
    assert "restart" not in JobSpec.model_json_schema()["properties"]


def test_what_is_about_the_schedule_needs_one() -> None:
    found = problems(time_zone="UTC", randomized_delay="1m", catch_up=True)
    assert [path for path, _ in found] == [("time_zone",), ("randomized_delay",), ("catch_up",)]
    assert all("no meaning without schedule" in said for _, said in found)


def test_two_time_zones_are_one_too_many() -> None:
    ((path, said),) = problems(schedule=["daily", "10:00 UTC"], time_zone="Europe/Berlin")
    assert path == ("schedule", 1)
    assert "UTC" in said
    assert [path for path, _ in problems(schedule="10:00 UTC", time_zone="UTC")] == [("schedule",)]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("schedule", "0 3 * * *", "this is how cron writes it"),
        ("schedule", {"at": "daily"}, "expected a list, got a mapping"),
        ("time_zone", "Berlin!", "is no name of a time zone"),
        ("timeout", "0s", "a run takes at least 1s"),
        ("retries", -1, "is not at least 0"),
        ("retries", 1000, "is not at most 100"),
        ("overlap", "queue", "is not one of skip or replace"),
        ("catch_up", "yes", "write true or false"),
    ],
)
def test_mistakes_are_told(key: str, value: object, said: str) -> None:
    content = {"schedule": "daily", key: value}
    (found,) = (text for path, text in problems(**content) if path[0] == key)
    assert said in found
