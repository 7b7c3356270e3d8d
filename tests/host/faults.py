"""Runs the daemon on the host as always, but for one SIGKILL at a boundary that a test names, and
with no pauses between passes, which only spare a busy host.

Copied to the host, with tests/calls.py beside it, and started in place of /usr/local/bin/workloadd.
While the file `FAULT` is in the user's runtime directory, boundaries are counted and their names
written to the file `TRAIL`, a line each; at the one whose number stands in `FAULT` that file is
deleted and the daemon killed. The boundaries are:

* `before ACTION`, for the very first action;
* `ACTION: CALL`, when a call has been made that changes something;
* `ACTION: systemd.CALL begun`, when systemd is at a job, above all between the two halves of a
  restart: it has begun to stop the old container and has yet to start the new one;
* `ACTION: rename begun`, when its first file or link is written and has yet to take its place;
* `after ACTION`, where the action has made no such call.
"""

import asyncio
import os
import signal
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Any

FAULT = "workloadd-fault"
TRAIL = "workloadd-trail"
PLACE = "/usr/local/lib/workloadd"
_RENAME = "rename begun"

# The action that is being carried out, followed by the calls that it has made.
_action: ContextVar[list[str]] = ContextVar("_action")


def _passed(boundary: str, *, first: bool = False) -> None:
    """Come by a boundary, which may count only if it is the `first`."""
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    try:
        fatal = int((runtime / FAULT).read_text())
    except FileNotFoundError:
        return
    with (runtime / TRAIL).open("a+") as trail:
        trail.seek(0)
        number = len(trail.readlines()) + 1
        if first and number > 1:
            return
        trail.write(f"{boundary}\n")
    if number == fatal:
        (runtime / FAULT).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _called(call: str) -> None:
    if made := _action.get(None):
        _passed(f"{made[0]}: {call}")
        made.append(call)


def _audited(event: str, _: tuple[Any, ...]) -> None:
    """What Python is about to do (PEP 578)."""
    made = _action.get(None)
    if event == "os.rename" and made and _RENAME not in made:
        _called(_RENAME)


def _arm() -> None:
    """Put the boundaries around what the daemon does."""
    import calls

    from workloadd import reconcile
    from workloadd.daemon import Daemon
    from workloadd.execute import Executor
    from workloadd.host.systemd import Systemd
    from workloadd.upkeep import Keeper

    reconcile._PAUSE_FACTOR = 0.0
    carry_out, made = Executor._carry_out, Daemon.__init__

    async def deadly_carry_out(self: Executor, run: Any, plan: Any, gate: Any) -> None:
        _passed(f"before {type(plan.actions[0]).__name__}", first=True)
        await carry_out(self, run, plan, gate)

    def deadly_init(self: Daemon, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        calls.tell(self, _called)

    Executor._carry_out = deadly_carry_out  # type: ignore[method-assign]
    Executor._do = _acting(Executor._do)  # type: ignore[method-assign]
    Keeper._do = _acting(Keeper._do)  # type: ignore[method-assign]
    Daemon.__init__ = deadly_init  # type: ignore[method-assign]
    sys.addaudithook(_audited)
    for job in ("start", "stop", "restart"):
        setattr(Systemd, job, _watched(job, getattr(Systemd, job)))


def _acting(do: Any) -> Any:
    """An action, with the boundaries of its calls."""

    async def acting(self: Any, action: Any, *more: Any) -> None:
        name = type(action).__name__
        _action.set([name])
        await do(self, action, *more)
        if len(_action.get()) == 1:
            _passed(f"after {name}")

    return acting


def _watched(name: str, job: Any) -> Any:
    """A job of systemd's, with a boundary where it can be seen at work."""

    async def watched(self: Any, unit: str, **more: Any) -> None:
        async def state() -> str:
            found = (await self.units({unit})).get(unit)
            return found.active_state if found else "inactive"

        before = await state()
        running = asyncio.create_task(job(self, unit, **more))
        while not running.done() and await state() == before:
            continue
        _called(f"systemd.{name} begun")
        await running

    return watched


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), PLACE, f"{PLACE}/vendor"]
    _arm()
    from workloadd.__main__ import main

    sys.exit(main())
