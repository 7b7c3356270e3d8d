"""A host of the tests' making, as a process: libpod and systemd on real sockets, workload files.

Prints "up" once it is there; ends with its standard input. A line there, the name of a workload,
ends the main process of its container.
"""

import asyncio
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(_ROOT))

from tests.fakes.world import World  # noqa: E402
from workloadd.settings import Paths  # noqa: E402

_FILE = """\
image: localhost/app:1
description: number {number}
ports: ["{port}:80"]
restart: on-failure
environment: {{NUMBER: "{number}"}}
"""


async def main(directory: Path, count: int) -> None:
    """Be the host until nobody needs it."""
    paths = Paths.under(directory)
    paths.xdg_runtime_dir.mkdir(parents=True, mode=0o700)
    files = paths.workload_roots[1]
    files.mkdir(parents=True)
    for number in range(count):
        text = _FILE.format(number=number, port=20000 + number)
        (files / f"site-{number}.yaml").write_text(text)
    world = World(paths.xdg_runtime_dir, paths=paths)
    world.podman.add_image("localhost/app:1")
    await world.start()
    print("up", flush=True)
    while name := await asyncio.to_thread(sys.stdin.readline):
        world.crash(name.strip())
    await world.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
