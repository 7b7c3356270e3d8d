"""What containers wrote, over HTTP: to whom, in which form, and for how long."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.statuses import GOOD, NOW, status
from tests.wire.test_api import Answer, Api
from tests.wire.test_api_run import Stranger
from workloadd.api import logs as logs_api

WEB = "workload-web.service"
SHOP = "workload-shop_cache.service"
PATH = "/v1/workloads/web/logs"
AT = int(NOW * 1e6)
WHEN = "2027-01-15T08:00:00.000Z"
NDJSON = "Accept: application/x-ndjson"


@pytest.fixture
def api() -> Iterator[Api]:
    with tempfile.TemporaryDirectory() as directory:
        made = Api(Path(directory), status({"web": GOOD, "new": GOOD}, {"web": GOOD}))
        made.journal.write("workloadd.service", "up", at=AT - 10**9, CONTAINER_ID_FULL="")
        yield made


def unchunked(text: str) -> str:
    body = ""
    while text:
        size, _, text = text.partition("\r\n")
        body += text[: int(size, 16)]
        text = text[int(size, 16) + 2 :]
    return body


async def ask(api: Api, path: str = PATH, *lines: str) -> Answer:
    got = await api.get(path, *lines, unix=True)
    chunked = got.headers.get("transfer-encoding") == "chunked"
    return Answer(got.status, got.headers, unchunked(got.body) if chunked else got.body)


async def follow(api: Api, query: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(api.socket))
    writer.write(f"GET {PATH}?follow=true{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_lines_as_text_and_as_json(api: Api) -> None:
    api.journal.write(WEB, "listening", at=AT)
    api.journal.write(WEB, "\x1b[31mcannot\x1b[0m\x07", at=AT, PRIORITY="3")
    async with api.serving():
        text, documents = await ask(api), await ask(api, PATH, NDJSON)
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["x-content-type-options"] == "nosniff"
    assert text.body == f"{WHEN} listening\n{WHEN} cannot\\x07\n"
    assert documents.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    first, second = (json.loads(line) for line in documents.body.splitlines())
    assert first == {
        "time": WHEN,
        "container": "",
        "id": "abababababab",
        "stream": "stdout",
        "text": "listening",
    }
    assert (second["stream"], second["text"]) == ("stderr", "cannot\\x07")


async def test_they_are_nobody_elses_business(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.journal.write(WEB, "PASSWORD=hunter2")
    async with api.serving():
        tcp = await api.get(PATH)
        monkeypatch.setattr("workloadd.api.access._CREDENTIALS", Stranger())
        other = await ask(api)
    for got in (tcp, other):
        assert (got.status, got.json["reason"]) == (403, "NotYours")
        assert "hunter2" not in got.body
    assert tcp.json["hint"].startswith("ask on the Unix socket, as workloadctl logs web does")


async def test_a_pod_says_which_container(api: Api) -> None:
    """One that is gone, of a workload that is gone, if it has to be."""
    api.journal.write(SHOP, "ready", at=AT, CONTAINER_NAME="shop_cache")
    api.journal.write("workload-shop_db.service", "open", at=AT, CONTAINER_NAME="shop_db")
    path = "/v1/workloads/shop/logs"
    async with api.serving():
        whole, one = await ask(api, path), await ask(api, f"{path}?container=db")
        unknown = await ask(api, f"{path}?container=cash")
        single = await ask(api, f"{PATH}?container=web")
    assert whole.body == f"{WHEN} [cache] ready\n{WHEN} [db] open\n"
    assert one.body == f"{WHEN} [db] open\n"
    assert (unknown.status, unknown.json["reason"]) == (404, "NoSuchContainer")
    assert unknown.json["hint"] == "did you mean cache?"
    assert single.json["hint"] == "it has only one: do not name it"


async def test_the_last_lines_and_those_since(api: Api) -> None:
    for number in range(200):
        api.journal.write(WEB, str(number), at=AT - (200 - number) * 1_000_000)
    async with api.serving():
        bodies = {
            query: [line.split()[1] for line in (await ask(api, PATH + query)).body.splitlines()]
            for query in (
                "",
                "?tail=2",
                "?tail=0",
                "?since=3s",
                "?since=150s",
                "?since=@1799999998",
            )
        }
    assert bodies[""] == [str(number) for number in range(100, 200)]
    assert bodies["?tail=2"] == ["198", "199"]
    assert bodies["?tail=0"] == []
    assert bodies["?since=3s"] == ["197", "198", "199"]
    assert len(bodies["?since=150s"]) == 150
    assert bodies["?since=@1799999998"] == ["198", "199"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("tail=x", "BadTail"),
        ("tail=-1", "BadTail"),
        ("tail=10001", "BadTail"),
        ("since=yesterday", "BadSince"),
        ("since=10", "BadSince"),
        ("follow=1", "BadFlag"),
    ],
)
async def test_what_cannot_be_accepted(api: Api, query: str, reason: str) -> None:
    async with api.serving():
        got = await ask(api, f"{PATH}?{query}")
    assert (got.status, got.json["reason"]) == (400, reason)
    assert got.json["hint"]


async def test_one_that_wrote_nothing_and_one_that_is_not_there(api: Api) -> None:
    async with api.serving():
        new, gone = await ask(api, "/v1/workloads/new/logs"), await ask(api, "/v1/workloads/x/logs")
        head = await api.get(PATH, unix=True, method="HEAD")
    assert (new.status, new.body) == (200, "")
    assert (gone.status, gone.json["reason"]) == (404, "NoSuchWorkload")
    assert (head.status, head.body) == (200, "")


@pytest.mark.parametrize(
    ("driver", "hint"), [("k8s-file", "podman logs web"), ("none", "its file")]
)
async def test_what_does_not_go_to_the_journal(api: Api, driver: str, hint: str) -> None:
    api.drivers = {"_main": driver}
    async with api.serving():
        got = await ask(api)
    assert (got.status, got.json["reason"]) == (409, "NotInJournal")
    assert hint in got.json["hint"]


async def test_a_journal_that_cannot_be_read(api: Api) -> None:
    async with api.serving():
        api.journal.broken = True
        broken = await ask(api)
        api.journal.broken = False
        api.journal.entries.clear()
        none = await ask(api)
    assert (broken.status, broken.json["reason"]) == (503, "JournalFailed")
    assert (none.status, none.json["reason"]) == (503, "JournalUnreadable")
    assert "/var/log/journal" in none.json["hint"]


async def test_it_is_followed_past_the_deadline(api: Api) -> None:
    api.journal.write(WEB, "old")
    async with api.serving(deadline=0.1):
        reader, writer = await follow(api, "&tail=1")
        assert await reader.readuntil(b"old\n")
        silent, other = await asyncio.open_unix_connection(str(api.socket))
        assert (await silent.read()).startswith(b"HTTP/1.1 408")
        other.close()
        for text in ("new", "newer"):
            api.journal.write(WEB, text)
            assert await reader.readuntil(f" {text}\n".encode())
    assert (await reader.read()).endswith(b"0\r\n\r\n")
    writer.close()


async def test_a_container_that_joins_is_followed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_api, "_parts", lambda _: set(parts))
    parts: set[Any] = {""}
    api.journal.write(WEB, "one")
    async with api.serving():
        reader, writer = await follow(api)
        await reader.readuntil(b"one\n")
        parts.add("late")
        api.journal.write(WEB, "two")
        await reader.readuntil(b"two\n")
        api.journal.write("workload-web_late.service", "three", CONTAINER_NAME="web_late")
        await reader.readuntil(b"[late] three\n")
        writer.close()


async def test_so_many_may_be_followed_and_the_rest_still_read(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_api, "_FOLLOWED", 1)
    api.journal.write(WEB, "one")
    async with api.serving():
        _, writer = await follow(api)
        refused = await ask(api, f"{PATH}?follow=true")
        read = await ask(api)
        writer.close()
    assert (refused.status, refused.json["reason"]) == (503, "TooManyStreams")
    assert read.body.endswith(" one\n")
