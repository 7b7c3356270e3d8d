"""Changes of the status as server-sent events, from the whole daemon."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.fakes.installed import Installed
from workloadd.api import events

PATIENCE = 10.0


class Reader:
    """A client of the stream, and what it was told."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last = ""

    async def next(self) -> tuple[str, Any]:
        """The next event: its kind, and its document; a comment has the kind ""."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            while line := (await self.answer.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                fields[name] = value
        self.last = fields.get("id", self.last)
        return fields.get("event", ""), json.loads(fields.get("data", "null"))

    async def until(self, kind: str, **wanted: str) -> Any:
        """The next event of a kind in whose document these fields are so."""
        while True:
            found, document = await self.next()
            if found == kind and all(document.get(k) == v for k, v in wanted.items()):
                return document


@asynccontextmanager
async def following(
    host: Installed, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Reader]:
    connector = aiohttp.UnixConnector(str(host.paths.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://localhost/v1/events{query}", headers=headers) as answer,
    ):
        yield Reader(answer)


async def test_what_is_known_and_then_what_changes(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    async with following(host) as reader:
        assert reader.answer.content_type == "text/event-stream"
        assert await reader.next() == ("", None), "how soon to come back"
        assert (await reader.next())[0] == "reset"
        assert (await reader.next())[0] == "host"
        assert (await reader.until("workload", name="web"))["state"] == "Ready"
        host.write("web", "image: [\n")
        assert (await reader.until("workload", state="Degraded"))["name"] == "web"
        host.remove("web")
        assert await reader.until("gone") == {"name": "web"}


async def test_one_that_was_cut_off_goes_on(host: Installed) -> None:
    await host.start()
    async with following(host) as reader:
        await reader.until("host")
        last = reader.last
    host.write("web")
    await host.settled()
    async with following(host, headers={"Last-Event-ID": last}) as reader:
        assert await reader.next() == ("", None)
        kind, document = await reader.next()
        assert (kind, document["name"]) == ("workload", "web"), "nothing else, and nothing anew"


async def test_one_workload_alone(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    async with following(host, "?workload=web") as reader:
        assert [(await reader.next())[0] for _ in range(3)] == ["", "reset", "workload"]
        host.write("other")
        await host.settled("other")
        host.write("web", "image: [\n")
        kind, document = await reader.next()
        assert (kind, document["name"]) == ("workload", "web")


async def test_it_says_that_it_is_there(host: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    await host.start()
    async with following(host) as reader:
        await reader.until("host")
        assert await reader.next() == ("", None)


async def test_it_ends_with_the_daemon(host: Installed) -> None:
    await host.start()
    async with following(host) as reader:
        await reader.until("host")
        await host.stop()
        async with asyncio.timeout(PATIENCE):
            assert await reader.answer.content.read() == b""


async def test_an_id_that_is_none(host: Installed) -> None:
    await host.start()
    async with following(host, headers={"Last-Event-ID": "x" * 65}) as reader:
        assert reader.answer.status == 400
        assert (await reader.answer.json())["reason"] == "BadEventId"
