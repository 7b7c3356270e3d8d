"""What is done by hand over HTTP: who may, what is passed on, and what comes back."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.statuses import GOOD, NOW, status
from tests.wire.test_api import Answer, Api
from tests.wire.test_api_run import Stranger
from workloadd.core.errors import Declined, WorkloaddError
from workloadd.core.hands import Answer as Done
from workloadd.core.hands import Ask
from workloadd.core.status import WorkloadStatus

PATH = "/v1/workloads/web/pause"


class Recorder:
    """An action that takes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Ask]] = []
        self.answer: Done | WorkloaddError = Done("paused", fields={"revision": "r1"})

    async def __call__(self, workload: WorkloadStatus, ask: Ask) -> Done:
        self.asked.append((workload.name, ask))
        if isinstance(self.answer, WorkloaddError):
            raise self.answer
        return self.answer


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def api(recorder: Recorder) -> Iterator[Api]:
    with tempfile.TemporaryDirectory() as directory:
        made = Api(Path(directory), status({"web": GOOD}, {"web": GOOD}))
        made.by_hand = {"pause": recorder}
        yield made


async def post(api: Api, path: str = PATH, unix: bool = True) -> Answer:
    async with api.serving():
        return await api.get(path, unix=unix, method="POST")


async def test_who_asks_and_why_is_passed_on(api: Api, recorder: Recorder) -> None:
    got = await post(api, f"{PATH}?reason=it%20is%20%20slow&to=abc")
    me = pwd.getpwuid(os.getuid()).pw_name
    assert recorder.asked == [("web", Ask(me, "it is slow", {"to": "abc"}))]
    assert got.status == 202
    assert got.json == {
        "workload": "web",
        "action": "pause",
        "changed": True,
        "message": "paused",
        "asked": NOW,
        "at": None,
        "revision": "r1",
    }


async def test_what_is_so_already_is_no_error(api: Api, recorder: Recorder) -> None:
    recorder.answer = Done("paused already", changed=False)
    got = await post(api)
    assert (got.status, got.json["changed"]) == (200, False)


async def test_what_cannot_be_done_says_why(api: Api, recorder: Recorder) -> None:
    recorder.answer = Declined("Stopped", "cannot restart web: it is stopped", "start it")
    got = await post(api)
    assert (got.status, got.json["reason"], got.json["hint"]) == (409, "Stopped", "start it")


async def test_over_tcp_and_by_others_nothing_is_done(
    api: Api, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await post(api, unix=False)).json["reason"] == "ReadsOnly"
    monkeypatch.setattr("workloadd.api.access._CREDENTIALS", Stranger())
    assert (await post(api)).json["reason"] == "NotYours"
    assert recorder.asked == []


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("/v1/workloads/wbe/pause", 404, "NoSuchWorkload"),
        ("/v1/workloads/web/puase", 404, "NoSuchAction"),
        (f"{PATH}?reason=%1b[31m", 400, "BadReason"),
        (f"{PATH}?reason={'x' * 201}", 400, "BadReason"),
    ],
)
async def test_what_is_wrong_is_told(
    api: Api, recorder: Recorder, path: str, code: int, reason: str
) -> None:
    got = await post(api, path)
    assert (got.status, got.json["reason"]) == (code, reason)
    assert got.json["hint"]
    assert recorder.asked == []


async def test_a_mistyped_action_is_corrected(api: Api) -> None:
    assert "pause" in (await post(api, "/v1/workloads/web/puase")).json["hint"]
