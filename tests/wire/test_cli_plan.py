"""`workloadctl plan` over the real adapters, against a fake host."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.world import World
from workloadd.cli.preview import Preview, preview
from workloadd.core.errors import WorkloaddError
from workloadd.settings import Paths, Settings
from workloadd.sources.directories import Directories


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory() as directory:
        made = World(Path(directory))
        await made.start()
        yield made
        await made.close()


@pytest.fixture
def paths(world: World, tmp_path: Path) -> Paths:
    found = replace(
        Paths.under(tmp_path, bus_address=world.bus_address),
        podman_socket=world.podman_socket,
        unit_dir=world.unit_dir,
        unit_overrides=(world.control_dir,),
    )
    found.workload_roots[1].mkdir(parents=True)
    return found


async def plan(paths: Paths) -> Preview:
    source = Directories(paths.workload_roots, paths.home)
    return await asyncio.wait_for(preview(paths, Settings(), source), 30)


async def test_an_empty_host(paths: Paths) -> None:
    assert await plan(paths) == Preview(())


async def test_a_new_workload(paths: Paths, world: World) -> None:
    file = paths.workload_roots[1] / "web.yaml"
    file.write_text("image: registry.example/nginx:1\n")
    (web,) = (await plan(paths)).workloads
    assert web.steps[0] == "pull registry.example/nginx:1 (missing)"
    assert web.steps[-1] == "start the unit"
    # It only looked.
    assert not world.podman.containers
    assert not list(world.unit_dir.iterdir())
    assert not paths.history_file.exists()


async def test_no_podman(paths: Paths, tmp_path: Path) -> None:
    away = replace(paths, podman_socket=tmp_path / "no.sock")
    with pytest.raises(WorkloaddError, match="cannot"):
        await plan(away)
