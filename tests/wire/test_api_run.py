"""Starting a job over HTTP: on the Unix socket, by whose workloads they are."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.jobs import FAILED, JOB, with_job
from tests.fakes.statuses import GOOD, status
from tests.wire.test_api import Answer, Api
from workloadd.core.errors import Permanent
from workloadd.history.runs import RunRow

PATH = "/v1/workloads/web/run"


@pytest.fixture
def api() -> Iterator[Api]:
    with tempfile.TemporaryDirectory() as directory:
        found = status({"web": GOOD}, {"web": GOOD})
        yield Api(Path(directory), with_job(found))


async def post(api: Api, path: str = PATH, unix: bool = True) -> Answer:
    async with api.serving():
        return await api.get(path, unix=unix, method="POST")


async def test_a_job_is_started(api: Api) -> None:
    got = await post(api)
    assert got.status == 202
    assert got.json == {"workload": "web", "state": "started", "run": 7, "after": 5}
    assert api.started == ["web"]


async def test_over_tcp_nothing_is(api: Api) -> None:
    got = await post(api, unix=False)
    assert (got.status, got.json["reason"]) == (403, "ReadsOnly")
    assert "Unix socket" in got.json["hint"]
    assert api.started == []


async def test_another_user_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workloadd.api.access._CREDENTIALS", Stranger())
    got = await post(api)
    assert (got.status, got.json["reason"]) == (403, "NotYours")
    assert api.started == []


class Stranger:
    """Credentials of a process of another user."""

    size = 12

    def unpack(self, _data: bytes) -> tuple[int, int, int]:
        return 1, 4_000_000, 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "Running"}, "AlreadyRunning"),
        ({"state": "Paused"}, "NotStartable"),
        ({"state": "Disabled"}, "NotStartable"),
        ({"current": None, "state": "Pulling"}, "NotStartable"),
        ({"job": None}, "NotAJob"),
    ],
)
async def test_what_cannot_be_started_says_why(
    api: Api, fields: dict[str, Any], reason: str
) -> None:
    api.board.publish(with_job(api.board.status, fields.pop("job", JOB), **fields))
    got = await post(api)
    assert (got.status, got.json["reason"]) == (409, reason)
    assert got.json["hint"]
    assert api.started == []


async def test_other_paths_take_no_action(api: Api) -> None:
    assert (await post(api, "/v1/workloads/web")).status == 405
    assert (await post(api, "/v1/workloads/wbe/run")).json["reason"] == "NoSuchWorkload"


async def test_a_start_that_failed_says_why(api: Api) -> None:
    api.obstacle = Permanent("JobFailed", "cannot start workload-web.service: it failed", "look")
    got = await post(api)
    assert (got.status, got.json["reason"], got.json["hint"]) == (503, "JobFailed", "look")


async def test_its_schedule_and_runs_are_told(api: Api) -> None:
    api.history.runs.rows = [RunRow(FAILED, ("disk full",))]
    async with api.serving():
        document = await api.get("/v1/workloads/web")
        text = await api.get("/web", unix=True)
        shown = await api.get("/web")
        history = await api.get("/v1/workloads/web/history", unix=True)
        for_all = await api.get("/v1/workloads/web/history")
    job = document.json["job"]
    assert job["schedule"] == ["daily", "Mon 10:00 UTC"]
    assert (job["runs"][0]["outcome"], job["runs"][0]["duration"]) == ("failed", 2.5)
    assert "schedule      daily; Mon 10:00 UTC" in text.body
    assert "UTC, in 1h" in text.body
    assert "5    failed   3     1m ago   2.5s  2    the schedule" in text.body
    assert "  | disk full" in text.body
    assert "disk full" not in shown.body
    assert history.json["runs"][0]["log"] == ["disk full"]
    assert "workloadctl history web" in for_all.json["runs"][0]["log"][0]
