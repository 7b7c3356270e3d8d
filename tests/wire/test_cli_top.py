"""`workloadctl top` beside the whole daemon."""

import asyncio
import json

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.fakes.installed import Installed
from tests.wire.test_cli_watch import Terminal
from workloadd.cli.main import main
from workloadd.core.usage import Group, Look, Meter, Network

UNIT = "workload-web.service"


def meter(*cpu: float, memory: int) -> Meter:
    """One that was looked at every second, and has a network."""
    found = Meter()
    for at, used in enumerate(cpu, 1):
        group = Group(cpu=used, memory=memory, limit=64 << 20, pids=3)
        found.add(Look(float(at), {UNIT: group}, {1: Network(2048 * at, 0)}))
    return found


@pytest.fixture
async def host(host: Installed) -> Installed:
    """Two that run, one of them busy."""
    await host.start()
    for name in ("web", "idle"):
        host.write(name)
        await host.settled(name)
    meters = {"idle": meter(1.0, 1.0, memory=40 << 20), "web": meter(1.0, 1.5, memory=8 << 20)}
    host.daemon.usage.meters = meters
    return host


async def top(host: Installed, *arguments: str) -> Result:
    call = ["top", *arguments, "--socket", str(host.paths.socket)]
    return await asyncio.to_thread(CliRunner().invoke, main, call)


async def test_once_into_a_pipe_the_busy_one_first(host: Installed) -> None:
    done = await top(host)
    assert done.exit_code == 0
    first, _, head, web, idle = done.output.splitlines()
    assert first.startswith("2 workloads use 50.0 % of a processor and 48M of memory")
    assert head.startswith("NAME  CPU%")
    assert web.split() == ["web", "50.0", "8.0M", "64M", "2.0K", "0B", "-", "-", "3"]
    assert idle.startswith("idle  0.0 ")


async def test_names_are_not_cut_for_scripts(host: Installed) -> None:
    host.daemon.usage.meters = {"w" * 60: meter(1.0, 1.5, memory=8 << 20)}
    assert (await top(host)).output.splitlines()[-1].split()[0] == "w" * 60


@pytest.mark.parametrize("by", ["memory", "name"])
async def test_in_another_order(host: Installed, by: str) -> None:
    lines = (await top(host, "--sort", by)).output.splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["idle", "web"]


async def test_for_programs(host: Installed) -> None:
    document = json.loads((await top(host, "-o", "json")).output)
    assert [one["workload"] for one in document["workloads"]] == ["idle", "web"]
    one = yaml.safe_load((await top(host, "web", "-o", "yaml")).output)
    assert one["now"]["memory"] == 8 << 20


async def test_one_alone(host: Installed) -> None:
    assert (await top(host, "web", "-n")).output.splitlines()[-1].split()[:2] == ["web", "50.0"]


async def test_one_that_does_not_run_or_is_not_there(host: Installed) -> None:
    host.daemon.usage.meters = {}
    done = await top(host, "web")
    assert (done.exit_code, done.output) == (0, "no workload runs, or none was looked at yet\n")
    done = await top(host, "wbe")
    assert done.exit_code == 1
    assert 'cannot find a workload "wbe"' in done.output


async def test_on_a_terminal_until_q(host: Installed) -> None:
    terminal = Terminal(host, "--interval", "20ms", command=("top",))
    await terminal.says("2 workloads use(?s:.*)idle")
    host.daemon.usage.meters = {"web": meter(1.0, 1.5, memory=9 << 20)}
    await terminal.says("1 workload uses(?s:.*)9.0M")
    await host.stop()
    await terminal.says("cannot reach workloadd")
    terminal.press("q")
    assert await terminal.end() == 0
