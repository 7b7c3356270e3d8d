"""Doing what plans ask for about jobs: timers, runs, and what is to be remembered of them."""

import logging
from collections.abc import Callable
from dataclasses import replace

from workloadd.core import actions as a
from workloadd.core.errors import Transient, WorkloaddError
from workloadd.core.names import unit_name
from workloadd.core.runs import Ending, Run, outcome_of
from workloadd.history import History
from workloadd.host.journal_reader import awaited_podman_lines
from workloadd.host.podman import Podman
from workloadd.host.systemd import Systemd
from workloadd.requests import RunRequests
from workloadd.slots import Slots

log = logging.getLogger(__name__)

# Last log lines of a run that are kept.
LOG_LINES = 20
# Seconds before its beginning, as Podman has it, from which on a run's lines are looked for.
_BEFORE = 0.5

RunAction = a.StartTimer | a.StopTimer | a.StartRun | a.NoteRun | a.EndRun


class Runner:
    """The part of the executor that is about jobs; `starts` bounds start jobs in flight."""

    def __init__(
        self,
        podman: Podman,
        systemd: Systemd,
        history: History,
        requests: RunRequests,
        *,
        starts: Slots,
        clock: Callable[[], float],
    ) -> None:
        self._podman = podman
        self._systemd = systemd
        self._history = history
        self._requests = requests
        self._starts = starts
        self._clock = clock

    async def do(self, action: RunAction, workload: str, created: str) -> None:
        """Do one action; `created` is the container that its sequence created, if it did."""
        match action:
            case a.StartTimer() | a.StopTimer():
                await self._timer(action, unit_name(workload, suffix=".timer"))
            case a.StartRun():
                await self._start(action, workload, action.container or created)
            case a.NoteRun():
                await self._noted(action.run)
            case a.EndRun():
                await self._end(action)

    async def _timer(self, action: a.StartTimer | a.StopTimer, timer: str) -> None:
        if isinstance(action, a.StartTimer):
            await self._systemd.reset_failed(timer)
            await self._systemd.start(timer)
            return
        await self._systemd.stop(timer)
        if action.forget:
            await self._systemd.clean(timer)

    async def _start(self, action: a.StartRun, workload: str, container: str) -> None:
        """Start the unit, its retries counted anew, and note the run that this began."""
        unit = unit_name(workload)
        try:
            await self._systemd.reset_failed(unit)
            async with self._starts:
                await self._systemd.start(unit)
            ending = await self._podman.runs.ending(container)
        except WorkloaddError as error:
            self._requests.failed(workload, error)
            raise
        began = ending.started_at or self._clock()
        run = Run(0, workload, action.revision, container, action.trigger, action.attempt, began)
        self._requests.done(workload, await self._noted(run))

    async def _noted(self, run: Run) -> int | None:
        """Note that a run began; a full disk keeps none from running."""
        log.info("%s: a run began (%s)", run.workload, run.trigger)
        try:
            return await self._history.runs.begin(run)
        except Transient as error:
            log.warning("%s: not recorded: %s", run.workload, error.problem)
            return None

    async def _end(self, action: a.EndRun) -> None:
        run = action.run
        if action.outcome:
            now = self._clock()
            ended = replace(
                run, started_at=run.started_at or now, ended_at=now, outcome=action.outcome
            )
        else:
            ending = await self._podman.runs.ending(run.container)
            if action.seen and int(ending.started_at) != int(run.started_at):
                ending = action.seen
            ended = _ended(run, ending, action)
        log.info("%s: a run %s", run.workload, ended.words)
        await self._history.runs.end(ended, await self._last_lines(ended))

    async def _last_lines(self, run: Run) -> tuple[str, ...]:
        """What the container said last, and what podman said where it could not be started."""
        try:
            # Podman takes down a beginning a little later than it was.
            since = max(0.0, run.started_at - _BEFORE)
            lines = await self._podman.logs(run.container, LOG_LINES, since=since)
        except WorkloaddError as error:
            lines = (f"(no log: {error.problem.message})",)
        if run.exit_code is not None:
            return lines
        unit, since = unit_name(run.workload), run.started_at - 60
        said = await awaited_podman_lines(unit, since, LOG_LINES)
        return (*lines, *said)[-LOG_LINES:]


def _ended(run: Run, ending: Ending, action: a.EndRun) -> Run:
    return replace(
        run,
        started_at=ending.started_at,
        ended_at=max(ending.started_at, ending.ended_at),
        exit_code=ending.exit_code if ending.known else None,
        outcome=outcome_of(ending, action.around),
    )
