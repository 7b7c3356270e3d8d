"""Runs the daemon on the host as always, but for one SIGKILL at a place that a test names.

Copied to the host and started in place of /usr/local/bin/workloadd. The file `FAULT` in the user's
runtime directory says where: a JSON object with `workload`, `action` (the class of an action, or
`start` for the moment at which a restart has begun to stop the old container, and has yet to start
the new one), `count` (the how manieth of those) and `when` (before or after it). It is deleted as
it strikes.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

FAULT = "workloadd-fault.json"
PLACE = "/usr/local/lib/workloadd"

# How often what a fault names has come by, by the text of the fault.
_seen: Counter[str] = Counter()


def _strike(workload: str, action: str, when: str) -> None:
    path = Path(os.environ["XDG_RUNTIME_DIR"]) / FAULT
    try:
        text = path.read_text()
    except FileNotFoundError:
        return
    fault = json.loads(text)
    if (fault["workload"], fault["action"], fault["when"]) != (workload, action, when):
        return
    _seen[text] += 1
    if _seen[text] == fault["count"]:
        path.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _arm() -> None:
    """Put the possible ends around what the daemon does."""
    from workloadd.core.names import workload_of_unit
    from workloadd.execute import Executor
    from workloadd.host.systemd import Systemd

    do, start, restart = Executor._do, Systemd.start, Systemd.restart

    async def deadly_do(self: Executor, action: Any, run: Any, gate: Any) -> None:
        _strike(run.workload, type(action).__name__, "before")
        await do(self, action, run, gate)
        _strike(run.workload, type(action).__name__, "after")

    async def deadly_start(self: Systemd, unit: str, **more: Any) -> None:
        _strike(workload_of_unit(unit) or "", "start", "before")
        await start(self, unit, **more)

    async def deadly_restart(self: Systemd, unit: str, **more: Any) -> None:
        """systemd does both halves by itself: the daemon dies while it is at the first."""
        job = asyncio.create_task(restart(self, unit, **more))
        while not job.done() and (await self.units({unit}))[unit].active_state == "active":
            continue
        _strike(workload_of_unit(unit) or "", "start", "before")
        await job

    Executor._do = deadly_do  # type: ignore[method-assign]
    Systemd.start = deadly_start  # type: ignore[method-assign]
    Systemd.restart = deadly_restart  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.path[:0] = [PLACE, f"{PLACE}/vendor"]
    _arm()
    from workloadd.__main__ import main

    sys.exit(main())
