"""`workloadctl events` beside the whole daemon."""

import asyncio
import json
import threading

import click
import pytest
from click.testing import CliRunner

from tests.fakes.installed import Installed
from workloadd.cli import following as module
from workloadd.cli.main import main


class Told:
    """What the command prints, line by line; it is ended by the next line after `enough`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[str] = []
        self.enough = threading.Event()
        self.news = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        monkeypatch.setattr(click, "echo", self.echo)

    def echo(self, text: str, **_: object) -> None:
        self.lines.append(text)
        self.loop.call_soon_threadsafe(self.news.set)
        if self.enough.is_set():
            raise KeyboardInterrupt

    def says(self, wanted: str) -> bool:
        return any(wanted in line for line in self.lines)

    async def heard(self, wanted: str) -> None:
        """Wait until it says so."""
        async with asyncio.timeout(10):
            while not self.says(wanted):
                await self.news.wait()
                self.news.clear()


async def test_a_line_for_each_change_over_a_restart(
    host: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.05)
    monkeypatch.setattr(module, "TIMES", 1000)
    await host.start()
    host.write("web")
    await host.settled()
    told = Told(monkeypatch)
    arguments = ["events", "--socket", str(host.paths.socket)]
    task = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, main, arguments))
    await told.heard("web: Ready")
    host.write("web", "image: [\n")
    await told.heard("web: Degraded: ")
    await host.restart()
    await told.heard("workloadd answers again")
    told.enough.set()
    host.remove("web")
    result = await task
    assert told.says("web: gone") or told.says("web: Removing")
    assert isinstance(result.exception, SystemExit | KeyboardInterrupt)
    assert sum("web: Ready" in line for line in told.lines) == 1


async def test_one_as_json(host: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    await host.start()
    host.write("web")
    host.write("other")
    await host.settled()
    await host.settled("other")
    told = Told(monkeypatch)
    arguments = ["events", "web", "--json", "--socket", str(host.paths.socket)]
    task = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, main, arguments))
    await told.heard('"event": "workload"')
    told.enough.set()
    host.remove("web")
    await task
    found = [json.loads(line) for line in told.lines if line]
    assert [one["event"] for one in found[:2]] == ["reset", "workload"]
    assert {one["data"].get("name", "web") for one in found} == {"web"}


async def test_one_that_is_not_there(host: Installed) -> None:
    await host.start()
    arguments = ["events", "nosuch", "--socket", str(host.paths.socket)]
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    assert result.exit_code == 1
    assert 'cannot find a workload "nosuch"' in result.output


def test_no_daemon(tmp_path: object) -> None:
    result = CliRunner().invoke(main, ["events", "--socket", f"{tmp_path}/none"])
    assert result.exit_code == 1
    assert "cannot reach workloadd" in result.output
