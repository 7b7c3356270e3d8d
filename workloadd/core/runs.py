"""Runs of a job: what is known of one, and how one ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from workloadd.core.observed import Container
from workloadd.core.status import RunStatus, moment

Trigger = Literal["schedule", "revision", "manual"]
"""What began a run: its time came, a revision that runs once was deployed, or a person asked."""

Outcome = Literal["", "succeeded", "failed", "timeout", "interrupted", "replaced"]
"""How a run ended, "" while it is on. An interrupted one was stopped by hand or with the host,
a replaced one made way for the next."""

# Exit codes of a process that SIGTERM or SIGKILL ended, as `podman stop` and a shutdown do.
_STOPPED = (143, 137)
# Seconds that an end may seem to lie before the beginning.
_SKEW = 1.0


_WORDS: dict[Outcome, str] = {
    "": "is on",
    "succeeded": "succeeded",
    "failed": "failed",
    "timeout": "took longer than its timeout",
    "interrupted": "was interrupted",
    "replaced": "made way for the next one",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: each retry is one of its own, told by `attempt`, which begins with 1.

    Times are seconds since the epoch; `ended_at` is 0.0 while it is on, and `exit_code` None
    where it was not told (the power went, or the container could not be started at all).
    """

    id: int
    workload: str
    revision: str
    container: str
    trigger: Trigger
    attempt: int
    started_at: float
    ended_at: float = 0.0
    exit_code: int | None = None
    outcome: Outcome = ""

    @property
    def on(self) -> bool:
        """Whether its end is not known yet."""
        return not self.outcome

    @property
    def words(self) -> str:
        """What became of it, as the end of a sentence that begins with "its run"."""
        if self.outcome == "failed" and self.exit_code is not None:
            return f"failed with exit code {self.exit_code}"
        return _WORDS[self.outcome]


@dataclass(frozen=True, slots=True)
class Ending:
    """A container that ran, exactly: `stopped` says that somebody had Podman stop it, `oom` that
    the kernel killed it for memory."""

    started_at: float
    ended_at: float
    exit_code: int
    stopped: bool = False
    oom: bool = False

    @property
    def known(self) -> bool:
        """Whether it ended after it began, as far as two clocks can tell.

        After a power cut Podman lists a container that ran as exited with code 0: only its times
        tell that from success. It takes down a beginning later than it was, so that what ends at
        once seems to have done so before.
        """
        return self.ended_at > self.started_at - _SKEW


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else tells how a run ended.

    `timeout` is in seconds, 0.0 for none; `boot` is when the user manager started;
    `triggered_at` when a new run was last due, if that one replaces an older one, else 0.0.
    """

    timeout: float = 0.0
    boot: float = 0.0
    triggered_at: float = 0.0


def outcome_of(ending: Ending, around: Circumstances) -> Outcome:
    """How a run ended."""
    if not ending.known:
        return "interrupted"
    if around.timeout and ending.ended_at - ending.started_at >= around.timeout:
        return "timeout"
    if ending.exit_code == 0:
        return "succeeded"
    with_the_host = ending.ended_at < around.boot and ending.exit_code in _STOPPED
    if not (ending.stopped or with_the_host):
        return "failed"
    due_meanwhile = ending.started_at < around.triggered_at <= ending.ended_at
    return "replaced" if due_meanwhile else "interrupted"


def has_run(container: Container) -> bool:
    """Whether a container was ever started."""
    return container.started_at > 0


def is_of(run: Run, container: Container) -> bool:
    """Whether a container's last start is this run; Podman lists times in whole seconds."""
    return run.container == container.id and int(run.started_at) == int(container.started_at)


def run_of(runs: Iterable[Run], container: Container) -> Run | None:
    """The run that a container's last start was, if it is known."""
    return next((run for run in runs if is_of(run, container)), None)


def run_status(run: Run) -> RunStatus:
    """A run as the status has it."""
    over = not run.on and run.exit_code is not None
    return RunStatus(
        id=run.id,
        revision=run.revision,
        trigger=run.trigger,
        attempt=run.attempt,
        outcome=run.outcome,
        exit_code=run.exit_code,
        started=moment(run.started_at),
        ended=moment(run.ended_at),
        duration=round(run.ended_at - run.started_at, 3) if over else None,
    )
