"""The daemon, as it is, with somebody beside it who sees how late the loop is.

Commands come by standard input, a line each, and each is answered by a line of JSON: `waking on`
and `waking off` (a pass as often as there may be one), `report` (what was since the last report).
"""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(_ROOT))

from workloadd.daemon import Daemon, serve  # noqa: E402
from workloadd.settings import Paths, Settings  # noqa: E402
from workloadd.settings.model import ApiSettings, RolloutSettings  # noqa: E402

# Seconds between two looks at the clock.
_TICK = 0.001


class Watch:
    """How late the loop was, and what it did meanwhile."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._waking = False
        self._late: list[float] = []
        self._collected: list[float] = []
        self._collecting = 0.0
        gc.callbacks.append(self._on_collection)
        self._mark()

    def _on_collection(self, phase: str, info: dict) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._collecting = now
        else:
            self._collected.append(now - self._collecting)

    def _mark(self) -> None:
        self._late.clear()
        self._collected.clear()
        self._began = time.monotonic()
        self._cpu = time.process_time()
        self._passes = self._daemon.board.status.passes.count

    async def run(self) -> None:
        """Look at the clock all the time."""
        while True:
            due = time.monotonic() + _TICK
            await asyncio.sleep(_TICK)
            self._late.append(time.monotonic() - due)
            if self._waking:
                self._daemon.wake()

    async def obey(self) -> None:
        """Do what is asked, until nobody is there any more."""
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.startswith("waking"):
                self._waking = line.strip() == "waking on"
            print(json.dumps(self._report()), flush=True)
            self._mark()
        self._daemon.stop()

    def _report(self) -> dict:
        late = sorted(self._late) or [0.0]
        spent = time.process_time() - self._cpu
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "seconds": time.monotonic() - self._began,
            "late_p99": late[int(len(late) * 0.99)],
            "late_max": late[-1],
            "late_over_50ms": sum(one > 0.05 for one in late),
            "collecting": sum(self._collected),
            "collecting_max": max(self._collected, default=0.0),
            "cpu": spent,
            "passes": self._daemon.board.status.passes.count - self._passes,
            "rss": pages * resource.getpagesize(),
            "pid": os.getpid(),
        }


async def main(directory: Path, port: int) -> None:
    """Run the daemon and its watcher."""
    settings = Settings(
        api=ApiSettings(listen=f"127.0.0.1:{port}"), rollout=RolloutSettings(soak=1.0)
    )
    daemon = Daemon(Paths.under(directory), settings)
    watch = Watch(daemon)
    watching = asyncio.create_task(watch.run())
    obeying = asyncio.create_task(watch.obey())
    await serve(daemon)
    watching.cancel()
    await obeying


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
